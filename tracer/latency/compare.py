"""Two rooms, gap by gap; or a room against many. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.latency.gaps import advice
from tracer.latency.stats import CALLER_WAITED, PERCENTILES, WHOLE, percentile
from tracer.latency.summary import ARROW
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.latency.stats import Figures
    from tracer.latency.summary import JobSummary, Summary

__all__ = ["Comparison", "Difference", "against", "between"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One gap in both."""

    name: str
    owner: str
    """Who spends it; empty for sums."""
    first: int | None
    """ns; None where this one has no such gap, or it is not known."""
    second: int | None
    """ns; of many, their median."""
    ns: int | None
    """How much longer the first took, ns; what one of them lacks took no time there. None where that is not known."""
    high: int | None = None
    """ns, of many: their p95; None where they are too few, or where it is one that is compared with."""

    @property
    def advice(self) -> str:
        """What can be done where it is longer in the first; empty where nothing can, or it is not."""
        longer = self.owner and self.ns is not None and self.ns > 0
        return advice(self.owner, Kind(self.name.partition(ARROW)[2])) if longer else ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, the most first; the sums apart."""

    gaps: tuple[Difference, ...]
    sums: tuple[Difference, ...]
    counted: tuple[str, str]
    """How each counts: a value of ``Counted``; of many, how many jobs they are."""
    agents: tuple[str | None, str | None]
    """Of which agent name the job is that is compared; None where there is none."""
    only_first: tuple[str, ...] = ()
    """Names of causes found only in the first."""
    only_second: tuple[str, ...] = ()


def between(first: Summary, second: Summary) -> Comparison:
    """Two rooms: a job of each, of the same agent name where there is one."""
    names = {job.agent_name for job in second.jobs if job.gaps}
    one = _job(first, names)
    two = _job(second, {one.agent_name} if one else set())
    mine, other = _gaps(one), _gaps(two)
    found = []
    for key in {**mine, **other}:
        a, b = mine.get(key), other.get(key)
        # A way is known from end to end: what is not on it took no time.
        known = mine and other and (a is not None or key not in mine) and (b is not None or key not in other)
        found.append(Difference(*key, a, b, (a or 0) - (b or 0) if known else None))
    return _in_order(
        found,
        (one.counted if one else first.counted, two.counted if two else second.counted),
        (one.agent_name if one else None, two.agent_name if two else None),
        tuple(name for name in first.causes if name not in second.causes),
        tuple(name for name in second.causes if name not in first.causes),
    )


def against(first: Summary, figures: Figures) -> Comparison:
    """A room against the median, and the p95, of the jobs of the same agent name."""
    job = _job(first, {agent.name for agent in figures.agents if agent.jobs})
    mine = _gaps(job)
    many = next((agent for agent in figures.agents if job and agent.name == job.agent_name), None)
    jobs = many.jobs if many else 0
    stages = {(stage.name, stage.owner): stage for stage in many.stages} if many else {}
    found = []
    for key in {**mine, **stages}:
        stage = stages.get(key)
        of = many.known(*key) if many else 0  # of the others it is not known whether this took long
        enough = percentile(range(of), PERCENTILES[0]) is not None
        usual = stage is not None and stage.count * 2 > of
        if key not in mine and not usual:
            continue  # a way that few take, and this one did not
        # What most of them lack took, of the median job, no time.
        median, high, _ = stage.percentiles if stage and usual else (None,) * len(PERCENTILES)
        a = mine.get(key)
        known = mine and enough and (a is not None or key not in mine) and (median is not None or not usual)
        found.append(Difference(*key, a, median, (a or 0) - (median or 0) if known else None, high))
    counted = job.counted if job else first.counted, f"{jobs} job{'' if jobs == 1 else 's'} measured"
    return _in_order(found, counted, (job.agent_name if job else None,) * 2, first.causes, ())


def _job(summary: Summary, names: set[str]) -> JobSummary | None:
    """The job that a room is compared by: of these agent names, if any was measured, or else the first."""
    measured = [job for job in summary.jobs if job.gaps]
    return next(iter([job for job in measured if job.agent_name in names] or measured or summary.jobs), None)


def _gaps(job: JobSummary | None) -> dict[tuple[str, str], int | None]:
    """The gaps and sums of a job that was measured; empty for any other."""
    if job is None or not job.gaps:
        return {}
    return {(what, owner): ns for what, owner, ns in job.gaps} | {
        (WHOLE, ""): job.whole,
        (CALLER_WAITED, ""): job.caller_waited,
    }


def _in_order(
    found: list[Difference],
    counted: tuple[str, str],
    agents: tuple[str | None, str | None],
    only_first: tuple[str, ...],
    only_second: tuple[str, ...],
) -> Comparison:
    found.sort(key=lambda one: (one.ns is None, -abs(one.ns or 0)))
    sums = tuple(one for one in found if not one.owner and (one.first, one.second) != (None, None))
    return Comparison(tuple(one for one in found if one.owner), sums, counted, agents, only_first, only_second)
