"""The agent's own code was slow."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer.kinds import Kind
from tracer.livekit_sources import Page
from tracer.units import NS_PER_S
from tracer.why.call.jobs import in_one_run, waits
from tracer.why.call.limits import SOON
from tracer.why.call.music import silence
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["SlowCode"]

SLOW = 2 * NS_PER_S
"""What the code may take between two steps while a caller is there, ns."""


class SlowCode(Cause):
    """What the agent's own code does before the caller is served.

    Known from the gaps between the job's own spans, as far as a caller was there, and the agent played them nothing.
    Not certain where a telephone joined meanwhile: the code may have dialled it, and waited for an answer; nor where a
    caller's track was published just before the end of it: it may have waited for that.
    """

    name = "slow-code"
    symptom = Symptom.LATE
    about = "the agent's own code was slow to start the session"
    advice = (
        "Do it in setup_fnc (once a process, before a call), in parallel with the rest (asyncio.gather), or after the"
        " greeting."
    )
    for_a_track = (
        "If it waited for the caller's track: start the session without it, which waits for the audio itself, and have"
        " the caller's client publish its microphone as it joins."
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
                    track = _published_before(call, start, end)
                    who = name_of(track.publisher) if track else ""
                    waited = (
                        f": it went on when {who} had published a track, and may have waited for that" if who else ""
                    )
                    yield self.found(
                        f"The code of job {job.sid} took {took:.1f} s {where}{waited}.",
                        start,
                        track.step if track else None,
                        end,
                        certain=not waited and not _telephone_joined(call, start, end),
                        advice=self.for_a_track if waited else None,
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


class _Published(NamedTuple):
    """A caller's first track."""

    step: Step
    publisher: Participant


def _published_before(call: Call, start: Step, end: Step) -> _Published | None:
    """The first track of a caller who had been there without one, published within a second before a step."""
    for who in call.callers.all:
        steps = call.callers.published.get(who.sid, ())
        first = min(steps, key=lambda step: step.time, default=None)
        came = who.at(Kind.PARTICIPANT_ACTIVE)
        if first and came and start.time < first.time < end.time < first.time + SOON and came.time < first.time - SLOW:
            return _Published(first, who)
    return None


def _telephone_joined(call: Call, start: Step, end: Step) -> bool:
    """Whether a SIP participant joined between two steps."""
    joins = (p.at(Kind.PARTICIPANT_JOINING) for p in call.callers.all if p.kind == "SIP")
    return any(start.earliest <= step.latest and step.earliest <= end.latest for step in joins if step)
