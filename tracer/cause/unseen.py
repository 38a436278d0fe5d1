"""The record itself has holes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.cause.base import Cause, Symptom
from tracer.moment import NS_PER_S, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.cause.base import Finding
    from tracer.cause.case import Case
    from tracer.step import Step

__all__ = ["UNSEEN", "untold_by_webhooks"]

ON_ITS_WAY = 5 * NS_PER_S
"""A webhook that is not there this long after, ns, is late at the least: they come within milliseconds."""

BY_WEBHOOK = {
    Kind.PARTICIPANT_ACTIVE,
    Kind.PARTICIPANT_LEFT,
    Kind.PARTICIPANT_ABORTED,
    Kind.ROOM_FINISHED,
}
"""What a webhook tells of each participant and room; a track's webhook is the only witness of a track."""


def untold_by_webhooks(case: Case) -> list[Step]:
    """What another witness saw and a webhook should have told, but did not."""
    timeline = case.timeline
    gone = {step.subject for step in timeline.steps if step.kind in _GONE and _by_webhook(step)}
    # Webhooks of a room come in order: what is not there when the last has come will not come.
    over = timeline.room.finished is not None and _by_webhook(timeline.room.finished)
    return [
        step
        for step in timeline.steps
        if step.kind in BY_WEBHOOK
        and not _by_webhook(step)
        and not (step.kind in _GONE and step.subject in gone)
        and (over or timeline.now - step.time > ON_ITS_WAY)
    ]


_GONE = (Kind.PARTICIPANT_LEFT, Kind.PARTICIPANT_ABORTED)


def _by_webhook(step: Step) -> bool:
    return "webhook" in step.witnesses


class LostWebhooks(Cause):
    """Webhooks get lost: a receiver that is away for longer than the retries, a full queue."""

    name = "lost-webhooks"
    symptom = Symptom.UNSEEN
    about = "webhooks were lost; what they would have told is known from the API only"
    advice = (
        "See that the receiver can be reached from the server and answers at once: the server tries for about a minute,"
        " and drops what waits longer or queues deeper than 200."
    )

    def find(self, case: Case) -> Iterator[Finding]:
        untold = untold_by_webhooks(case)
        if not untold or not any(_by_webhook(step) for step in case.timeline.steps):
            return  # without any, none may have been set up: the timeline says so
        kinds = ", ".join(sorted({step.kind.value for step in untold}))
        number = f"{len(untold)} webhook{'s' if len(untold) > 1 else ''}"
        yield self.found(f"{number} did not arrive: only the API showed {kinds}.", *untold[:10])


UNSEEN = (LostWebhooks(),)
