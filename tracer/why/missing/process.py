"""The job was accepted, and no process started for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.units import NS_PER_S
from tracer.why.cause import Cause
from tracer.why.missing.without_job import instrument_or_log, runs_unreported
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["ProcessFailed"]

PROCESS_BY = 10 * NS_PER_S
"""A process that has not started by then, ns, is killed by default (``initialize_process_timeout``)."""
REPORTED_EVERY = 5 * NS_PER_S
"""A worker whose processes do not start reports it so often, ns: see ``worker_process.NOT_UP_EVERY``."""

TIMEOUT = "TimeoutError"
"""What a worker gives as the error of a process that it ended as it took too long to start."""


class ProcessFailed(Cause):
    """A job for which no process could be started.

    Known from the worker: it reports the job's process as failed, or, of a job that it accepted and that has no
    process after 10 s, that its processes do not start; not certain of these while the call goes on.
    """

    name = "process-failed"
    symptom = Symptom.MISSING
    about = "no process started for the job"
    advice = "Fix setup_fnc; it must finish within initialize_process_timeout (10 s by default)."
    TIMED_OUT = (
        "Give the machine more CPU, or shorten the agent's imports and setup_fnc: both must be done within"
        " initialize_process_timeout (10 s by default)."
    )
    said = (
        agents("ipc/supervised_proc.py"),
        Page.OPTIONS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.dispatches.failed_jobs:
            if job.at(Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTING, Kind.JOB_TIMED_OUT):
                continue
            failed = job.at(Kind.PROCESS_FAILED)
            if failed and keys.EXIT_CODE in failed.facts:
                continue  # one started, and had the job
            accepted = job.at(Kind.JOB_ACCEPTED, Kind.JOB_ASSIGNED)
            of_worker = self._failures_of_worker(call, accepted) if accepted else []
            overdue = accepted is not None and call.timeline.now - accepted.time > PROCESS_BY
            if failed is None and not (of_worker and overdue):
                continue
            reason = next((s for s in (*of_worker, failed) if s and s.facts.get(keys.ERROR_TYPE)), None)
            what = reason.facts.get(keys.ERROR_MESSAGE) or reason.facts.get(keys.ERROR_TYPE) if reason else None
            yield self.found(
                f"Job {job.sid} was accepted, and no process started for it{f': {what}' if what else ''}.",
                accepted,
                failed,
                reason,
                certain=failed is not None or call.timeline.room.finished is not None,  # the next may start yet
                advice=self.TIMED_OUT if reason and reason.facts.get(keys.ERROR_TYPE) == TIMEOUT else None,
            )

    @staticmethod
    def _failures_of_worker(call: Call, accepted: Step) -> list[Step]:
        """Processes that failed in the worker that accepted a job, from just before that on."""
        worker = accepted.facts.get(keys.WORKER_ID)
        steps = (step for one in call.workers.all if one.sid == worker for step in one.steps)
        return [s for s in steps if s.kind is Kind.PROCESS_FAILED and s.time >= accepted.time - REPORTED_EVERY]

    def doubt(self, call: Call) -> str | None:
        return instrument_or_log("“error initializing process”") if runs_unreported(call) else None
