"""A dispatch without a job, and a job that brought nobody: what their causes share."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from tracer.kinds import Kind
from tracer.timeline.reporting import is_reported
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tracer.timeline.entities import Dispatch, Job, Worker
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = [
    "MOST_WORKERS",
    "WithoutJob",
    "instrument_or_log",
    "names_of",
    "offer",
    "requests",
    "runs_unreported",
    "worker_unreported",
]

MOST_WORKERS = 10
"""So many workers are evidence enough."""


class WithoutJob(Cause):
    """A dispatch with no job: which of several reasons, the workers' own reports show."""

    symptom = Symptom.MISSING
    log: ClassVar[str] = ""
    """What to look for in the log of a worker that reports nothing."""

    def find(self, call: Call) -> Iterator[Finding]:
        if call.dispatches.perhaps_unwanted:
            return
        for dispatch, created in call.dispatches.without_job:
            waiting = [job.steps[0] for job in call.dispatches.waiting(dispatch)]
            for one in self.judge(call, dispatch, created, call.workers.current(dispatch.agent_name, created.time)):
                # Newer servers report the job that no worker was offered, and why.
                yield self.found(one.sentence, *one.evidence, *waiting, certain=one.certain, advice=one.advice)

    @abstractmethod
    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        """Given a dispatch, when it was created, and the workers that take dispatches of its name."""

    def doubt(self, call: Call) -> str | None:
        return instrument_or_log(self.log) if self.log and dispatch_unreported(call) else None


def instrument_or_log(log: str) -> str:
    """How to find out what a worker that reports nothing did; ``log`` is what it logs then."""
    return f"instrument the worker (tracer.instrument), or look in its log for {log}"


def names_of(workers: list[Worker]) -> str:
    """The agent names of these workers."""
    return ", ".join(sorted({repr(worker.agent_name) for worker in workers}))


def dispatch_unreported(call: Call) -> bool:
    """Whether a dispatch that somebody may have wanted has no job, and its workers, if any, reported nothing."""
    if call.dispatches.perhaps_unwanted:
        return False
    return any(not call.workers.named(dispatch.agent_name) for dispatch, _ in call.dispatches.without_job)


def worker_unreported(call: Call) -> bool:
    """Whether a worker that reports nothing could have been offered a job in vain."""
    return dispatch_unreported(call) or any(not is_reported(job) for job in call.dispatches.failed_jobs)


def runs_unreported(call: Call) -> bool:
    """Whether the server reports that a job runs, and nothing else is known of it."""
    return any(not is_reported(job) and job.status == "JS_RUNNING" for job in call.dispatches.failed_jobs)


def requests(call: Call) -> Iterator[tuple[Job, Step, Mapping[Kind, Step]]]:
    """Each request for a job that no worker was given: a worker's receipt, and all that this worker did, by kind."""
    for job in call.dispatches.failed_jobs:
        if job.at(Kind.JOB_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED, Kind.PROCESS_FAILED):
            continue
        for received in job.steps:
            if received.kind is Kind.JOB_RECEIVED:
                yield job, received, _by_worker_of(job, received)


def _by_worker_of(job: Job, answer: Step) -> Mapping[Kind, Step]:
    """The first steps of each kind by the worker that gave this answer."""
    return {step.kind: step for step in reversed(job.steps) if step.occurrence == answer.occurrence}


def offer(job: Job, answer: Step) -> tuple[Step | None, ...]:
    """How the worker that gave this answer was offered the job."""
    mine = _by_worker_of(job, answer)
    return (mine.get(Kind.JOB_OFFERED, job.at(Kind.JOB_OFFERED)), mine.get(Kind.JOB_RECEIVED))
