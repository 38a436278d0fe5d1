"""What a worker process tells: what the server asks of it, what it answers, and how it stands.

livekit-agents traces nothing there. It is read where worker and server speak to each other, from the messages
themselves: every one that a worker sends passes ``AgentServer._queue_msg``, and those it gets have a method each. No
answer is changed or delayed. Source: livekit-agents 1.8.9, worker.py and ipc/proc_pool.py.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import time
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

from livekit.agents import AssignmentTimeoutError
from livekit.agents.utils.aio import ChanClosed
from livekit.protocol import agent

from tracer import keys
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from livekit.agents import AgentServer, JobRequest
    from opentelemetry.trace import Tracer

    from tracer.moment import Fact

__all__ = ["WorkerProcess"]

log = logging.getLogger("tracer")

UNREGISTERED = "unregistered"
"""What livekit-agents calls a worker to which the server has given no id yet."""
LONGEST_MESSAGE = 500
"""Characters of an exception's text that are told."""
NOT_UP_EVERY = 5
"""Seconds between two times that a process which does not come up is told of."""
MOST_ASKED = 1000
"""Jobs that were asked for and are remembered; one is forgotten when it has been answered."""
DUMPED = -getattr(signal, "SIGUSR1", 10)
"""Exit code of a process that died of the signal which livekit-agents sends before it kills, to have stacks dumped:
under a fork server a job's process has no handler for it."""


@dataclass
class _Asked:
    """A job that the server asked for. Times in ns since the epoch."""

    room: str
    accepting: int | None = None
    """When ``request_fnc`` called ``accept()``."""
    answer: str = "full"
    """What a refusal means if one comes now: ``request_fnc`` is not asked where there is no room for the job."""
    error: dict[str, Fact | None] = field(default_factory=dict)
    """What ``request_fnc`` raised, as facts."""


class WorkerProcess:
    """Hears what a worker hears and says, and tells each step as a span of one moment."""

    def __init__(self, server: AgentServer, tracer: Tracer) -> None:
        self._server = server
        self._tracer = tracer
        self._asked: dict[str, _Asked] = {}
        self._status = agent.WorkerStatus.WS_AVAILABLE
        self._changes = 0
        self._last_id = ""
        self._draining = False
        self._attached = False
        self._not_up: tuple[int, dict[str, Fact | None]] | None = None
        """When a process last failed to come up, ns since the epoch, and what is known of it."""
        self._said_not_up = 0

    def listen(self) -> None:
        """Hear of everything from now on; the server is about to run."""
        server = self._server
        server.on("worker_registered", lambda worker_id, _: _quietly(self._registered, worker_id))
        self._hear("_handle_availability", self._availability)
        self._hear("_queue_msg", self._message)
        self._wrap_request()
        # The pool is made in run(), before anything in it waits.
        asyncio.get_running_loop().call_soon(_quietly, self._attach)

    def closed(self) -> None:
        """The worker has stopped, by itself or because it was told to."""
        self._say(Kind.WORKER_CLOSED, {})

    def _hear(self, method: str, hear: Callable[..., None]) -> None:
        """Have ``hear`` called with the arguments of each call of a method and the time before it, ns."""
        original = getattr(self._server, method, None)
        if original is None:
            log.info("tracer: livekit-agents has no AgentServer.%s any more: less is known of job requests", method)
            return

        @wraps(original)
        def heard(*args: Any, **kwargs: Any) -> Any:
            before = time.time_ns()
            result = original(*args, **kwargs)
            _quietly(hear, before, *args, **kwargs)
            return result

        setattr(self._server, method, heard)

    def _say(self, kind: Kind, told: dict[str, Fact | None], *, at: int | None = None, occurrence: str = "") -> None:
        """Something about the worker itself."""
        if self._server.id != UNREGISTERED:
            self._tell(kind, self._server.id, at=at, occurrence=occurrence, told=told)

    def _tell(
        self,
        kind: Kind,
        subject: str,
        *,
        room: str = "",
        at: int | None = None,
        earliest: int | None = None,
        latest: int | None = None,
        occurrence: str = "",
        clock: str = "",
        told: dict[str, Fact | None],
    ) -> None:
        at = time.time_ns() if at is None else at
        attributes: dict[str, Fact | None] = {
            keys.SUBJECT: subject,
            keys.ROOM_SID: room or None,
            keys.OCCURRENCE: occurrence or None,
            keys.CLOCK: clock or None,
            keys.EARLIEST: None if earliest is None else str(earliest),
            keys.LATEST: None if latest is None else str(latest),
            keys.AGENT_NAME: getattr(self._server, "_agent_name", ""),
            keys.WORKER_ID: self._server.id,
            keys.WORKER_HOST: socket.gethostname(),
            **told,
        }
        known = {key: value for key, value in attributes.items() if value is not None}
        self._tracer.start_span(kind.value, start_time=at, attributes=known).end()

    def _registered(self, worker_id: str) -> None:
        if self._last_id and self._last_id != worker_id:  # it lost its connection, and is another to the server now
            self._tell(Kind.WORKER_CLOSED, self._last_id, told={})
        self._last_id, self._status, self._draining = worker_id, agent.WorkerStatus.WS_AVAILABLE, False
        kind = getattr(getattr(self._server, "_server_type", None), "value", None)
        told: dict[str, Fact | None] = {keys.JOB_TYPE: None if kind is None else agent.JobType.Name(kind)}
        self._tell(Kind.WORKER_REGISTERED, worker_id, told=told)
        self._attach()
        self._say_not_up()

    def _availability(self, before: int, request: agent.AvailabilityRequest) -> None:
        """The server asks for a job. livekit-agents notes the time first thing."""
        job, now = request.job, time.time_ns()
        if len(self._asked) >= MOST_ASKED:
            del self._asked[next(iter(self._asked))]
        self._asked[job.id] = _Asked(job.room.sid, answer="draining" if self._server.draining else "full")
        told: dict[str, Fact | None] = {
            keys.JOB_ID: job.id,
            keys.DISPATCH_ID: job.dispatch_id or None,
            keys.JOB_TYPE: agent.JobType.Name(job.type),
            keys.JOB_PARTICIPANT_ID: job.participant.sid or None,
            keys.ROOM_NAME: job.room.name or None,
        }
        worker = self._server.id
        self._tell(
            Kind.JOB_RECEIVED,
            job.id,
            room=job.room.sid,
            at=before,
            earliest=before,
            latest=now,
            occurrence=worker,
            told=told,
        )
        if job.state.started_at > 0:
            self._tell(Kind.JOB_OFFERED, job.id, room=job.room.sid, at=job.state.started_at, clock="server", told=told)

    def _wrap_request(self) -> None:
        """Hear how the user's ``request_fnc`` ends; an exception of its own goes its way."""
        from livekit.agents.worker import _default_request_fnc

        users = getattr(self._server, "_request_fnc", None) or _default_request_fnc

        @wraps(users)
        async def asked(request: JobRequest) -> None:
            known = self._asked.get(request.id) or _Asked("")
            known.answer = "rejected"
            accept = getattr(request, "_on_accept", None)

            async def accepting(arguments: Any) -> None:
                known.accepting = time.time_ns()
                try:
                    await accept(arguments)  # type: ignore[misc]  # it is there, or this is never called
                except Exception as error:
                    _quietly(self._not_started, request.id, known, error)
                    raise

            if accept is not None:
                request._on_accept = accepting  # noqa: SLF001  to hear of the answer, there is no other way
            try:
                await users(request)
            except BaseException as error:
                known.answer = "raised"
                known.error.update(_error(error))
                # After what is no Exception, as a cancellation, livekit-agents says nothing to the server.
                if not isinstance(error, Exception) and not self._server.draining:
                    told = {keys.JOB_ID: request.id, keys.JOB_ANSWER: known.answer, **known.error}
                    _quietly(
                        self._tell,
                        Kind.JOB_REJECTED,
                        request.id,
                        room=known.room,
                        occurrence=self._server.id,
                        told=told,
                    )
                raise
            known.answer = "unanswered"

        self._server._request_fnc = asked  # noqa: SLF001

    def _not_started(self, job: str, known: _Asked, error: BaseException) -> None:
        """The worker said yes, and the job did not start: the server was not heard of again, or no process came up."""
        if isinstance(error, ChanClosed):
            return  # the worker is closing, and its answer did not leave
        in_time = isinstance(error, AssignmentTimeoutError)
        self._tell(
            Kind.JOB_TIMED_OUT if in_time else Kind.PROCESS_FAILED,
            job,
            room=known.room,
            occurrence=self._server.id if in_time else "",
            told={keys.JOB_ID: job, **_error(error)},
        )

    def _message(self, _: int, message: agent.WorkerMessage) -> None:
        """Something the worker says to the server, now."""
        which = message.WhichOneof("message")
        if which == "availability":
            self._answer(message.availability)
        elif which == "update_worker":
            self._stands(message.update_worker)

    def _answer(self, answer: agent.AvailabilityResponse) -> None:
        job, now = answer.job_id, time.time_ns()
        known = self._asked.pop(job, None) or _Asked("")
        told: dict[str, Fact | None] = {keys.JOB_ID: job}
        if answer.available:
            earliest = known.accepting or now
            self._tell(
                Kind.JOB_ACCEPTED,
                job,
                room=known.room,
                at=earliest,
                earliest=earliest,
                latest=now,
                occurrence=self._server.id,
                told={**told, keys.PARTICIPANT_IDENTITY: answer.participant_identity or None},
            )
            return
        told |= {keys.JOB_ANSWER: known.answer, keys.JOB_TERMINATED: answer.terminate, **known.error}
        if known.answer == "full":
            told[keys.WORKER_LOAD] = self._load()
        self._tell(Kind.JOB_REJECTED, job, room=known.room, occurrence=self._server.id, told=told)

    def _stands(self, update: agent.UpdateWorkerStatus) -> None:
        """The worker tells how it stands, every 2.5 s; a change is worth a moment."""
        told: dict[str, Fact | None] = {keys.WORKER_LOAD: self._load(), keys.WORKER_JOBS: update.job_count}
        if self._server.draining:
            if not self._draining:
                self._draining = True
                self._say(Kind.WORKER_DRAINING, {keys.WORKER_JOBS: update.job_count})
        elif update.status != self._status:
            self._status = update.status
            self._changes += 1
            full = update.status == agent.WorkerStatus.WS_FULL
            kind = Kind.WORKER_FULL if full else Kind.WORKER_AVAILABLE
            self._say(kind, told, occurrence=str(self._changes))

    def _load(self) -> float | None:
        """The load that livekit-agents holds against the threshold: with what it has promised to other jobs."""
        effective = getattr(self._server, "_get_effective_load", None)
        return float(effective()) if effective else None

    def _attach(self) -> None:
        pool = getattr(self._server, "_proc_pool", None)
        if pool is None or self._attached:
            return
        self._attached = True
        pool.on("process_closed", lambda process: _quietly(self._process_closed, process))

    def _process_closed(self, process: Any) -> None:
        """A process is gone: worth telling if it never came up, or ended other than by itself with a job."""
        code = getattr(process, "exitcode", None)  # a thread has none
        job = process.running_job
        told: dict[str, Fact | None] = {
            keys.PROCESS_ID: getattr(process, "pid", None),
            keys.EXIT_CODE: code,
            keys.KILLED: bool(getattr(process, "killed", False)) or code == DUMPED,
        }
        if job is not None:
            if code:
                self._tell(
                    Kind.PROCESS_FAILED, job.job.id, room=job.job.room.sid, told={keys.JOB_ID: job.job.id, **told}
                )
            return
        began = getattr(process, "_initialize_fut", None)
        if began is not None and began.done() and not began.cancelled() and (error := began.exception()):
            self._not_up = time.time_ns(), {**told, **_error(error)}
            self._say_not_up()

    def _say_not_up(self) -> None:
        """A process did not come up. Another is tried at once and fails alike: that is told now and then."""
        if self._not_up is None or self._server.id == UNREGISTERED:
            return
        at, told = self._not_up
        if at - self._said_not_up >= NOT_UP_EVERY * NS_PER_S:
            self._said_not_up = at
            self._changes += 1
            self._say(Kind.PROCESS_FAILED, told, at=at, occurrence=str(self._changes))


def _error(error: BaseException) -> dict[str, Fact | None]:
    try:
        text = str(error)[:LONGEST_MESSAGE]
    except Exception:  # noqa: BLE001  it is the user's, and may do anything
        text = ""
    return {keys.ERROR_TYPE: type(error).__name__, keys.ERROR_MESSAGE: text or None}


def _quietly(function: Callable[..., None], *args: Any, **kwargs: Any) -> None:
    """Call it; what it raises is logged and goes no further."""
    try:
        function(*args, **kwargs)
    except Exception:
        log.warning("tracer: %s failed", function.__name__, exc_info=True)
