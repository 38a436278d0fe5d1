"""The entrypoint ran, and did not get as far as ``ctx.connect()``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.reporting import FROM_THE_SERVER
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.why.call.jobs import error_of
from tracer.why.cause import Cause
from tracer.why.missing.without_job import instrument_or_log, runs_unreported
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["CONNECTED", "NeverConnected", "RaisedBeforeConnect"]

CONNECT_BY = 10 * NS_PER_S
"""livekit-agents itself warns of an entrypoint that has not connected by then, ns."""

CONNECTED = (
    Kind.AGENT_CONNECTING,
    Kind.AGENT_CONNECTED,
    Kind.AGENT_WAITING_FOR_PARTICIPANT,
    Kind.SESSION_LINKED,
    Kind.SESSION_WAITING_FOR_AUDIO,
    Kind.SESSION_AUDIO_PUBLISHED,
)
"""What a job reports only where it connected to a room, or tried to. It reports that it disconnected in any case."""


def _without_connect(call: Call) -> Iterator[tuple[Job, Step]]:
    """Jobs whose entrypoint started and that did not begin to connect, and when it started."""
    for job in call.dispatches.failed_jobs:
        started = job.at(Kind.JOB_ENTRYPOINT_STARTED)
        if started and not job.at(Kind.PROCESS_FAILED, *CONNECTED):
            yield job, started


class RaisedBeforeConnect(Cause):
    """The entrypoint raised before it connected; the server believes for ever that such a job runs.

    Known from the job's own spans: ``job_entrypoint`` ended with an error, and there is no ``room_connect``.
    """

    name = "raised-before-connect"
    symptom = Symptom.MISSING
    about = "the entrypoint raised an exception before it connected"
    advice = "Fix the entrypoint. The server keeps listing such a job as JS_RUNNING, and reports no error."
    said = (
        agents("ipc/job_proc_lazy_main.py"),
        Page.JOB,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job, started in _without_connect(call):
            ended = job.at(Kind.JOB_ENDED)
            if error := error_of(ended):
                yield self.found(
                    f"The entrypoint of job {job.sid} raised {error}, before ctx.connect().", started, ended
                )

    def doubt(self, call: Call) -> str | None:
        log = "“unhandled exception while running the job task”"
        return instrument_or_log(log) if runs_unreported(call) else None


class NeverConnected(Cause):
    """Without ``ctx.connect()`` the agent does not join the room.

    Known from the job's own spans: the entrypoint returned, or ran for longer than 10 s, and there is no
    ``room_connect``. Not certain where the room closed meanwhile, or the job was lost: it may have been about to.
    """

    name = "never-connected"
    symptom = Symptom.MISSING
    about = "the entrypoint never called ctx.connect()"
    advice = "Call await ctx.connect(), or session.start(room=ctx.room), on every path through the entrypoint."
    said = (
        agents("job.py"),
        Page.JOB,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job, started in _without_connect(call):
            if error_of(job.at(Kind.JOB_ENDED)):
                continue
            returned = job.at(Kind.JOB_ENTRYPOINT_RETURNED)
            if job.is_entrypoint_only:
                yield from self._entrypoint_only(call, job, started, returned)
            elif returned:
                took = (returned.time - started.time) / NS_PER_MS
                yield self.found(
                    f"The entrypoint of job {job.sid} returned after {took:.0f} ms without ctx.connect().",
                    started,
                    returned,
                )
            else:
                yield from self._did_not_return(call, job, started)

    def _entrypoint_only(self, call: Call, job: Job, started: Step, returned: Step | None) -> Iterator[Finding]:
        """Of one that has no span for its connection; in Node the entrypoint's ends so whether it returned or threw.

        That no agent joined is known from the server only.
        """
        if not returned or not call.witnesses & FROM_THE_SERVER:
            return
        took = (returned.time - started.time) / NS_PER_MS
        instead = "it threw an error, or never called" if job.is_node else "it could not, or never called"
        log = "“error in entry function”" if job.is_node else "an error of its connection"
        yield self.found(
            f"The entrypoint of job {job.sid} ended after {took:.0f} ms, and no agent of it joined: {instead}"
            " ctx.connect().",
            started,
            returned,
            certain=False,
            advice=f"Look in the agent's log for {log}; else call await ctx.connect(), or session.start(room=ctx.room),"
            " on every path through the entrypoint.",
        )

    def _did_not_return(self, call: Call, job: Job, started: Step) -> Iterator[Finding]:
        over = job.at(Kind.JOB_SHUTDOWN) or job.at(Kind.JOB_ENDED)
        until = over or call.timeline.room.finished
        runs = over is None and call.timeline.lost(job) is None
        if runs and call.timeline.now - started.time <= CONNECT_BY:
            return  # whatever became of its room, it can still connect
        lasted = (until.time if until else call.timeline.now) - started.time
        if lasted > CONNECT_BY or (until and lasted > NS_PER_S):
            yield self.found(
                f"The entrypoint of job {job.sid} ran for {lasted / NS_PER_S:.1f} s without ctx.connect().",
                started,
                until,
                certain=over is not None and lasted > CONNECT_BY and call.timeline.lost(job) is None,
            )

    def doubt(self, call: Call) -> str | None:
        log = "“The room connection was not established within 10 seconds”"
        return instrument_or_log(log) if runs_unreported(call) else None
