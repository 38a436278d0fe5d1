"""A step: the moments of one kind and subject, merged over all witnesses."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.moment import Tie
from tracer.units import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Fact, Kind, Moment

    StepKey = tuple[Kind, str, str]

__all__ = ["Step", "merge"]


ARRIVES_WITHIN = 5 * NS_PER_MS
"""A webhook of a server nearby arrives this soon after what it reports, ns: 1 to 3 ms were measured."""


@dataclass(frozen=True, slots=True)
class Step:
    """Moments of one kind and subject, merged: the interval they have in common, and their sources."""

    kind: Kind
    subject: str
    occurrence: str
    earliest: int
    """ns since the epoch, as are the other times."""
    latest: int
    time: int
    """Most likely time, within the interval."""
    clock: str
    """Whose clock ``time`` is from: that of the witness that is likely to be the least off."""
    witnesses: tuple[str, ...]
    facts: dict[str, Fact]
    contradicted: bool
    """The witnesses have no instant in common: clock skew, or a witness is wrong. The interval is then that of the
    one witness whose time is taken; it is never an average."""
    moments: tuple[Moment, ...] = ()
    """What each witness reported, unchanged, in order of time."""

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
    groups: dict[tuple[Kind, str, str], set[Moment]] = defaultdict(set)
    for moment in moments:
        groups[moment.kind, moment.subject, moment.occurrence].add(moment)
    return [_merge_one(groups[key]) for key in sorted(groups)]


def _doubt(moment: Moment) -> tuple[int, int, int, int, str, str]:
    """Order of trust in ``time``: how far off it is likely to be; the rest only makes the choice the same everywhere.

    A webhook's interval can be a second wide, and still its arrival, when it was not late, is a few ms after its cause.
    """
    arrived = moment.clock == "receiver" and moment.time == moment.latest
    likely = min(moment.width, ARRIVES_WITHIN) if arrived else moment.width // 2
    return (likely, moment.width, moment.time, moment.earliest, moment.witness, moment.clock)


def _of_one(moment: Moment) -> Step:
    """What most steps are: what one witness reported once."""
    return Step(
        kind=moment.kind,
        subject=moment.subject,
        occurrence=moment.occurrence,
        earliest=moment.earliest,
        latest=moment.latest,
        time=min(max(moment.time, moment.earliest), moment.latest),
        clock=moment.clock,
        witnesses=(moment.witness,),
        facts=dict(moment.facts),
        contradicted=moment.earliest > moment.latest,
        moments=(moment,),
    )


def _merge_one(moments: set[Moment]) -> Step:
    if len(moments) == 1:
        return _of_one(*moments)
    best = min(moments, key=_doubt)
    earliest = max(moment.earliest for moment in moments)
    latest = min(moment.latest for moment in moments)
    contradicted = earliest > latest
    if contradicted:
        earliest, latest = best.earliest, best.latest
    known: dict[str, Fact] = {}
    ordered = tuple(sorted(moments, key=lambda m: (m.time, m.witness, Tie(m))))
    for moment in ordered:
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
        moments=ordered,
    )
