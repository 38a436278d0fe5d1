"""The load that a worker reports to the server."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.server_defaults import TARGET_LOAD
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from livekit.protocol import agent

    from tracer.instrumentation.moment_spans import MomentSpans

__all__ = ["WorkerLoad"]

MOVED = 0.1
"""A load that differs from the last one by less is not reported."""
REPORT_EVERY = 30
"""Seconds between two reports of a load that stays on one side of the server's limit."""
REPORT_AT_LEAST_EVERY = 6 * 3600
"""Seconds after which the same load is reported again: a worker that says nothing for a day is taken for gone, and what
it said is forgotten after a month."""


class WorkerLoad:
    """Reports ``worker.load``: the first, each crossing of the server's limit, what moved much since, and now and then.

    A worker sends its status every 2.5 s.
    """

    def __init__(self, spans: MomentSpans) -> None:
        self._spans = spans
        self._reported: tuple[int, float] | None = None
        """When a load was last reported, ns since the epoch, and which; None when the server knows none."""
        self._reports = 0

    def forget(self) -> None:
        """The server knows the worker under another id, and no load of it."""
        self._reported = None

    def sent(self, update: agent.UpdateWorkerStatus) -> None:
        """The worker sends a status."""
        now, load = time.time_ns(), round(update.load, 3)  # a float of 32 bits
        if not math.isfinite(load) or not self._is_worth_a_report(now, load):
            return
        self._reported = now, load
        self._reports += 1
        about = {keys.WORKER_LOAD: load, keys.WORKER_JOBS: update.job_count}
        self._spans.report_worker(Kind.WORKER_LOAD, {**about}, at=now, occurrence=str(self._reports))

    def _is_worth_a_report(self, now: int, load: float) -> bool:
        if self._reported is None:
            return True
        at, last = self._reported
        if (load >= TARGET_LOAD) != (last >= TARGET_LOAD):
            return True
        every = REPORT_EVERY if round(abs(load - last), 3) >= MOVED else REPORT_AT_LEAST_EVERY
        return now - at >= every * NS_PER_S
