"""Figures over many rooms: how long each gap takes, and how often each cause is met. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.gaps import Owner
from tracer.moment import Kind
from tracer.summary import ARROW, Counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracer.summary import Summary

__all__ = ["CALLER_WAITED", "PERCENTILES", "WHOLE", "Agent", "Figures", "Stage", "figures", "percentile"]

PERCENTILES = (50, 95, 99)
WHOLE = "first cause → agent ready"
CALLER_WAITED = "caller ACTIVE → agent ready"


@dataclass(frozen=True, slots=True)
class Stage:
    """One gap over many rooms."""

    name: str
    """From which kind to which, or ``WHOLE`` or ``CALLER_WAITED``."""
    owner: str
    """Who spends it; empty for the two that several do."""
    count: int
    percentiles: tuple[int | None, ...]
    """ns, one for each of ``PERCENTILES``; None where there are too few rooms for it."""
    most: int
    """ns."""


@dataclass(frozen=True, slots=True)
class Agent:
    """The jobs of one agent name."""

    name: str
    jobs: int
    """How many were measured."""
    uncounted: dict[str, int]
    """How many were not, and why: a value of ``Counted``."""
    stages: tuple[Stage, ...]
    """In the order of a job's way, the two sums last."""


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it."""

    rooms: int
    counted: dict[str, int]
    """How many rooms of each ``Counted``."""
    agents: tuple[Agent, ...]
    causes: tuple[tuple[str, int], ...]
    """For each cause in how many rooms it was found, most often first."""


def percentile(values: Sequence[int], per_cent: int) -> int | None:
    """The smallest value that so many per cent do not exceed; None where none at all would lie above it.

    ``values`` are in order. With fewer than 2 values there is no median, with fewer than 20 no p95, than 100 no p99.
    """
    if len(values) * (100 - per_cent) < 100:
        return None
    return values[math.ceil(len(values) * per_cent / 100) - 1]


def figures(summaries: Iterable[Summary]) -> Figures:
    """The figures over these rooms."""
    rooms, counted, causes = 0, Counter[str](), Counter[str]()
    values: dict[str, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(list))
    jobs: dict[str, Counter[str]] = defaultdict(Counter)
    for summary in summaries:
        rooms += 1
        counted[summary.counted] += 1
        causes.update(summary.causes)
        for name in summary.agent_names:
            jobs[name].update(())
            if summary.counted in (Counted.OPEN, Counted.WITHOUT):
                jobs[name][summary.counted] += 1
        if summary.counted == Counted.OPEN:
            continue  # its gaps are not known to the end
        for job in summary.jobs:
            jobs[job.agent_name][job.counted] += 1
            if job.counted != Counted.MEASURED:
                continue
            mine = values[job.agent_name]
            for what, owner, ns in job.gaps:
                mine[what, owner].append(ns)
            if job.whole is not None:
                mine[WHOLE, ""].append(job.whole)
            if job.caller_waited is not None:
                mine[CALLER_WAITED, ""].append(job.caller_waited)
    agents = tuple(_agent(name, jobs[name], values[name]) for name in sorted(jobs))
    return Figures(rooms, dict(counted), agents, tuple(sorted(causes.items(), key=lambda item: (-item[1], item[0]))))


def _agent(name: str, counted: Counter[str], values: dict[tuple[str, str], list[int]]) -> Agent:
    stages = sorted((_stage(what, owner, found) for (what, owner), found in values.items()), key=_place)
    uncounted = {why: number for why, number in counted.items() if why != Counted.MEASURED}
    return Agent(name, counted[Counted.MEASURED], uncounted, tuple(stages))


def _stage(what: str, owner: str, values: list[int]) -> Stage:
    values.sort()
    return Stage(what, owner, len(values), tuple(percentile(values, p) for p in PERCENTILES), values[-1])


_OWNERS = {owner.value: number for number, owner in enumerate(Owner)}


def _place(stage: Stage) -> tuple[int, int, int, str]:
    """Where a stage stands in a job's way."""
    if stage.name in (WHOLE, CALLER_WAITED):
        return (1, int(stage.name == CALLER_WAITED), 0, stage.name)
    start, _, end = stage.name.partition(ARROW)
    return (0, Kind(end).rank, Kind(start).rank, f"{_OWNERS.get(stage.owner, 99):02}")
