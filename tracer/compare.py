"""Two rooms, gap by gap; or a room against many. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.stats import CALLER_WAITED, PERCENTILES, WHOLE

if TYPE_CHECKING:
    from tracer.stats import Figures
    from tracer.summary import JobSummary, Summary

__all__ = ["Comparison", "Difference", "against", "between", "job_of"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One gap in both."""

    name: str
    owner: str
    """Who spends it; empty for sums."""
    first: int | None
    """ns; None where this one has no such gap."""
    second: int | None
    """ns; of many, their median."""
    high: int | None = None
    """ns, of many: their p95; None where they are too few, or where it is one that is compared with."""

    @property
    def ns(self) -> int:
        """How much longer the first took, ns; what one of them lacks counts whole."""
        return (self.first or 0) - (self.second or 0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs, the most first; the sums apart."""

    gaps: tuple[Difference, ...]
    sums: tuple[Difference, ...]
    only_first: tuple[str, ...] = ()
    """Names of causes found only in the first."""
    only_second: tuple[str, ...] = ()


def job_of(summary: Summary) -> JobSummary | None:
    """The job that a room is compared by: the first that was measured, or else the first."""
    measured = [job for job in summary.jobs if job.gaps]
    return next(iter(measured or summary.jobs), None)


def between(first: Summary, second: Summary) -> Comparison:
    """Two rooms."""
    one, two = _gaps(job_of(first)), _gaps(job_of(second))
    found = [Difference(what, owner, one.get((what, owner)), two.get((what, owner))) for what, owner in {**one, **two}]
    return _in_order(
        found,
        tuple(name for name in first.causes if name not in second.causes),
        tuple(name for name in second.causes if name not in first.causes),
    )


def against(first: Summary, figures: Figures) -> Comparison:
    """A room against the median, and the p95, of the jobs of the same agent name."""
    job = job_of(first)
    mine = _gaps(job)
    many = next((agent for agent in figures.agents if job and agent.name == job.agent_name), None)
    stages = {(stage.name, stage.owner): stage for stage in many.stages} if many else {}
    found = []
    for what, owner in {**mine, **dict.fromkeys(stages)}:
        stage = stages.get((what, owner))
        median, high, _ = stage.percentiles if stage else (None,) * len(PERCENTILES)
        if (what, owner) in mine or median is not None:
            found.append(Difference(what, owner, mine.get((what, owner)), median, high))
    return _in_order(found, first.causes, ())


def _gaps(job: JobSummary | None) -> dict[tuple[str, str], int]:
    if job is None:
        return {}
    known = {(what, owner): ns for what, owner, ns in job.gaps}
    sums = {(WHOLE, ""): job.whole, (CALLER_WAITED, ""): job.caller_waited}
    return known | {key: ns for key, ns in sums.items() if ns is not None}


def _in_order(found: list[Difference], only_first: tuple[str, ...], only_second: tuple[str, ...]) -> Comparison:
    found.sort(key=lambda one: (-abs(one.ns), one.name, one.owner))
    sums = tuple(one for one in found if not one.owner)
    return Comparison(tuple(one for one in found if one.owner), sums, only_first, only_second)
