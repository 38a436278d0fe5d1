"""What all witnesses together say of one step."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.units import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Fact, Kind, Moment

    StepKey = tuple[Kind, str, str]

__all__ = ["Step", "merge"]


ARRIVES_WITHIN = 5 * NS_PER_MS
"""A webhook of a server nearby arrives this soon after what it tells, ns: 1 to 3 ms were measured."""


@dataclass(frozen=True, slots=True)
class Step:
    """Moments of one kind and subject, merged: the interval they have in common, and who told them."""

    kind: Kind
    subject: str
    occurrence: str
    earliest: int
    """ns since the epoch, as are the other times."""
    latest: int
    time: int
    """Most likely time, within the interval."""
    clock: str
    """Whose clock told ``time``: that of the witness who is likely to be the least off."""
    witnesses: tuple[str, ...]
    facts: dict[str, Fact]
    contradicted: bool
    """The witnesses have no instant in common: a clock is off or a witness wrong. The interval is then that of the
    one witness whose time is taken; it is never an average."""
    told: tuple[Moment, ...] = ()
    """What each witness said, as it said it, in order of time."""

    @property
    def key(self) -> StepKey:
        """What it is among all the steps of a room: its kind, subject and occurrence."""
        return self.kind, self.subject, self.occurrence

    @property
    def uncertainty(self) -> int:
        """Half the interval's length, ns: the time is this sure, give or take."""
        return (self.latest - self.earliest + 1) // 2


def merge(moments: Iterable[Moment]) -> list[Step]:
    """One step for each kind, subject and occurrence among the moments; in no order of time.

    Depends on the set of moments only: their order and repetition change nothing.
    """
    told: dict[tuple[Kind, str, str], set[Moment]] = defaultdict(set)
    for moment in moments:
        told[moment.kind, moment.subject, moment.occurrence].add(moment)
    return [_merge_one(told[key]) for key in sorted(told)]


def _doubt(moment: Moment) -> tuple[int, int, int, int, str, str]:
    """Order of trust in ``time``: how far off it is likely to be; the rest only makes the choice the same everywhere.

    A webhook's interval can be a second wide, and still its arrival, when it was not late, is a few ms after its cause.
    """
    arrived = moment.clock == "receiver" and moment.time == moment.latest
    likely = min(moment.width, ARRIVES_WITHIN) if arrived else moment.width // 2
    return (likely, moment.width, moment.time, moment.earliest, moment.witness, moment.clock)


def _merge_one(moments: set[Moment]) -> Step:
    best = min(moments, key=_doubt)
    earliest = max(moment.earliest for moment in moments)
    latest = min(moment.latest for moment in moments)
    contradicted = earliest > latest
    if contradicted:
        earliest, latest = best.earliest, best.latest
    known: dict[str, Fact] = {}
    told = tuple(sorted(moments, key=lambda m: (m.time, m.witness, repr(m))))
    for moment in told:
        known.update(moment.facts)
    return Step(
        kind=best.kind,
        subject=best.subject,
        occurrence=best.occurrence,
        earliest=earliest,
        latest=latest,
        time=min(max(best.time, earliest), latest),
        clock=best.clock,
        witnesses=tuple(sorted({moment.witness for moment in moments})),
        facts=known,
        contradicted=contradicted,
        told=told,
    )
