"""Two rooms, gap by gap; or a room against many. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.labelled import Labelled
from tracer.latency.owner import Owner, advice
from tracer.latency.stats import CALLER_WAITED, PERCENTILES, WHOLE, percentile
from tracer.latency.summary import ARROW
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.latency.stats import AgentFigures, Figures
    from tracer.latency.summary import Counted, JobSummary, Summary

    Key = tuple[str, Owner | None]
    """A gap or sum: its name, and who spends it."""

__all__ = ["Comparison", "Difference", "GapState", "Length", "against", "between"]


class GapState(Labelled):
    """What is known of how long a gap took."""

    MEASURED = "measured", "measured"
    ABSENT = "absent", "absent"
    """The path is known and has no such gap: it took no time."""
    UNKNOWN = "unknown", "unknown"
    """No path was measured, its clocks are apart, or there are too few jobs for a median."""


@dataclass(frozen=True, slots=True)
class Length:
    """How long a gap took in one room, or in the median of many."""

    state: GapState
    ns: int | None = None
    """Its length; None unless it was measured."""
    high: int | None = None
    """ns, of many: their p95; None where they are too few, or where it is one room."""

    @property
    def spent(self) -> int | None:
        """The time it took, ns: none where it is absent; None where that is unknown."""
        return 0 if self.state is GapState.ABSENT else self.ns


ABSENT = Length(GapState.ABSENT)
UNKNOWN = Length(GapState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Difference:
    """One gap in both."""

    name: str
    owner: Owner | None
    """Who spends it; None for sums."""
    first: Length
    second: Length
    is_node: bool = False
    """Whether the agent of the first is one in Node."""

    @property
    def ns(self) -> int | None:
        """How much longer the first took, ns; None where one of them is unknown."""
        one, other = self.first.spent, self.second.spent
        return None if one is None or other is None else one - other

    @property
    def advice(self) -> str:
        """What can be done where it is longer in the first; empty where nothing can, or it is not."""
        if self.owner is None or self.ns is None or self.ns <= 0:
            return ""
        return advice(self.owner, Kind(self.name.partition(ARROW)[2]), is_node=self.is_node)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, the most first; the sums apart."""

    gaps: tuple[Difference, ...]
    sums: tuple[Difference, ...]
    counted: tuple[Counted, Counted | None]
    """How each counts; None for many."""
    agents: tuple[str | None, str | None]
    """Of which agent name the job is that is compared; None where there is none."""
    jobs: int | None = None
    """Of many: how many measured jobs they are. None where it is one room."""
    only_first: tuple[str, ...] = ()
    """Names of causes found only in the first."""
    only_second: tuple[str, ...] = ()


def between(first: Summary, second: Summary) -> Comparison:
    """Two rooms: a job of each, of the same agent name where there is one."""
    one = _job(first, {job.agent_name for job in second.jobs if job.gaps})
    two = _job(second, {one.agent_name} if one else set())
    mine, other = _lengths(one), _lengths(two)
    found = [
        Difference(*key, _of(mine, key), _of(other, key), bool(one and one.is_node))
        for key in dict.fromkeys([*(mine or {}), *(other or {})])
    ]
    gaps, sums = _in_order(found)
    return Comparison(
        gaps,
        sums,
        (one.counted if one else first.counted, two.counted if two else second.counted),
        (one.agent_name if one else None, two.agent_name if two else None),
        only_first=tuple(name for name in first.causes if name not in second.causes),
        only_second=tuple(name for name in second.causes if name not in first.causes),
    )


def against(first: Summary, figures: Figures) -> Comparison:
    """A room against the median, and the p95, of the jobs of the same agent name."""
    job = _job(first, {agent.name for agent in figures.agents if agent.jobs})
    mine = _lengths(job)
    many = next((agent for agent in figures.agents if job and agent.name == job.agent_name), None)
    theirs = [(stage.name, stage.owner) for stage in many.stages] if many else []
    found = []
    for key in dict.fromkeys([*(mine or {}), *theirs]):
        median = _median(many, key)
        if (mine and key in mine) or median.state is not GapState.ABSENT:  # else few have it, and this one has not
            found.append(Difference(*key, _of(mine, key), median, bool(job and job.is_node)))
    gaps, sums = _in_order(found)
    name = job.agent_name if job else None
    counted = job.counted if job else first.counted
    return Comparison(gaps, sums, (counted, None), (name, name), jobs=many.jobs if many else 0, only_first=first.causes)


def _job(summary: Summary, names: set[str]) -> JobSummary | None:
    """The job that a room is compared by: of these agent names, if any was measured, or else the first."""
    measured = [job for job in summary.jobs if job.gaps]
    return next(iter([job for job in measured if job.agent_name in names] or measured or summary.jobs), None)


def _lengths(job: JobSummary | None) -> dict[Key, int | None] | None:
    """The gaps and sums on a job's path, ns, None where clocks are apart; None where no path was measured."""
    if job is None or not job.gaps:
        return None
    gaps: dict[Key, int | None] = {(what, owner): ns for what, owner, ns in job.gaps}
    return gaps | {(WHOLE, None): job.whole, (CALLER_WAITED, None): job.caller_waited}


def _of(lengths: dict[Key, int | None] | None, key: Key) -> Length:
    """A gap in one room. A path is known from end to end: what is not on it took no time."""
    if lengths is None:
        return UNKNOWN
    if key not in lengths:
        return ABSENT
    ns = lengths[key]
    return UNKNOWN if ns is None else Length(GapState.MEASURED, ns)


def _median(many: AgentFigures | None, key: Key) -> Length:
    """A gap in the median of many jobs: absent where most of them lack it."""
    known = many.known(*key) if many else 0  # of the others it is not known whether this took long
    if many is None or percentile(range(known), PERCENTILES[0]) is None:
        return UNKNOWN
    stage = next((one for one in many.stages if (one.name, one.owner) == key), None)
    if stage is None or stage.count * 2 <= known:
        return ABSENT
    median, high, _ = stage.percentiles
    return UNKNOWN if median is None else Length(GapState.MEASURED, median, high)


def _in_order(found: list[Difference]) -> tuple[tuple[Difference, ...], tuple[Difference, ...]]:
    """The gaps, what differs most first, and the sums of which either is known."""
    found.sort(key=lambda one: (one.ns is None, -abs(one.ns or 0)))
    sums = [one for one in found if one.owner is None and (one.first.ns, one.second.ns) != (None, None)]
    return tuple(one for one in found if one.owner), tuple(sums)
