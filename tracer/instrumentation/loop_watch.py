"""A job's event loop that stands still, while it does.

livekit-agents reports that (``event_loop_blocked``) when the loop runs again; until then a caller hears nothing, and
nothing shows why. A thread that nothing blocks asks the loop to answer, once a second.
"""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import report_of_job
from tracer.kinds import Kind

if TYPE_CHECKING:
    from livekit.agents import JobContext
    from opentelemetry.trace import Tracer

__all__ = ["LoopWatch"]

EVERY_S = 1.0
"""Seconds between questions."""
PATIENCE_S = 2.0
"""A loop that does not answer for so many seconds is reported."""


class LoopWatch:
    """Watches the loops of jobs, each in a thread of its own until the loop stops."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def watch(self, job: JobContext) -> None:
        """From now on, the loop that runs this job."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=guarded, args=(self._run, loop, job), name="tracer-loop", daemon=True).start()

    def _run(self, loop: asyncio.AbstractEventLoop, job: JobContext) -> None:
        while loop.is_running():
            asked, answered = time.time_ns(), threading.Event()
            try:
                loop.call_soon_threadsafe(answered.set)
            except RuntimeError:
                return  # closed meanwhile
            if not answered.wait(PATIENCE_S) and loop.is_running():
                report_of_job(self._tracer, job, Kind.AGENT_STALLED, at=asked)
                while loop.is_running() and not answered.wait(EVERY_S):
                    pass
            time.sleep(EVERY_S)
