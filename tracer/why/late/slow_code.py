"""The agent's own code was slow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page
from tracer.units import NS_PER_S
from tracer.why.call.jobs import in_one_run, waits
from tracer.why.call.music import silence
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["SlowCode"]

SLOW = 2 * NS_PER_S
"""What the code may take between two steps while a caller is there, ns."""


class SlowCode(Cause):
    """What the agent's own code does before the caller is served.

    Known from the gaps between the job's own spans, as far as a caller was there, and the agent played them nothing.
    Not certain where a telephone joined meanwhile: the code may have dialled it, and waited for an answer.
    """

    name = "slow-code"
    symptom = Symptom.LATE
    about = "the agent's own code was slow to start the session"
    advice = (
        "Do it in setup_fnc (once a process, before a call), in parallel with the rest (asyncio.gather), or after the"
        " greeting."
    )
    said = (Page.JOB,)

    def find(self, call: Call) -> Iterator[Finding]:
        first_active = call.callers.first_active
        if first_active is None:
            return  # before a caller was there, nobody waited
        last = min(max(call.left_at(who) for who in call.callers.all), call.end)
        for job in call.timeline.jobs:
            for where, start, end in _gaps(job):
                if start is None or end is None or not in_one_run(job, start, end):
                    continue
                took = (end.time - start.time) / NS_PER_S
                if silence(call, job, max(start.time, first_active), min(end.time, last)) > SLOW:
                    yield self.found(
                        f"The code of job {job.sid} took {took:.1f} s {where}.",
                        start,
                        end,
                        certain=not _telephone_joined(call, start, end),
                    )


def _gaps(job: Job) -> Iterator[tuple[str, Step | None, Step | None]]:
    """Where only the agent's own code runs: where that is, and its two ends."""
    connecting, connected = job.at(Kind.AGENT_CONNECTING), job.at(Kind.AGENT_CONNECTED)
    waiting, starting = job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT), job.at(Kind.SESSION_STARTING)
    ends = (end for _, end in waits(job) if end and starting and end.time <= starting.time)
    ready = next(ends, None)
    if waiting and starting and waiting.time > starting.time:
        waiting = None  # the session's own
    yield "before ctx.connect()", job.at(Kind.JOB_ENTRYPOINT_STARTED), connecting
    yield "between ctx.connect() and wait_for_participant()", connected, waiting
    yield "before session.start()", ready or (None if waiting else connected), starting


def _telephone_joined(call: Call, start: Step, end: Step) -> bool:
    """Whether a SIP participant joined between two steps."""
    joins = (p.at(Kind.PARTICIPANT_JOINING) for p in call.callers.all if p.kind == "SIP")
    return any(start.earliest <= step.latest and step.earliest <= end.latest for step in joins if step)
