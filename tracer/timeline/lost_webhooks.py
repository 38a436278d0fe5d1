"""Lost webhooks: what a webhook should have reported and did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["not_whole", "whom_it_met", "without_webhook"]

ON_ITS_WAY = 5 * NS_PER_S
"""A webhook that is not there this long after, ns, is late at the least: they come within milliseconds.

After the last time at which it can have happened: of what the API shows, that is when it was asked.
"""

SENT_AGAIN = 60 * NS_PER_S
"""For about so long, ns, a webhook that was not taken is sent again, and those after it wait: until then one of which
none came later may still come, as to a receiver that was away."""

BY_WEBHOOK = {
    Kind.PARTICIPANT_ACTIVE,
    Kind.PARTICIPANT_LEFT,
    Kind.PARTICIPANT_ABORTED,
    Kind.ROOM_FINISHED,
}
"""What a webhook reports of each participant and room; a track's webhook is the only witness of a track."""

ENDS_ROOM = {"ROOM_CLOSED", "ROOM_DELETED"}
"""Reasons for which the server disconnects everybody, and then reports that the room finished."""
_OF_PARTICIPANTS = {Kind.PARTICIPANT_ACTIVE, Kind.PARTICIPANT_LEFT, Kind.PARTICIPANT_ABORTED}
_OF_TRACKS = {Kind.TRACK_PUBLISHED, Kind.TRACK_UNPUBLISHED}
_MEETS = {Kind.SESSION_LINKED: keys.LINKED_ID, Kind.AGENT_PARTICIPANT_READY: keys.PARTICIPANT_ID}
"""Where an agent reports whom it meets, and as what."""
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
    last = max(step.earliest for step in timeline.steps if _by_webhook(step))
    return [
        step
        for step in timeline.steps
        if step.kind in BY_WEBHOOK
        and not _by_webhook(step)
        and step.latest >= since
        and not (step.kind in _GONE and step.subject in gone)
        and (over or timeline.now - step.latest > (ON_ITS_WAY if last > step.latest else SENT_AGAIN))
    ]


def not_whole(timeline: Timeline) -> tuple[Step, ...]:
    """What shows that a webhook was lost of which nobody else has the content: steps that others must go with.

    Whoever left had been ACTIVE, a track was published by somebody who is, in a room that has finished everybody left,
    one that the server says it closes, as it disconnects somebody, has finished, and whom an agent meets is in its
    room. Where none came of participants,
    or of tracks, they may not be sent: a server can leave kinds out (``exclude_events``). What came while nobody
    listened is not lost.
    """
    came = {step.kind for step in timeline.steps if _by_webhook(step)}
    people, tracks = not came.isdisjoint(_OF_PARTICIPANTS), not came.isdisjoint(_OF_TRACKS)
    finished = timeline.room.finished
    # Webhooks of a room come in order: those of before its end, or of before others that came, come no more.
    shown = [
        step
        for step in (
            *(_not_active(timeline) if people else ()),
            *(_met_by_agents(timeline) if people else ()),
            *(_of_tracks(timeline, people) if tracks else ()),
            *(_by_its_end(timeline) if finished is None else ()),
        )
        if finished or timeline.now - step.latest > ON_ITS_WAY
    ]
    if people and finished and (_by_webhook(finished) or timeline.now - finished.latest > ON_ITS_WAY):
        stayed = [who.steps[-1] for who in timeline.participants if not who.gone]
        shown += [step for step in stayed if timeline.is_heard(step.latest, finished.latest)]
    return tuple(shown)


def _not_active(timeline: Timeline) -> Iterator[Step]:
    """Who left: of those who were never ACTIVE the server reports that they aborted."""
    for who in timeline.participants:
        left = who.at(Kind.PARTICIPANT_LEFT)
        if left and _by_webhook(left) and not who.at(Kind.PARTICIPANT_ACTIVE):
            joining = who.at(Kind.PARTICIPANT_JOINING)
            if timeline.is_heard(joining.earliest if joining else timeline.zero, left.latest):
                yield left


def _met_by_agents(timeline: Timeline) -> Iterator[Step]:
    """Participants whom an agent of this room reports, and nobody else; and whom it meets that nobody saw itself."""
    known = {who.sid for who in timeline.participants}
    for job in timeline.jobs:
        is_seen = timeline.agent_of(job) is not None  # else it may be in another room, and meet others there
        for step in job.steps:
            met = whom_it_met(step)
            if met and (met in known) is not is_seen and timeline.is_heard(timeline.zero, step.latest):
                yield step
                break


def whom_it_met(step: Step) -> str | None:
    """The SID of the participant whom an agent reports to have met; None for any other step."""
    met = step.facts.get(_MEETS.get(step.kind, ""))
    return str(met) if met else None


def _by_its_end(timeline: Timeline) -> Iterator[Step]:
    """Whom the server disconnected as it closed the room."""
    for who in timeline.participants:
        if who.disconnect_reason in ENDS_ROOM and who.gone and _by_webhook(who.gone):
            yield who.gone


def _of_tracks(timeline: Timeline, people: bool) -> Iterator[Step]:
    """A track's webhook is its only witness; what an agent hears of it, and its end, need that."""
    active = {who.sid for who in timeline.participants if who.at(Kind.PARTICIPANT_ACTIVE)}
    for track in timeline.tracks:
        first, of_nobody = track.steps[0], people and track.participant and track.participant not in active
        if (of_nobody or not track.at(Kind.TRACK_PUBLISHED)) and timeline.is_heard(timeline.zero, first.latest):
            yield first


def _by_webhook(step: Step) -> bool:
    return "webhook" in step.witnesses
