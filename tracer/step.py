"""What all witnesses together say of one step."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Fact, Kind, Moment

__all__ = ["Step", "merge"]


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
    """Whose clock told ``time``: that of the witness with the narrowest interval."""
    witnesses: tuple[str, ...]
    facts: dict[str, Fact]
    contradicted: bool
    """The witnesses have no instant in common: a clock is off or a witness wrong. The interval is then the
    narrowest witness's own; it is never an average."""

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


def _precision(moment: Moment) -> tuple[int, int, int, str, str]:
    """Order of trust: the narrowest interval first; the rest only makes the choice the same everywhere."""
    return (moment.width, moment.time, moment.earliest, moment.witness, moment.clock)


def _merge_one(moments: set[Moment]) -> Step:
    best = min(moments, key=_precision)
    earliest = max(moment.earliest for moment in moments)
    latest = min(moment.latest for moment in moments)
    contradicted = earliest > latest
    if contradicted:
        earliest, latest = best.earliest, best.latest
    known: dict[str, Fact] = {}
    for moment in sorted(moments, key=lambda m: (m.time, m.witness, repr(m.facts))):
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
    )
