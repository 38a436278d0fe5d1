"""What a pair of steps is called in a sentence. Text from outside is left as it came: a view makes it harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.clocks.offsets import SERVER
from tracer.timeline.entities import Dispatch, Job, Participant, Room, Track
from tracer.units import NS_PER_MS, NS_PER_S, milliseconds, rfc3339

if TYPE_CHECKING:
    from tracer.clocks.offsets import Apart, Clocks
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["accounts", "did", "length", "name", "sentence", "uncertainty"]


def name(timeline: Timeline, sid: str) -> str:
    """What a subject is called: what it is and its id, or who it is."""
    life = timeline.by_sid.get(sid)
    match life:
        case Room():
            return "the room"
        case Participant():
            return life.identity or f"participant {sid}"
        case Track():
            return f"{name(timeline, life.participant)}'s track {sid}" if life.participant else f"track {sid}"
        case Dispatch():
            return f"dispatch {sid}"
        case Job():
            return f"job {sid}"
        case _:
            return sid


def did(step: Step) -> str:
    """What happened to its subject."""
    return step.kind.info.verb


def sentence(timeline: Timeline, cause: Step, effect: Step, apart: Apart) -> str:
    """How long after the one step the other came; where that was not measured, by the clocks as they are."""
    same = cause.subject == effect.subject and not isinstance(timeline.by_sid.get(cause.subject), Participant)
    first = "it" if same else name(timeline, cause.subject)
    raw = effect.time - cause.time
    unknown = apart.least is None or apart.most is None
    between = f"{length(raw)} {_side(raw)}" if unknown else _between(apart.least or 0, apart.most or 0)
    said = f"{name(timeline, effect.subject)} {did(effect)} {between} {first} {did(cause)}"
    return f"{said}, each by its own clock" if unknown else said


def _between(least: int, most: int) -> str:
    if _side(least) == _side(most):
        near, far = sorted((abs(least), abs(most)))
        between = f"between {length(near)} and {length(far)}" if length(near) != length(far) else length(near)
        return f"{between} {_side(least)}"
    return f"between {length(least)} before and {length(most)} after"


def _side(ns: int) -> str:
    return "before" if ns < 0 else "after"


def length(ns: int) -> str:
    """A length of time without its sign, to the ms also where it is long."""
    ns = abs(ns)
    if ns < NS_PER_MS / 20:
        return f"{ns / 1000:.1f} µs"
    return milliseconds(ns / NS_PER_MS) if ns < 10 * NS_PER_S else f"{ns / NS_PER_S:,.3f} s"


def uncertainty(apart: Apart, clocks: Clocks, cause: Step, effect: Step) -> str:
    """Why the order of two steps cannot be told."""
    told_by = sorted(clocks.clocks_of(cause, effect) - {SERVER})
    unknown = [clock for clock in told_by if not clocks.offsets[clock].bounded]
    if unknown and (apart.least is None or apart.most is None):
        how = "contradicts itself" if clocks.offsets[unknown[0]].contradictory else "is not bounded"
        return f"how far the clock of the {unknown[0]} is ahead of the server's {how}"
    if apart.least is None or apart.most is None:
        return "no clock told both to the side that counts"
    return f"the times overlap: what is between them is told to {length(apart.most - apart.least)}"


def accounts(step: Step) -> str:
    """What each witness said of a step, as it said it."""
    told = (
        f"{moment.witness} by the {moment.clock}'s clock: {rfc3339(moment.earliest)} … {rfc3339(moment.latest)}"
        for moment in step.told
    )
    return f"{step.kind} {step.subject}: {'; '.join(told)}"
