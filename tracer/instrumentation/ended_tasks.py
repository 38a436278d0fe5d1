"""A task of livekit-agents that ends in the middle of a call: of an error it writes a line in its log, of none nothing.

The session goes on without it. A task that raised is told by ``utils.log_exceptions``, as “Error in _vad_task”; the one
that runs the agent's ``stt_node`` is watched, and ends with it. Nothing is changed: a filter of livekit-agents' logger
sees every record and lets it through, and a task that is done calls back.
Source: livekit-agents 1.3 to 1.8, utils/log.py and voice/audio_recognition.py.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import time
import weakref
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from tracer import keys
from tracer.instrumentation.current_job import current_job
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import error_attributes, report_of_job
from tracer.kinds import Kind

if TYPE_CHECKING:
    from livekit.agents import JobContext
    from opentelemetry.trace import Tracer

__all__ = ["EndedTasks"]

LOGGER = "livekit.agents"
MOST = 20
"""So many are reported of one job: some tasks are made anew with every turn."""
JOBS = 100
"""Of so many jobs at once it is kept how many were."""
SAID = re.compile(r"Error in (\w{1,60})")
"""What ``log_exceptions`` writes, with the function that raised."""
OF_ITS_OWN = {"_user_turn_completed_task"}
"""Functions that write their own line of what the agent's code raised, and have no span before livekit-agents 1.8.2."""
NO_REPLY = "failed to generate a reply"
"""How the line of a realtime model begins that gave no reply in time, or refused to."""
REALTIME = "realtime_session"
"""What such a failure is told under: a span of livekit-agents that does not fail with it."""
RUNS_STT = re.compile(r"_stt_(pump|task)")
"""The function that runs the agent's ``stt_node``, in each version of livekit-agents."""


class EndedTasks:
    """Reports each task of a session that raised, and a ``stt_node`` that ended by itself."""

    def __init__(self, tracer: Tracer) -> None:
        """``tracer`` makes spans without personal data where livekit-agents' settings want that."""
        self._tracer = tracer
        self._log = logging.getLogger(LOGGER)
        self._reported: dict[str, int] = {}
        """How many were, by job."""
        self._watched: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()
        """Tasks that are reported when they are done."""
        self._raised: weakref.WeakKeyDictionary[asyncio.Task[Any], BaseException] = weakref.WeakKeyDictionary()
        """What those raised, as it was logged: to ask them for it would keep asyncio from warning of it."""

    def listen(self) -> None:
        """From now on, to every session of this process; once."""
        self._log.filters.insert(0, self._see)  # before one of the user's that drops a record
        # Here, where it is guarded: a livekit-agents that has it elsewhere reports less, and nothing fails.
        from livekit.agents.voice.audio_recognition import AudioRecognition

        owner: Any = AudioRecognition
        name = "_update_stt" if hasattr(owner, "_update_stt") else "update_stt"  # the latter before 1.6
        update_stt = getattr(owner, name)

        @wraps(update_stt)
        def update_stt_watched(*args: Any, **kwargs: Any) -> Any:
            result = update_stt(*args, **kwargs)
            guarded(self._watch)
            return result

        setattr(owner, name, update_stt_watched)

    def _see(self, record: logging.LogRecord) -> bool:
        guarded(self._logged, record)
        return True

    def _logged(self, record: logging.LogRecord) -> None:
        if isinstance(record.msg, str) and record.msg.startswith(NO_REPLY):
            self._failed(current_job(), sys.exc_info()[1])
            return
        error = record.exc_info[1] if record.exc_info else None
        if error is None or record.levelno < logging.ERROR or not isinstance(record.msg, str):
            return
        said = SAID.match(record.msg)
        name = said.group(1) if said else record.funcName
        if not said and name not in OF_ITS_OWN:
            return
        task = _current_task()
        if task is not None and task in self._watched and RUNS_STT.fullmatch(name):
            self._raised[task] = error
        else:
            self._report(current_job(), name, error)

    def _failed(self, job: JobContext | None, error: BaseException | None) -> None:
        """A realtime model gave no reply, of which it has no span that fails."""
        if job and error and self._may_report(job):
            known = {keys.SPAN_NAME: REALTIME, **error_attributes(error)}
            report_of_job(self._tracer, job, Kind.MODEL_FAILED, attributes=known, at=time.time_ns())

    def _watch(self) -> None:
        """The tasks that run an ``stt_node`` now."""
        job = current_job()
        for task in asyncio.all_tasks() if job else ():
            name = getattr(task.get_coro(), "__name__", "")
            if RUNS_STT.fullmatch(name) and task not in self._watched:
                self._watched.add(task)
                task.add_done_callback(partial(guarded, self._ended, job))

    def _ended(self, job: JobContext, task: asyncio.Task[Any]) -> None:
        # What raised is known from the log: where nothing is logged, it is not known whether it did.
        if not task.cancelled() and self._log.isEnabledFor(logging.ERROR):
            self._report(job, "stt_node", self._raised.pop(task, None))

    def _report(self, job: JobContext | None, task: str, error: BaseException | None) -> None:
        if job is None or not self._may_report(job):
            return
        known = {keys.TASK: task, **(error_attributes(error) if error else {})}
        report_of_job(self._tracer, job, Kind.SESSION_TASK_ENDED, attributes=known, at=time.time_ns())

    def _may_report(self, job: JobContext) -> bool:
        """Whether another one may be reported of this job, which then counts."""
        reported = self._reported.get(job.job.id, 0)
        if reported >= MOST:
            return False
        self._reported[job.job.id] = reported + 1
        if len(self._reported) > JOBS:
            del self._reported[next(iter(self._reported))]
        return True


def _current_task() -> asyncio.Task[Any] | None:
    """None in a thread without an event loop, too."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
