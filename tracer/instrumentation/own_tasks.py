"""A task of the agent's own that raised, and that nobody awaited: asyncio writes a line of it, and the call goes on.

So ends a greeting that was given to ``asyncio.create_task()``. asyncio tells when the task is freed: of one that the
agent's code keeps, that is at the end, or never. So ends, too, what ``ctx.add_participant_entrypoint()`` runs for each
participant: of that livekit-agents writes the line itself (1.8.1 does, 1.5.17 does not). Nothing is changed: a filter
of each logger sees every record and lets it through.
Source: CPython 3.11 to 3.14, Lib/asyncio/base_events.py (default_exception_handler) and tasks.py; livekit-agents 1.8.1
and 1.8.9, job.py (_participant_available).
"""

from __future__ import annotations

import logging
import re
import weakref
from typing import TYPE_CHECKING

from tracer import keys
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import error_attributes, report_of_job
from tracer.kinds import Kind

if TYPE_CHECKING:
    from livekit.agents import JobContext
    from opentelemetry.trace import Tracer

__all__ = ["OwnTasks"]

SAID = {
    "asyncio": re.compile(r"Task exception was never retrieved(?:.*?coro=<([\w.<>]{1,80})\(\))?", re.DOTALL),
    "livekit.agents": re.compile(r"error in participant entrypoint (\w{1,80})"),
}
"""What each logger writes, with the function that the task ran."""
MOST = 20
"""So many are reported of one process."""


class OwnTasks:
    """Reports each such task of the one job that runs in this process; of several, nobody knows whose it was."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._jobs: weakref.WeakSet[JobContext] = weakref.WeakSet()
        self._reported = 0

    def listen(self) -> None:
        """From now on; once."""
        for logger in SAID:
            logging.getLogger(logger).filters.insert(0, self._see)  # before one of the user's that drops a record

    def began(self, job: JobContext) -> None:
        """A job begins here."""
        self._jobs.add(job)

    def _see(self, record: logging.LogRecord) -> bool:
        guarded(self._logged, record)
        return True

    def _logged(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        said = SAID[record.name].match(record.msg) if isinstance(record.msg, str) else None
        if error is None or said is None:
            return
        jobs = list(self._jobs)
        if len(jobs) != 1 or self._reported >= MOST:
            return
        self._reported += 1
        known = {keys.TASK: said.group(1) or "", **error_attributes(error)}
        report_of_job(self._tracer, jobs[0], Kind.AGENT_TASK_RAISED, attributes=known)
