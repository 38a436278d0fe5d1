"""Figures over many rooms: how long each gap takes, and how often each cause is met. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tracer.latency.owner import Owner, advice
from tracer.latency.shorten import is_worth_it
from tracer.latency.summary import ARROW, Counted
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracer.latency.summary import Summary

__all__ = ["CALLER_WAITED", "PERCENTILES", "WHOLE", "AgentFigures", "Figures", "GapFigures", "figures", "percentile"]

PERCENTILES = (50, 95, 99)
"""Those that are given."""
WHOLE = "first cause → agent ready"
"""Name of all gaps of a job together."""
CALLER_WAITED = "caller ACTIVE → agent ready"
"""Name of the time that a caller waits for an agent."""


@dataclass(frozen=True, slots=True)
class GapFigures:
    """One gap over many rooms."""

    name: str
    """From which kind to which, or ``WHOLE`` or ``CALLER_WAITED``."""
    owner: Owner | None
    """Who spends it; None for the two sums, which several do."""
    count: int
    percentiles: tuple[int | None, ...]
    """ns, one for each of ``PERCENTILES``; None where there are too few rooms for it."""
    most: int
    """The longest of all, ns."""
    is_node: bool = False
    """Whether all measured jobs of its agent's name are of agents in Node."""

    @property
    def advice(self) -> str:
        """What can be done about it; empty where nothing can."""
        return advice(self.owner, Kind(self.name.partition(ARROW)[2]), is_node=self.is_node) if self.owner else ""


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """The jobs of one agent name."""

    name: str
    jobs: int
    """How many were measured, those with clock skew included."""
    counted: dict[Counted, int]
    """How many jobs, or rooms to which none came, of each other ``Counted`` there are."""
    stages: tuple[GapFigures, ...]
    """In the order of a job's path, the two sums last."""
    unknown: dict[tuple[str, Owner | None], int] = field(default_factory=dict)
    """Of how many measured jobs the length of a gap or sum, by name and owner, is not known."""

    def known(self, name: str, owner: Owner | None) -> int:
        """Of how many measured jobs it is known how long this took, if it was on their path at all."""
        return self.jobs - self.unknown.get((name, owner), 0)

    @property
    def longest_of_yours(self) -> GapFigures | None:
        """The gap of most jobs whose median is the longest of those that the user can do something about.

        None where it is not worth it, or the median caller did not wait.
        """
        waited, whole = self._median(CALLER_WAITED), self._median(WHOLE)
        usual = [
            stage for stage in self.stages if stage.advice and stage.count * 2 > self.known(stage.name, stage.owner)
        ]
        found = max(usual, key=lambda stage: stage.percentiles[0] or 0, default=None)
        if found is None or waited == 0 or not is_worth_it(found.percentiles[0] or 0, whole or 0):
            return None
        return found

    def _median(self, name: str) -> int | None:
        """Of a sum, ns; None where it is not known."""
        return next((stage.percentiles[0] for stage in self.stages if stage.name == name), None)


@dataclass(frozen=True, slots=True)
class Figures:
    """All of it."""

    rooms: int
    over: int
    """Of how many of them it is known what went wrong: those that are over and readable."""
    counted: dict[Counted, int]
    """How many rooms of each ``Counted``."""
    agents: tuple[AgentFigures, ...]
    causes: tuple[tuple[str, int], ...]
    """For each cause in how many rooms it was found, most often first."""

    @property
    def label(self) -> str:
        """Which rooms they are of: the latest, as many as there were and not as many as were asked for."""
        return f"the latest {self.rooms:,} rooms" if self.rooms > 1 else "the latest room"


def percentile(values: Sequence[int], per_cent: int) -> int | None:
    """The smallest value that so many per cent do not exceed; None where they are too few for one to lie beyond it.

    ``values`` are in order. With fewer than 2 values there is no median, with fewer than 20 no p95, than 100 no p99.
    """
    if len(values) * (100 - per_cent) < 100:
        return None
    return values[math.ceil(len(values) * per_cent / 100) - 1]


def figures(summaries: Iterable[Summary]) -> Figures:
    """The figures over these rooms."""
    counted, causes = Counter[Counted](), Counter[str]()
    values: dict[str, dict[tuple[str, Owner | None], list[int]]] = defaultdict(lambda: defaultdict(list))
    unknown: dict[str, Counter[tuple[str, Owner | None]]] = defaultdict(Counter)
    jobs: dict[str, Counter[Counted]] = defaultdict(Counter)
    not_node: set[str] = set()
    for summary in summaries:
        counted[summary.counted] += 1
        causes.update(summary.causes)
        for name, how in summary.outcomes():
            jobs[name][how] += 1
        for name, _, gaps, whole, waited, is_node in summary.jobs:
            if gaps and not is_node:
                not_node.add(name)
            mine = values[name]
            for what, owner, ns in (*gaps, (WHOLE, None, whole), (CALLER_WAITED, None, waited)):
                if ns is not None:
                    mine[what, owner].append(ns)
                elif gaps:
                    unknown[name][what, owner] += 1
    return Figures(
        counted.total(),
        counted.total() - counted[Counted.OPEN] - counted[Counted.UNREADABLE],
        {how: counted[how] for how in Counted if counted[how]},
        tuple(_agent(name, jobs[name], values[name], unknown[name], name not in not_node) for name in sorted(jobs)),
        tuple(sorted(causes.items(), key=lambda item: (-item[1], item[0]))),
    )


def _agent(
    name: str,
    counted: Counter[Counted],
    values: dict[tuple[str, Owner | None], list[int]],
    unknown: Counter[tuple[str, Owner | None]],
    is_node: bool,
) -> AgentFigures:
    stages = sorted((_stage(what, owner, found, is_node) for (what, owner), found in values.items()), key=_place)
    others: dict[Counted, int] = {how: counted[how] for how in Counted if counted[how] and how is not Counted.MEASURED}
    return AgentFigures(
        name, counted[Counted.MEASURED] + counted[Counted.CLOCK_SKEW], others, tuple(stages), dict(unknown)
    )


def _stage(what: str, owner: Owner | None, values: list[int], is_node: bool) -> GapFigures:
    values.sort()
    return GapFigures(what, owner, len(values), tuple(percentile(values, p) for p in PERCENTILES), values[-1], is_node)


_OWNERS = {owner: number for number, owner in enumerate(Owner)}
_COMING = {Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE, Kind.TRACK_PUBLISHED}
"""What the agent waits for while it waits for its caller."""


def _place(stage: GapFigures) -> tuple[int, int, int, int, int]:
    """Where a stage stands on a job's path; the sums come last."""
    if stage.owner is None:
        return (1, [WHOLE, CALLER_WAITED].index(stage.name), 0, 0, 0)
    start, end = map(Kind, stage.name.split(ARROW))
    place = (Kind.AGENT_WAITING_FOR_PARTICIPANT.rank, end.rank) if end in _COMING else (end.rank, 0)
    if start is Kind.AGENT_CONNECTING:
        place = (Kind.AGENT_CONNECTED.rank, -1)  # until JOINING, which is not the caller's
    return (0, *place, start.rank, _OWNERS[stage.owner])
