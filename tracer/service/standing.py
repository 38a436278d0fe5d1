"""How things stand, for `/metrics`: open rooms, agents missing in them, workers with their load and jobs.

As the store has it: all receivers of one store give the same figures.
"""

from __future__ import annotations

import time
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from tracer import keys
from tracer.errors import StoreError
from tracer.kinds import Kind
from tracer.service.fleet import AGENT_NAME, MOST_NAMES, Names, label
from tracer.service.missing import MissingAgents
from tracer.store import open_reader
from tracer.timeline.fold import fold
from tracer.timeline.listened import STOPPED, union
from tracer.units import NS_PER_S
from tracer.why.call.workers import GONE
from tracer.witness.fields import LATEST_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from tracer.store import Reader
    from tracer.timeline.entities import Worker

__all__ = ["Standing"]

FOR = 5.0
"""Seconds for which an answer is good: however often it is asked for, the store is not."""
WITHIN = 24 * 3600 * NS_PER_S
"""A worker that has said nothing for so long, ns, has gone without a word; a room as old has, too."""
MOST_WORKERS = 100
"""Workers that have series of their own: those that reported last."""
WORKER_ID = "lk_job_worker_id"
"""`lk.job.worker_id`, likewise."""
_AVAILABLE = (Kind.WORKER_REGISTERED, Kind.WORKER_AVAILABLE)


class Standing:
    """Reads the store at a location, seldom, and not through whoever writes to it: writing must not wait for that."""

    def __init__(self, store: str) -> None:
        self._store = store
        self._good_until = 0.0
        self._found: list[Metric] = []
        self._missing = MissingAgents()

    def collect(self) -> Iterator[Metric]:
        """As prometheus_client asks a collector; nothing while the store fails, which `/healthz` says."""
        if time.monotonic() >= self._good_until:
            try:
                with closing(open_reader(self._store)) as reader:
                    now = time.time_ns()
                    missing = self._missing.look(reader, now, now - WITHIN, AGENT_NAME, Names(MOST_NAMES))
                    self._found = [*_standing(reader, now), missing]
            except StoreError:
                self._found = []
            self._good_until = time.monotonic() + FOR
        yield from self._found


def _standing(store: Reader, now: int) -> Iterator[Metric]:
    heard = next((since for since, until in reversed(union(store.listened())) if until > now - STOPPED), 0)
    rooms, unread = store.open_rooms(now - WITHIN, heard - STOPPED), store.unread()
    # Whatever their clocks are, it was before now: of each worker the last of each kind.
    known = fold("", (), workers=store.workers(LATEST_TIME, LATEST_TIME)).workers
    yield GaugeMetricFamily(
        "tracer_rooms_open",
        "Rooms of the last 24 hours that are open, as far as tracer has listened since.",
        value=rooms,
    )
    yield GaugeMetricFamily(
        "tracer_evidence_unread", "Requests that are stored, and of which no moments were made yet.", value=unread
    )
    yield from _of_workers([worker for worker in known if _last(worker) > now - WITHIN])


def _of_workers(known: list[Worker]) -> Iterator[Metric]:
    names, counts = Names(MOST_NAMES), Counter[tuple[str, str]]()
    known.sort(key=_last, reverse=True)
    there = []
    for worker in known:
        standing = worker.standing(_last(worker))
        if standing in GONE:
            continue
        state = "available" if standing in _AVAILABLE else str(standing).rpartition(".")[2]
        counts[names.of(worker.agent_name), state] += 1
        there.append(worker)
    workers = GaugeMetricFamily(
        "tracer_workers", "Workers that are registered, by what they reported last.", labels=(AGENT_NAME, "state")
    )
    for values, count in counts.items():
        workers.add_metric(values, count)
    yield workers
    of_each = (AGENT_NAME, WORKER_ID)
    load = GaugeMetricFamily("tracer_worker_load", "The load that a worker reported last, from 0 to 1.", labels=of_each)
    jobs = GaugeMetricFamily("tracer_worker_jobs", "The jobs that a worker had when it last told.", labels=of_each)
    reported = GaugeMetricFamily(
        "tracer_worker_reported_timestamp", "When a worker reported last.", labels=of_each, unit="seconds"
    )
    for worker in there[:MOST_WORKERS]:
        labels = names.of(worker.agent_name), label(worker.sid)
        for family, key in ((load, keys.WORKER_LOAD), (jobs, keys.WORKER_JOBS)):
            value = next((v for s in reversed(worker.steps) if (v := s.facts.get(key)) is not None), None)
            if isinstance(value, int | float):
                family.add_metric(labels, value)
        reported.add_metric(labels, _last(worker) / NS_PER_S)
    yield from (load, jobs, reported)


def _last(worker: Worker) -> int:
    return max(step.time for step in worker.steps)
