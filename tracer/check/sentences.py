"""Steps, their order and clock skew in sentences. Text from outside is left as it came: a view makes it harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.clocks.offsets import SERVER
from tracer.timeline.entities import Dispatch, Job, Participant, Room, Track
from tracer.units import NS_PER_MS, NS_PER_S, milliseconds, rfc3339

if TYPE_CHECKING:
    from tracer.clocks.offsets import Apart, Clocks, Offset
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["happened", "imprecision", "length", "name", "reports", "sentence", "skew"]


def name(timeline: Timeline, sid: str) -> str:
    """What a subject is called: what it is and its id, or who it is."""
    entity = timeline.by_sid.get(sid)
    match entity:
        case Room():
            return "the room"
        case Participant():
            return entity.identity or f"participant {sid}"
        case Track():
            return f"{name(timeline, entity.participant)}'s track {sid}" if entity.participant else f"track {sid}"
        case Dispatch():
            return f"dispatch {sid}"
        case Job():
            return f"job {sid}"
        case _:
            return sid


def happened(timeline: Timeline, step: Step) -> str:
    """What happened to what: ``job AJ_… was offered``."""
    return f"{name(timeline, step.subject)} {step.kind.info.verb}"


def sentence(timeline: Timeline, cause: Step, effect: Step, apart: Apart) -> str:
    """How long after the one step the other came; where that was not measured, by each clock as it is."""
    same = cause.subject == effect.subject and not isinstance(timeline.by_sid.get(cause.subject), Participant)
    first = "it" if same else name(timeline, cause.subject)
    raw = effect.time - cause.time
    unknown = apart.least is None or apart.most is None
    between = f"{length(raw)} {_side(raw)}" if unknown else _between(apart.least or 0, apart.most or 0)
    whole = f"{happened(timeline, effect)} {between} {first} {cause.kind.info.verb}"
    return f"{whole}, each by its own clock" if unknown else whole


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


def imprecision(apart: Apart, clocks: Clocks, cause: Step, effect: Step) -> str:
    """Why the order of two steps is not known."""
    if apart.least is not None and apart.most is not None:
        return f"the times overlap: the time between them is known only to within {length(apart.most - apart.least)}"
    others = sorted(clocks.clocks_of(cause, effect) - {SERVER})
    unknown = [clock for clock in others if not clocks.offsets[clock].bounded]
    if not unknown:
        return "no clock bounds both of them"
    if clocks.offsets[unknown[0]].contradictory:
        return f"the clock skew of the {unknown[0]} is contradictory"
    return f"the clock skew of the {unknown[0]} is unknown"


def skew(offset: Offset) -> str:
    """How far a clock is ahead of the server's, or behind it."""
    match offset.least, offset.most:
        case None, None:
            return "not bounded"
        case int(least), None:
            return _at_least(least)
        case None, int(most):
            return _at_most(most)
        case int(least), int(most) if least > most:
            return f"{_at_least(least)} and {_at_most(most)}: contradictory"
        case int(least), int(most) if _ahead(least) == _ahead(most):
            return _ahead(least)
        case int(least), int(most) if (least < 0) == (most < 0):
            near, far = sorted((least, most), key=abs)
            return f"between {length(near)} and {_ahead(far)}"
        case least, most:
            return f"between {_ahead(least or 0)} and {_ahead(most or 0)}"


def _ahead(ns: int) -> str:
    """A place on the scale from behind to ahead; a negative one is behind."""
    return f"{length(ns)} {'behind' if ns < 0 else 'ahead'}"


def _at_least(ns: int) -> str:
    """Ahead by this, ns, or by more."""
    return f"at {'most' if ns < 0 else 'least'} {_ahead(ns)}"


def _at_most(ns: int) -> str:
    """Ahead by this, ns, or by less."""
    return f"at {'least' if ns < 0 else 'most'} {_ahead(ns)}"


def reports(step: Step) -> str:
    """What each witness reported of a step, as it did."""
    by_witness = (
        f"{moment.witness} by the {moment.clock}'s clock: {rfc3339(moment.earliest)} … {rfc3339(moment.latest)}"
        for moment in step.moments
    )
    return f"{step.kind} {step.subject}: {'; '.join(by_witness)}"
