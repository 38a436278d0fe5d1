"""The job was shut down while its caller was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.entities import Shutdown
from tracer.units import NS_PER_S
from tracer.why.call.jobs import error_of
from tracer.why.call.limits import AT_ONCE, SOON
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["Deployed", "RaisedAfterConnect"]

CLOSES_WITHIN = 60 * NS_PER_S
"""A worker that ends its jobs has closed itself so soon after, ns."""


def _whom_it_hit(call: Call, at: int) -> str | None:
    """For whom a shutdown at this time, ns, was too early, as the end of a sentence; None for nobody."""
    if call.callers.at(at):
        return "while the caller was there"
    return "before its caller joined" if call.first_caller_found_none(at) else None


class RaisedAfterConnect(Cause):
    """The entrypoint raised: livekit-agents then ends the job, and the agent leaves.

    Known from the job's own spans: its shutdown reason is ``job crashed``.
    """

    name = "raised-after-connect"
    symptom = Symptom.DISCONNECTED
    about = "the entrypoint raised an exception, and the agent left"
    advice = "Fix the entrypoint: an exception in it ends the job, also one that session.start() raises."
    said = (agents("ipc/job_proc_lazy_main.py"),)

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            connected, shutdown = job.at(Kind.AGENT_CONNECTED), job.at(Kind.JOB_SHUTDOWN)
            if not connected or not shutdown or job.shutdown_reason != Shutdown.CRASHED:
                continue
            ended, starting = job.at(Kind.JOB_ENDED), job.at(Kind.SESSION_STARTING)
            error = error_of(ended)
            if hit := _whom_it_hit(call, shutdown.time):
                yield self.found(
                    f"The entrypoint of job {job.sid} raised {error or 'an exception'}, and the agent left {hit}.",
                    connected,
                    starting if starting and keys.ERROR_TYPE in starting.facts else None,
                    shutdown,
                    ended if error else None,
                )


class Deployed(Cause):
    """A worker that is stopped waits for its jobs, but not for ever.

    Known from the job's shutdown reason and from its worker, which reported that it drains or closes. Certain where
    the worker then closed, and the caller is known to have been there, whatever webhook is lost: the server, too, has a
    worker end a job in these words, after DeleteDispatch or when its agent was removed.
    """

    name = "deployed"
    symptom = Symptom.DISCONNECTED
    about = "the worker was stopped during the call"
    advice = (
        "Give the worker time to finish: raise drain_timeout, and the grace period of what stops it"
        " (terminationGracePeriodSeconds, stop_grace_period)."
    )
    said = (
        agents("worker.py"),
        Page.LIFECYCLE,
    )

    reloaded = (
        "In development, a worker that reloads when its code changes (dev) ends its jobs and runs them again: save when"
        " nobody calls. In production start the worker with start, and give it time to finish (drain_timeout)."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            for shutdown in job.steps:
                reasons = (None, Shutdown.BY_WORKER)
                if shutdown.kind is Kind.JOB_SHUTDOWN and shutdown.facts.get(keys.SHUTDOWN_REASON) in reasons:
                    yield from self._judge(call, job, shutdown)

    def _judge(self, call: Call, job: Job, shutdown: Step) -> Iterator[Finding]:
        """Given a job that its worker may have shut down."""
        worker = next((w for w in call.workers.all if w.sid == job.worker_id), None)
        stopping = worker.at(Kind.WORKER_DRAINING, Kind.WORKER_CLOSED) if worker else None
        hit = _whom_it_hit(call, shutdown.time)
        finished = call.timeline.room.finished
        if worker is None or stopping is None or stopping.time > shutdown.time + SOON or hit is None:
            return
        if finished and finished.time <= shutdown.time:
            return
        closed, agent = worker.at(Kind.WORKER_CLOSED), call.agents.of(job)
        later = shutdown.time - stopping.time
        when = f"{later / NS_PER_S:.1f} s later" if later > AT_ONCE else "at once"
        reason = shutdown.facts.get(keys.SHUTDOWN_REASON)
        removed = agent is not None and agent.disconnect_reason == "PARTICIPANT_REMOVED"
        again = _next_run(job, shutdown)
        took = f"; it ran again {(again.time - shutdown.time) / NS_PER_S:.1f} s after that" if again else ""
        yield self.found(
            f"Worker {worker.sid} was being stopped, and {when} job {job.sid} was shut down"
            f"{f' ({reason})' if reason else ''}, {hit}{took}.",
            stopping,
            shutdown,
            closed,
            again,
            certain=closed is not None
            and abs(closed.time - shutdown.time) < CLOSES_WITHIN
            and not removed
            and (not call.callers.at(shutdown.time) or call.callers.known_at(shutdown.time)),
            advice=self.reloaded if again else None,
        )


def _next_run(job: Job, shutdown: Step) -> Step | None:
    """When a job connected again, in a later run."""
    connects = (step for step in job.steps if step.kind is Kind.AGENT_CONNECTED and step.time > shutdown.time)
    return min(connects, key=lambda step: step.time, default=None)
