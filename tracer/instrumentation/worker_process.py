"""What the worker process reports: which jobs the server offers, how the worker answers, and its status.

livekit-agents traces nothing there. Tracer reads the messages between worker and server: every one that a worker sends
passes ``AgentServer._queue_msg``, and those it receives have a method each. No answer is changed or delayed.
Source: livekit-agents 1.8.9, worker.py.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any

from livekit.agents import AssignmentTimeoutError
from livekit.agents.utils.aio import ChanClosed
from livekit.protocol import agent

from tracer import keys
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.moment_spans import MomentSpans, error_attributes
from tracer.instrumentation.process_pool import ProcessPool
from tracer.instrumentation.worker_connection import WorkerConnection
from tracer.instrumentation.worker_load import WorkerLoad
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from livekit.agents import AgentServer, JobRequest
    from opentelemetry.trace import Tracer

    from tracer.moment import Fact

__all__ = ["WorkerProcess"]

log = logging.getLogger("tracer")

MOST_OFFERS = 1000
"""Offers that are remembered until they are answered; then the oldest are forgotten."""


@dataclass
class _Offer:
    """A job that the server offered and the worker has not answered. Times in ns since the epoch."""

    room: str
    answer: str
    """What a refusal means if it is sent now: ``request_fnc`` is not called by a worker that is full or draining."""
    received: int | None = None
    """When the worker received it."""
    load_took: float | None = None
    """How long ``load_fnc`` took, seconds: livekit-agents calls it before it asks ``request_fnc``; None until then."""
    accepting: int | None = None
    """When ``request_fnc`` called ``accept()``."""
    error: dict[str, Fact | None] = field(default_factory=dict)
    """What ``request_fnc`` raised, as attributes."""


class WorkerProcess:
    """Observes what a worker receives and sends, and reports each step as a span of one moment."""

    def __init__(self, server: AgentServer, tracer: Tracer) -> None:
        self._server = server
        self._spans = MomentSpans(server, tracer)
        self._pool = ProcessPool(server, self._spans)
        self._connection = WorkerConnection(server, self._spans)
        self._reported_load = WorkerLoad(self._spans)
        self._offers: dict[str, _Offer] = {}
        """By job id."""
        self._status = agent.WorkerStatus.WS_AVAILABLE
        self._changes = 0
        """How often the status has changed."""
        self._draining = False

    def listen(self) -> None:
        """Observe everything from now on; the server is about to run."""
        # Each by itself: a version that has not one of them has the others.
        guarded(self._server.on, "worker_registered", lambda worker_id, *_: guarded(self._registered, worker_id))
        guarded(self._after_each_call, "_handle_availability", self._offered)
        guarded(self._after_each_call, "_queue_msg", self._sent)
        guarded(self._connection.listen)
        guarded(self._wrap_request_fnc)
        guarded(self._wrap_answer_availability)
        # The pool is made in run(), before anything in it waits.
        guarded(asyncio.get_running_loop().call_soon, guarded, self._pool.listen)

    def closed(self) -> None:
        """The worker has stopped."""
        self._spans.report_worker(Kind.WORKER_CLOSED, {})

    def _after_each_call(self, method: str, then: Callable[..., None]) -> None:
        """After each call of a method of the server, call ``then`` with the time before (ns) and the arguments."""
        original = getattr(self._server, method, None)
        if original is None:
            log.info("tracer: this livekit-agents has no AgentServer.%s: timelines will omit what it shows", method)
            return

        @wraps(original)
        def observed(*args: Any, **kwargs: Any) -> Any:
            before = time.time_ns()
            result = original(*args, **kwargs)
            guarded(then, before, *args, **kwargs)
            return result

        setattr(self._server, method, observed)

    def _registered(self, worker_id: str) -> None:
        self._status, self._draining = agent.WorkerStatus.WS_AVAILABLE, False
        self._reported_load.forget()
        self._connection.registered(worker_id)
        self._pool.listen()
        self._pool.report_failed_start()

    def _offered(self, before: int, request: agent.AvailabilityRequest) -> None:
        """The server offers a job. livekit-agents notes the time first thing."""
        job, now = request.job, time.time_ns()
        if len(self._offers) >= MOST_OFFERS:
            del self._offers[next(iter(self._offers))]
        self._offers[job.id] = _Offer(job.room.sid, "draining" if self._is_draining() else "full", before)
        about: dict[str, Fact | None] = {
            keys.JOB_ID: job.id,
            keys.DISPATCH_ID: job.dispatch_id or None,
            keys.JOB_TYPE: agent.JobType.Name(job.type),
            keys.JOB_PARTICIPANT_ID: job.participant.sid or None,
            keys.ROOM_NAME: job.room.name or None,
        }
        self._spans.report(
            Kind.JOB_RECEIVED,
            job.id,
            about,
            room=job.room.sid,
            at=before,
            earliest=before,
            latest=now,
            occurrence=self._server.id,
        )
        if job.state.started_at > 0:
            at = job.state.started_at
            self._spans.report(Kind.JOB_OFFERED, job.id, about, room=job.room.sid, at=at, clock="server")

    def _wrap_answer_availability(self) -> None:
        """Observe that no answer comes of an offer, because the user's ``load_fnc`` raised: nothing else reports it."""
        original = getattr(self._server, "_answer_availability", None)
        if original is None:
            return

        @wraps(original)
        async def observed(request: agent.AvailabilityRequest, **kwargs: Any) -> None:
            try:
                await original(request, **kwargs)
            except Exception as error:
                guarded(self._not_answered, request.job.id, error)
                raise

        setattr(self._server, "_answer_availability", observed)  # noqa: B010  a method of its own

    def _not_answered(self, job: str, error: Exception) -> None:
        offer = self._offers.get(job)
        if offer and offer.load_took is None and not isinstance(error, ChanClosed):  # then the worker is closing
            about = {keys.JOB_ID: job, keys.JOB_ANSWER: "load_raised", **error_attributes(error)}
            self._spans.report(Kind.JOB_REJECTED, job, about, room=offer.room, occurrence=self._server.id)

    def _wrap_request_fnc(self) -> None:
        """Observe how the user's ``request_fnc`` ends; what it raises is raised as before."""
        from livekit.agents.worker import _default_request_fnc

        users = getattr(self._server, "_request_fnc", None) or _default_request_fnc

        @wraps(users)
        async def observed(request: JobRequest) -> None:
            offer = guarded(self._asked, request)
            try:
                await users(request)
            except BaseException as error:
                if offer:
                    guarded(self._request_fnc_raised, request, offer, error)
                raise
            if offer:
                offer.answer = "unanswered"

        self._server._request_fnc = observed  # noqa: SLF001  see private_names

    def _asked(self, request: JobRequest) -> _Offer:
        """The user's ``request_fnc`` is about to be called."""
        offer = self._offers.get(request.id) or _Offer("", "full")
        offer.answer = "rejected"
        offer.load_took = _seconds_since(offer.received)
        guarded(self._wrap_accept, request, offer)
        return offer

    def _wrap_accept(self, request: JobRequest, offer: _Offer) -> None:
        """Observe when ``accept()`` is called, and whether the job then starts."""
        accept = getattr(request, "_on_accept", None)
        if accept is None:
            return

        async def observed(arguments: Any) -> None:
            offer.accepting = time.time_ns()
            try:
                await accept(arguments)
            except Exception as error:
                guarded(self._not_started, request, offer, error)
                raise

        request._on_accept = observed  # noqa: SLF001  see private_names

    def _request_fnc_raised(self, request: JobRequest, offer: _Offer, error: BaseException) -> None:
        offer.answer = "raised"
        offer.error.update(error_attributes(error))
        # livekit-agents answers the server after an Exception, but not after a cancellation.
        if not isinstance(error, Exception) and not self._is_draining():
            job = request.id
            about = {keys.JOB_ID: job, keys.JOB_ANSWER: offer.answer, **offer.error}
            self._spans.report(Kind.JOB_REJECTED, job, about, room=offer.room, occurrence=self._server.id)

    def _not_started(self, request: JobRequest, offer: _Offer, error: BaseException) -> None:
        """The worker accepted, and the job did not start: the server did not assign it, or no process came up."""
        if isinstance(error, ChanClosed):
            return  # the worker is closing, and its answer was not sent
        job = request.id
        about = {keys.JOB_ID: job, **error_attributes(error)}
        if isinstance(error, AssignmentTimeoutError):
            self._spans.report(Kind.JOB_TIMED_OUT, job, about, room=offer.room, occurrence=self._server.id)
        else:
            self._spans.report(Kind.PROCESS_FAILED, job, about, room=offer.room)

    def _sent(self, _: int, message: agent.WorkerMessage) -> None:
        """The worker sends a message to the server."""
        which = message.WhichOneof("message")
        if which == "availability":
            self._answered(message.availability)
        elif which == "update_worker":
            self._status_sent(message.update_worker)

    def _answered(self, answer: agent.AvailabilityResponse) -> None:
        job, now = answer.job_id, time.time_ns()
        offer = self._offers.pop(job, None) or _Offer("", "full")
        if offer.load_took is None:  # full: request_fnc was not called
            offer.load_took = _seconds_since(offer.received)
        if answer.available:
            earliest = offer.accepting or now
            about: dict[str, Fact | None] = {
                keys.JOB_ID: job,
                keys.LOAD_TOOK: offer.load_took,
                keys.PARTICIPANT_IDENTITY: answer.participant_identity or None,
            }
            self._spans.report(
                Kind.JOB_ACCEPTED,
                job,
                about,
                room=offer.room,
                at=earliest,
                earliest=earliest,
                latest=now,
                occurrence=self._server.id,
            )
            return
        about = {
            keys.JOB_ID: job,
            keys.JOB_ANSWER: offer.answer,
            keys.JOB_TERMINATED: answer.terminate,
            keys.LOAD_TOOK: offer.load_took,
            **(self._capacity() if offer.answer == "full" else {}),
            **offer.error,
        }
        self._spans.report(Kind.JOB_REJECTED, job, about, room=offer.room, occurrence=self._server.id)

    def _status_sent(self, update: agent.UpdateWorkerStatus) -> None:
        """The worker sends its status, every 2.5 s; a change is a moment."""
        if self._is_draining():  # then without its load
            if not self._draining:
                self._draining = True
                self._spans.report_worker(Kind.WORKER_DRAINING, {keys.WORKER_JOBS: update.job_count})
            return
        self._reported_load.sent(update)
        if update.status != self._status:
            self._status = update.status
            self._changes += 1
            kind = Kind.WORKER_FULL if update.status == agent.WorkerStatus.WS_FULL else Kind.WORKER_AVAILABLE
            about = self._capacity() | {keys.WORKER_JOBS: update.job_count}
            self._spans.report_worker(kind, about, occurrence=str(self._changes))

    def _is_draining(self) -> bool:
        draining = getattr(self._server, "draining", None)
        return bool(getattr(self._server, "_draining", False) if draining is None else draining)  # 1.3 has no property

    def _capacity(self) -> dict[str, Fact | None]:
        """The load that livekit-agents compares with the threshold, and the jobs that it comes from."""
        effective = getattr(self._server, "_get_effective_load", None)
        jobs = getattr(self._server, "active_jobs", None)
        return {
            keys.WORKER_LOAD: float(effective()) if effective else None,
            keys.WORKER_JOBS: None if jobs is None else len(jobs),
            keys.WORKER_RESERVED: getattr(self._server, "_reserved_slots", None),
        }


def _seconds_since(received: int | None) -> float | None:
    return None if received is None else round((time.time_ns() - received) / NS_PER_S, 3)
