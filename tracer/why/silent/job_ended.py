"""The job ended, and its agent is still in the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.why.call.limits import LONG_ENOUGH, SOON
from tracer.why.call.participants import DROPPED, NOTICED_WITHIN, name_of
from tracer.why.call.serving import seconds, stays
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["JobEndedInCall"]


class JobEndedInCall(Cause):
    """The agent's event loop ends without a shutdown, as with ``sys.exit()``: its connection to the room stays up.

    livekit-rtc keeps the connection on threads of its own, until the process ends: the agent is ACTIVE and its track
    published, and it neither hears nor speaks. Known from the end of the job's root span (livekit-agents 1.8.2 and
    newer) without a ``job_shutdown``, and from an agent who was there for 3 s after with a caller. A job whose worker
    is killed ends so too, and its process with it, which the server notices 20 s later: it is certain of an agent who
    is known to have stayed for longer, or of whose process the worker reported something after.
    """

    name = "job-ended-in-call"
    symptom = Symptom.SILENT
    about = "the agent's job ended without a shutdown, and the agent stayed in the room without a word"
    advice = (
        "End a job by ctx.shutdown(): sys.exit(), or whatever else raises SystemExit in the agent's code, stops its"
        " event loop and leaves its connection to the room behind. If the worker was killed, with its jobs, look there."
    )
    said = (
        agents("ipc/job_proc_lazy_main.py"),
        Page.JOB,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            if found := self._judge(call, job):
                yield found

    def _judge(self, call: Call, job: Job) -> Finding | None:
        ended, agent = job.reported_end, call.agents.of(job)
        if ended is None or agent is None:
            return None
        if job.at(Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.AGENT_CONNECTION_LOST):
            return None
        if agent.disconnect_reason in DROPPED:
            return None  # its process had ended too: see ProcessKilled
        until = min(call.left_at(agent), call.end)
        stay = max(stays(call, job, ended.time, until), key=lambda one: one.lasted, default=None)
        if stay is None or stay.lasted <= LONG_ENOUGH:
            return None
        stayed = agent.gone is not None and agent.gone.time - ended.time > NOTICED_WITHIN
        others = (one for one in call.agents.all if one.sid != agent.sid)
        served = any(one.steps[0].time < stay.until and call.left_at(one) > stay.since + SOON for one in others)
        return self.found(
            f"Job {job.sid} ended without a shutdown, and {name_of(agent)} stayed in the room: for"
            f" {seconds(call, stay)} {name_of(stay.who)} was with an agent that could not hear or speak.",
            ended,
            agent.gone,
            certain=not served and (stayed or job.at(Kind.PROCESS_FAILED) is not None),
        )
