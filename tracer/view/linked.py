"""Whom a session listens to, and whom no longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.entities import Participant
from tracer.view.names import name_of

if TYPE_CHECKING:
    from tracer.timeline.entities import Entity
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["linked", "participant", "unlinked"]


def participant(timeline: Timeline, step: Step) -> Participant | None:
    """The participant that a session was linked to, or no longer is; by SID or, where that is unknown, by identity."""
    sid, identity = step.facts.get(keys.LINKED_ID), step.facts.get(keys.LINKED_IDENTITY)
    if sid:
        found = timeline.by_sid.get(str(sid))
        return found if isinstance(found, Participant) else None
    named = [p for p in timeline.participants if identity and p.identity == identity and p.steps[0].time <= step.time]
    return named[-1] if named else None


def _name(timeline: Timeline, step: Step) -> str:
    sid = step.facts.get(keys.LINKED_ID)
    return str(step.facts.get(keys.LINKED_IDENTITY) or (name_of(timeline, str(sid)) if sid else ""))


def linked(timeline: Timeline, step: Step, job: Entity | None) -> str:
    """To whom and, where it was linked to somebody before, after whom."""
    session = step.occurrence.partition("@")[0]
    steps = job.steps if job else ()
    earlier = [
        s
        for s in steps
        if s.kind is Kind.SESSION_LINKED and s.occurrence.partition("@")[0] == session and s.time < step.time
    ]
    name = _name(timeline, step)
    if not earlier:
        return name
    before = _name(timeline, earlier[-1])
    return f"{name} again" if before == name else f"{name}, after {before}"


def unlinked(timeline: Timeline, step: Step) -> str:
    """Who and, where the others still see them, that they are there: then it is the agent that lost sight of them."""
    who = participant(timeline, step)
    name = _name(timeline, step)
    gone = who.gone if who else None
    stays = who is not None and (gone is None or gone.earliest > step.latest) and who.at(Kind.PARTICIPANT_ACTIVE)
    return f"{name}, still in the room" if stays else name
