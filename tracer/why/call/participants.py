"""Who is who in a room, and until when each was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.why.call.limits import FOREVER

if TYPE_CHECKING:
    from tracer.timeline.entities import Participant
    from tracer.timeline.timeline import Timeline

__all__ = ["left_at", "name_of", "seen_until", "witnesses_of"]


def witnesses_of(timeline: Timeline) -> set[str]:
    """Which witnesses reported on this room; what workers report of themselves does not count."""
    own = (step for step in timeline.steps if not step.subject.startswith("AW_"))
    return {witness for step in own for witness in step.witnesses}


def name_of(participant: Participant) -> str:
    """What to call somebody in a sentence."""
    return participant.identity or participant.sid


def left_at(timeline: Timeline, who: Participant) -> int:
    """When a participant left, ns; with the room at the latest, and ``FOREVER`` for one who is still there."""
    if who.gone:
        return who.gone.time
    finished = timeline.room.finished
    return finished.time if finished else FOREVER


def seen_until(timeline: Timeline, who: Participant) -> int:
    """Until when a participant was there for certain, ns.

    The observer may see a leave seconds late; and a leave that nobody saw was before the end of the room.
    """
    gone = who.gone
    if gone:
        return gone.time if "webhook" in gone.witnesses else gone.earliest
    return who.steps[-1].time if timeline.room.finished else FOREVER
