"""Processes that did not come up, or that ended with a job in them."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from tracer import keys
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import UNREGISTERED, error_attributes
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from livekit.agents import AgentServer

    from tracer.instrumentation.moment_spans import MomentSpans
    from tracer.moment import Fact

__all__ = ["ProcessPool"]

REPORT_EVERY = 5
"""Seconds between two reports that a process did not come up: the next is tried at once and fails in the same way."""
DUMPED = -getattr(signal, "SIGUSR1", 10)
"""Exit code of a process that died of the signal which livekit-agents sends before it kills, to have stacks dumped:
under a fork server a job's process has no handler for it."""


class ProcessPool:
    """Reports ``process.failed`` for a worker's pool of processes."""

    def __init__(self, server: AgentServer, spans: MomentSpans) -> None:
        self._server = server
        self._spans = spans
        self._listening = False
        self._failed_start: tuple[int, dict[str, Fact | None]] | None = None
        """When a process last failed to come up, ns since the epoch, and what is known of it."""
        self._reported_start = 0
        """When that was last reported, ns since the epoch."""
        self._reports = 0
        """How often it was."""

    def listen(self) -> None:
        """Listen to the pool, once there is one."""
        pool = getattr(self._server, "_proc_pool", None)
        if pool is None or self._listening:
            return
        self._listening = True
        pool.on("process_closed", lambda process: guarded(self._closed, process))

    def _closed(self, process: Any) -> None:
        """A process has ended: a moment when it never came up, or ended with a job and not by itself."""
        code = getattr(process, "exitcode", None)  # a thread has none
        job = process.running_job
        attributes: dict[str, Fact | None] = {
            keys.PROCESS_ID: getattr(process, "pid", None),
            keys.EXIT_CODE: code,
            keys.KILLED: bool(getattr(process, "killed", False)) or code == DUMPED,
        }
        if job is not None:
            if code:
                about = {keys.JOB_ID: job.job.id, **attributes}
                self._spans.report(Kind.PROCESS_FAILED, job.job.id, about, room=job.job.room.sid)
            return
        started = getattr(process, "_initialize_fut", None)
        if started is not None and started.done() and not started.cancelled() and (error := started.exception()):
            self._failed_start = time.time_ns(), {**attributes, **error_attributes(error)}
            self.report_failed_start()

    def report_failed_start(self) -> None:
        """Report that a process did not come up, from time to time, and not before the worker has an id."""
        if self._failed_start is None or self._server.id == UNREGISTERED:
            return
        at, attributes = self._failed_start
        if at - self._reported_start >= REPORT_EVERY * NS_PER_S:
            self._reported_start = at
            self._reports += 1
            self._spans.report_worker(Kind.PROCESS_FAILED, attributes, at=at, occurrence=str(self._reports))
