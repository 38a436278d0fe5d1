"""Lost webhooks: what a webhook should have reported and did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["without_webhook"]

ON_ITS_WAY = 5 * NS_PER_S
"""A webhook that is not there this long after, ns, is late at the least: they come within milliseconds.

After the last time at which it can have happened: of what the API shows, that is when it was asked.
"""

BY_WEBHOOK = {
    Kind.PARTICIPANT_ACTIVE,
    Kind.PARTICIPANT_LEFT,
    Kind.PARTICIPANT_ABORTED,
    Kind.ROOM_FINISHED,
}
"""What a webhook reports of each participant and room; a track's webhook is the only witness of a track."""

_GONE = (Kind.PARTICIPANT_LEFT, Kind.PARTICIPANT_ABORTED)


def without_webhook(timeline: Timeline) -> list[Step]:
    """What another witness saw and a webhook should have reported, but did not.

    Nothing where no webhook came at all: then none may have been set up.
    """
    if not any(_by_webhook(step) for step in timeline.steps):
        return []
    # Where nobody saw the room being made, what was before the first webhook may have been before the receiver.
    first = min(step.earliest for step in timeline.steps if _by_webhook(step))
    since = first if timeline.room.facts.get(keys.ROOM_WATCHED) is False else 0
    gone = {step.subject for step in timeline.steps if step.kind in _GONE and _by_webhook(step)}
    # Webhooks of a room come in order: what is not there when the last has come will not come.
    over = timeline.room.finished is not None and _by_webhook(timeline.room.finished)
    return [
        step
        for step in timeline.steps
        if step.kind in BY_WEBHOOK
        and not _by_webhook(step)
        and step.latest >= since
        and not (step.kind in _GONE and step.subject in gone)
        and (over or timeline.now - step.latest > ON_ITS_WAY)
    ]


def _by_webhook(step: Step) -> bool:
    return "webhook" in step.witnesses
