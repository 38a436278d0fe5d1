"""A worker was offered the job and refused it, or did not answer in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents, server
from tracer.units import NS_PER_S
from tracer.why.call.jobs import error_of
from tracer.why.call.limits import SERVER_WAITS
from tracer.why.call.load_fnc import MAKE_IT_QUICK, part_of_load_fnc
from tracer.why.cause import Cause
from tracer.why.missing.without_job import instrument_or_log, offer, requests, worker_unreported
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = [
    "LoadFncRaised",
    "Rejected",
    "RequestRaised",
    "RequestUnanswered",
    "SlowRequest",
    "comes_too_late",
    "offered_to",
    "refusals",
]

UNABLE = ("full", "draining")
"""Answers by which a worker says that it cannot take a job; any other is of its user's code."""


def refusals(call: Call, answer: str) -> Iterator[tuple[list[Step], tuple[Step | None, ...]]]:
    """Of each job that nobody took the refusals with this answer, one for each worker, and their evidence.

    Without those that came too late: see ``comes_too_late``.
    """
    for job in call.dispatches.failed_jobs:
        if job.at(Kind.JOB_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED):
            continue  # another worker took it
        rejected = (step for step in job.steps if step.kind is Kind.JOB_REJECTED)
        answers = [step for step in rejected if step.facts.get(keys.JOB_ANSWER) == answer]
        refused = [step for step in answers if not comes_too_late(job, step)]
        if refused:
            yield refused, tuple(step for refusal in refused for step in (*offer(job, refusal), refusal))


def comes_too_late(job: Job, refusal: Step) -> bool:
    """Whether a worker could not take a job and said so when the server had stopped waiting, which then asks no other.

    Of one that did not want the job, the refusal counts, however late.
    """
    waited = (refusal.earliest - step.latest for step in offer(job, refusal) if step)
    return refusal.facts.get(keys.JOB_ANSWER) in UNABLE and max(waited, default=0) > SERVER_WAITS


def offered_to(refused: list[Step]) -> str:
    """How a sentence begins about the workers that refused a job."""
    workers = [refusal.occurrence for refusal in refused]
    if len(workers) == 1:
        return f"Worker {workers[0]} was offered"
    return f"Workers {', '.join(workers[:-1])} and {workers[-1]} were offered"


class _RefusedJob(Cause):
    """The user's code in a worker refused the job: which answer, its worker reports."""

    symptom = Symptom.MISSING
    who: ClassVar[str] = "request_fnc"
    """Whose answer it is."""
    answer: ClassVar[str]
    """The worker's answer, as ``tracer.job.answer`` has it."""
    what_it_did: ClassVar[str]
    """As the end of a sentence."""

    def find(self, call: Call) -> Iterator[Finding]:
        for refused, evidence in refusals(call, self.answer):
            errors = dict.fromkeys(error for refusal in refused if (error := error_of(refusal)))
            whose = f"its {self.who}" if len(refused) == 1 else f"{self.who} of each"
            over, since = call.timeline.room.finished is not None, max(step.time for step in refused)
            yield self.found(
                f"{offered_to(refused)} the job, and {whose} {self.what_it_did}"
                f"{': ' if errors else ''}{', '.join(errors)}.",
                *evidence,
                certain=over or call.timeline.now - since > SERVER_WAITS,  # another worker may be asked
            )


class Rejected(_RefusedJob):
    """The worker's request_fnc called ``reject()``.

    Known from the worker; without its report, from how the API lists the job: the server records a rejected job as a
    success that took no time and has nobody in the room.
    """

    name = "rejected"
    about = "the worker's request_fnc rejected the job"
    advice = (
        "Check what request_fnc rejects. reject() ends the dispatch; after reject(terminate=False) the server offers"
        " the job to another worker, where there is one that has not been asked."
    )
    said = (
        server("pkg/agent/worker.go"),
        agents("worker.py"),
        Page.OPTIONS,
    )
    answer = "rejected"
    what_it_did = "rejected it"

    def find(self, call: Call) -> Iterator[Finding]:
        yield from super().find(call)
        for job in call.dispatches.failed_jobs:
            offered, ended = job.at(Kind.JOB_OFFERED), job.at(Kind.JOB_ENDED)
            if job.at(Kind.JOB_RECEIVED, Kind.JOB_REJECTED) or not offered or not ended:
                continue
            if ended.time == offered.time and job.status == "JS_SUCCESS" and not job.participant_identity:
                yield self.found(
                    f"Job {job.sid} ended the moment it was offered, as JS_SUCCESS and without a participant identity:"
                    " this is how the server records a rejected job.",
                    offered,
                    ended,
                )


class RequestRaised(_RefusedJob):
    """The worker's request_fnc raised before it answered: livekit-agents logs that and rejects the job.

    Known from the worker, with the exception.
    """

    name = "request-raised"
    about = "the worker's request_fnc raised an exception"
    advice = "Fix request_fnc: an exception before accept() or reject() rejects the job."
    said = (agents("worker.py"),)
    answer = "raised"
    what_it_did = "raised an exception"

    def doubt(self, call: Call) -> str | None:
        return instrument_or_log("“job_request_fnc failed”") if worker_unreported(call) else None


class LoadFncRaised(_RefusedJob):
    """The worker's load_fnc raised: livekit-agents calls it before it answers, and then sends no answer at all.

    The server waits 3 s for one, and asks no other worker. Known from the worker, with the exception. Source:
    livekit-agents 1.8.9, worker.py, ``_answer_availability``; those older than 1.5 do not call it there.
    """

    name = "load-fnc-raised"
    about = "the worker's load_fnc raised an exception"
    advice = (
        "Fix load_fnc: it is called before each job is answered, and where it raises the server gets no answer, waits"
        " 3 s and drops the job, whichever workers there are beside."
    )
    said = (
        agents("worker.py"),
        server("pkg/agent/worker.go"),
    )
    who = "load_fnc"
    answer = "load_raised"
    what_it_did = "raised an exception, so that no answer was sent"

    def doubt(self, call: Call) -> str | None:
        log = "“Error in _load_task”"
        return instrument_or_log(log) if worker_unreported(call) else None


class RequestUnanswered(_RefusedJob):
    """The worker's request_fnc returned without an answer: livekit-agents then rejects the job.

    Known from the worker.
    """

    name = "request-unanswered"
    about = "the worker's request_fnc returned without an answer"
    advice = "Call accept() or reject() on every path through request_fnc."
    said = (agents("worker.py"),)
    answer = "unanswered"
    what_it_did = "returned without calling accept() or reject()"

    def doubt(self, call: Call) -> str | None:
        log = "“no answer was given inside the job_request_fnc”"
        return instrument_or_log(log) if worker_unreported(call) else None


class SlowRequest(Cause):
    """The server offers a job, waits 3 s for the answer, and drops it.

    Known from the worker's own receipt and answer, on one clock. Where no answer is known, certain only if the worker
    received the request in time, the server does not list the job as one that runs, and the worker reported something
    later: else it may be gone, or its answer is lost.
    """

    name = "slow-request"
    symptom = Symptom.MISSING
    about = "the worker took longer to answer than the 3 s that the server waits"
    advice = "Answer at once: move slow work into the entrypoint, after accept()."
    said = (
        server("pkg/agent/worker.go"),
        Page.OPTIONS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job, received, mine in requests(call):
            yield from self._judge(call, job, received, mine)

    def _judge(self, call: Call, job: Job, received: Step, mine: Mapping[Kind, Step]) -> Iterator[Finding]:
        """Given that a worker received the job's request, and what it did with it."""
        if Kind.JOB_REJECTED in mine:
            return  # late or not, it did not want the job
        answered = mine.get(Kind.JOB_ACCEPTED)
        took = answered.time - received.time if answered else self._unanswered_for(call, job, received)
        if took <= SERVER_WAITS:
            return
        answer = (
            f"answered after {took / NS_PER_S:.1f} s" if answered else f"has not answered in {took / NS_PER_S:.1f} s"
        )
        part = part_of_load_fnc(answered, took)
        slow = "" if part is None else f", {part:.1f} s of it in load_fnc"
        yield self.found(
            f"Worker {received.occurrence} was offered the job and {answer}{slow}; the server waits 3 s, then drops the"
            " job.",
            *offer(job, received),
            answered,
            mine.get(Kind.JOB_TIMED_OUT),
            advice=None if part is None else MAKE_IT_QUICK,
            certain=answered is not None or (self._is_open(job, received) and self._reported_later(call, received)),
        )

    @staticmethod
    def _is_open(job: Job, received: Step) -> bool:
        """Whether a request of which no answer is known came in time, and nobody else shows that it was answered."""
        offered = offer(job, received)[0]
        in_time = offered is None or received.earliest - offered.latest <= SERVER_WAITS
        return in_time and job.status != "JS_RUNNING"

    @staticmethod
    def _reported_later(call: Call, received: Step) -> bool:
        """Whether the worker reported something when its answer was overdue."""
        of_worker = (w.steps[-1].time for w in call.workers.all if w.sid == received.occurrence)
        return any(last - received.time > SERVER_WAITS for last in of_worker)

    @staticmethod
    def _unanswered_for(call: Call, job: Job, received: Step) -> int:
        """For how long the worker has not answered, ns: by its own clock and by the server's."""
        offered = job.at(Kind.JOB_OFFERED)
        return call.timeline.now - max(received.time, offered.time if offered else received.time)

    def doubt(self, call: Call) -> str | None:
        return instrument_or_log("“assignment for job … timed out”") if worker_unreported(call) else None
