"""Whether another server of a LiveKit cluster took the room over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.units import NS_PER_S
from tracer.why.call.connection import interruptions
from tracer.why.call.participants import witnesses_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["TakenOver", "taken_over"]

BEFORE = NS_PER_S
"""So long before the first who comes back is JOINING, ns, the room is set up again: measured are 1 to 120 ms."""
AROUND = 30 * NS_PER_S
"""An agent that lost its connection no further from that, ns, lost it with the server."""


@dataclass(frozen=True, slots=True)
class TakenOver:
    """The server that had the room went away, and the room went on at another."""

    dispatch: Dispatch
    """The first of those that the other server made anew."""
    back: tuple[Participant, ...]
    """Those who joined anew, in that order: agents and callers."""
    evidence: tuple[Step, ...]


def taken_over(timeline: Timeline) -> TakenOver | None:
    """How that shows: dispatches are made anew, and at once somebody joins whom no webhook reported to leave before.

    Measured on two livekit-server 1.13.5 with Redis, one of them killed: the room keeps its SID and its dispatches, and
    as soon as the first comes back they are made anew, which the API shows as explicit, and bring agents beside those
    that reconnect. Who dispatches an agent because somebody joined does so after that, not before.
    """
    if "webhook" not in witnesses_of(timeline):
        return None  # nobody would have reported who left
    back = sorted(_joined_anew(timeline), key=lambda found: found[1].time)
    for _, joining in back:
        anew = next(_dispatched_anew(timeline, joining), None)
        if anew:
            dispatch, created = anew
            after = [(one, at) for one, at in back if at.time >= joining.time]
            lost = [
                step
                for job in timeline.jobs
                for one in interruptions(job)
                for step in (one.began, one.ended)
                if step and abs(step.time - joining.time) < AROUND
            ]
            evidence = sorted([created, *lost, *(at for _, at in after)], key=lambda step: step.time)
            return TakenOver(dispatch, tuple(one for one, _ in after), tuple(evidence))
    return None


def _joined_anew(timeline: Timeline) -> Iterator[tuple[Participant, Step]]:
    """Those who were there before, by their identity, and whom no webhook reported to leave then."""
    before: dict[str, Participant] = {}
    for who in sorted(timeline.participants, key=lambda one: one.steps[0].time):
        joining, was = who.at(Kind.PARTICIPANT_JOINING), before.get(who.identity or "")
        was_there = was and was.at(Kind.PARTICIPANT_ACTIVE, Kind.PARTICIPANT_JOINED)
        if joining and was and was_there and not (was.gone and "webhook" in was.gone.witnesses):
            yield who, joining
        if who.identity:
            before[who.identity] = who


def _dispatched_anew(timeline: Timeline, joining: Step) -> Iterator[tuple[Dispatch, Step]]:
    """Dispatches that were made just before somebody joined, of agents that were dispatched before."""
    names: set[str | None] = set()
    for dispatch in timeline.dispatches:
        created = dispatch.at(Kind.DISPATCH_CREATED)
        if created and joining.time - BEFORE < created.time <= joining.latest and dispatch.agent_name in names:
            yield dispatch, created
        names.add(dispatch.agent_name)
