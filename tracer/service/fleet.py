"""What came of the rooms that are over, for `/metrics`: counted when each is summed up, so that asking costs nothing.

The number of series is bounded, whatever agents are called: of so many names each has its own, all others share one.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.samples import Exemplar

from tracer.latency.summary import ARROW
from tracer.service.histogram import Histogram
from tracer.timeline.missing_jobs import dispatches_without_job
from tracer.units import NS_PER_S
from tracer.view.text import plain
from tracer.why import CAUSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from tracer.latency.summary import Summary
    from tracer.timeline.timeline import Timeline

__all__ = ["AGENT_NAME", "OTHER", "Fleet", "Names", "label"]

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)
"""The longest of each bucket, s: from a hand-over in a worker to a caller who has given up."""
MOST_NAMES = 50
"""Agent names that have series of their own."""
MOST_GAPS = 1000
"""Gaps of all agents that have; a job has a dozen."""
LONGEST = 100
"""Characters of a name."""
OTHER = "other"
"""All that have none."""
REMEMBERED = 20_000
"""Rooms that are not counted again when something is learnt of them later."""
AGENT_NAME = "lk_agent_name"
"""`lk.agent_name`, as OpenTelemetry writes an attribute's name for Prometheus."""
_SYMPTOMS = {cause.name: cause.symptom.value for cause in CAUSES}


class Fleet:
    """Counters and histograms since the start. Rooms come from one thread and are asked for in another."""

    def __init__(self, *, since: int = 0) -> None:
        """``since``: the number of the store's newest moment at the start. What was known by then was counted then."""
        self._since = since
        self._lock = threading.Lock()
        self._counted: OrderedDict[str, None] = OrderedDict()
        self._names = Names(MOST_NAMES)
        self._rooms = _Counts()
        self._jobs = _Counts()
        self._jobless = _Counts()
        self._causes = _Counts()
        self._gaps: dict[tuple[str, ...], Histogram] = {}
        self._ready: dict[tuple[str, ...], Histogram] = {}
        self._waited: dict[tuple[str, ...], Histogram] = {}

    def over(self, timeline: Timeline, summary: Summary, newest: int) -> None:
        """A room is over and settled, ``newest`` the number of its newest moment. Each room counts once."""
        room = timeline.room
        if newest <= self._since or not room.finished or room.sid in self._counted:
            return
        jobless = [dispatch.agent_name or "" for dispatch, _ in dispatches_without_job(timeline)]
        with self._lock:
            self._counted[room.sid] = None
            if len(self._counted) > REMEMBERED:
                self._counted.popitem(last=False)
            self._count(summary, jobless, timeline.trace_id)

    def _count(self, summary: Summary, jobless: list[str], trace: str) -> None:
        self._rooms.add(trace, summary.counted.value)
        for cause in summary.causes:
            self._causes.add(trace, cause, _SYMPTOMS.get(cause, OTHER))
        for name, counted in summary.outcomes():
            self._jobs.add(trace, self._names.of(name), counted.value)
        for name in jobless:
            self._jobless.add(trace, self._names.of(name))
        for job in summary.jobs:
            name = self._names.of(job.agent_name)
            for what, owner, ns in job.gaps:
                start, _, end = what.partition(ARROW)
                gap = name, start, end, owner.value
                if gap not in self._gaps and len(self._gaps) >= MOST_GAPS:
                    gap = OTHER, OTHER, OTHER, OTHER
                _add(self._gaps, gap, ns, trace)
            _add(self._ready, (name,), job.whole, trace)
            _add(self._waited, (name,), job.caller_waited, trace)

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks a collector."""
        with self._lock:
            yield self._rooms.family("tracer_rooms", "Rooms that are over, by what their figures rest on.", "counted")
            yield self._jobs.family(
                "tracer_jobs",
                "Jobs whose agent came, and agents that were asked for and did not come (counted=no_agent).",
                AGENT_NAME,
                "counted",
            )
            yield self._jobless.family(
                "tracer_dispatches_without_job", "Dispatches that should have brought a job, and did not.", AGENT_NAME
            )
            yield self._causes.family(
                "tracer_causes", "Rooms in which a cause was found, as tracer why names it.", "cause", "symptom"
            )
            yield _histograms(
                "tracer_gap",
                "The time between two moments on the way to a ready agent, and who spent it.",
                self._gaps,
                AGENT_NAME,
                "start",
                "end",
                "owner",
            )
            yield _histograms(
                "tracer_agent_ready",
                "From what first asked for an agent to its being ready.",
                self._ready,
                AGENT_NAME,
            )
            yield _histograms(
                "tracer_caller_waited",
                "For how long somebody who was ACTIVE waited for an agent to be ready.",
                self._waited,
                AGENT_NAME,
            )


class Names:
    """Label values of a bounded number, by the names of agents, which strangers can choose."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def of(self, name: str) -> str:
        """Its own, or ``OTHER``: the first so many have one."""
        name = label(name)
        if name not in self._known:
            if len(self._known) >= self._most:
                return OTHER
            self._known.add(name)
        return name


def label(text: str) -> str:
    """A text from outside as a label's value: one line of bounded length, and in every encoding."""
    return plain(text[:LONGEST])


class _Counts:
    """A counter for each set of labels, with the room that was counted last."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, ...]] = Counter()
        self._last: dict[tuple[str, ...], str] = {}

    def add(self, trace: str, *labels: str) -> None:
        self._counts[labels] += 1
        self._last[labels] = trace

    def family(self, name: str, text: str, *labels: str) -> Metric:
        family = CounterMetricFamily(name, text, labels=labels)
        for values, count in self._counts.items():
            family.add_metric(values, count, exemplar=Exemplar({"trace_id": self._last[values]}, 1.0))
        return family


def _add(into: dict[tuple[str, ...], Histogram], labels: tuple[str, ...], ns: int | None, trace: str) -> None:
    if ns is not None:
        into.setdefault(labels, Histogram(SECONDS)).add(ns / NS_PER_S, trace)


def _histograms(name: str, text: str, found: dict[tuple[str, ...], Histogram], *labels: str) -> Metric:
    family = HistogramMetricFamily(name, text, labels=labels, unit="seconds")
    for values, histogram in found.items():
        family.add_metric(values, histogram.buckets(), histogram.sum)
    return family
