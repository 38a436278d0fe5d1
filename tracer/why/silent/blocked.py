"""The agent's event loop stood still."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import agents
from tracer.timeline.sessions import sessions_of
from tracer.units import NS_PER_S
from tracer.why.call.limits import SOON
from tracer.why.call.participants import name_of
from tracer.why.call.serving import over_at, stays
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["EventLoopBlocked", "blocked_between"]

NOTICED = NS_PER_S
"""Less than this, ns, a caller hardly hears; a busy machine makes such pauses."""
TOO_LONG = 3 * NS_PER_S
"""A caller waits for so long, ns, altogether: once, or again and again."""


class EventLoopBlocked(Cause):
    """While the agent's event loop stands still, it neither hears nor speaks.

    Known from livekit-agents' spans ``event_loop_blocked`` of a second or more, while a session ran and a caller was
    there; while it lasts, from a thread of the job's process to which the loop does not answer. Not certain of several
    short ones: a machine without CPU to spare does that too.
    """

    name = "event-loop-blocked"
    symptom = Symptom.SILENT
    about = "the agent's event loop was blocked, and it neither heard nor spoke"
    advice = (
        "Find the blocking call: the span event_loop_blocked has its stack (lk.blocking.stack). Use an async library"
        " for it, or run it in a thread (await asyncio.to_thread(…)). Where every job is blocked at once, give the"
        " machine more CPU, or the worker fewer jobs."
    )
    said = (agents("telemetry/loop_monitor.py"),)

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            # Sessions that are open at once stand still together.
            found = [one for session in sessions_of(job) if (one := self._judge(call, job, session))]
            yield from {one.sentence: one for one in found}.values()

    def _judge(self, call: Call, job: Job, session: Session) -> Finding | None:
        begun = session.started or session.starting
        if begun is None:
            return None
        until = min(session.until, over_at(call, job, begun.time))
        blocks = [
            (lasted, step)
            for step in job.steps
            if step.kind is Kind.AGENT_BLOCKED
            and (lasted := _while_there(call, job, step, begun.time, until)) > NOTICED
        ]
        blocks += _goes_on(call, job, begun.time, until)
        total = sum(lasted for lasted, _ in blocks)
        if total < TOO_LONG:
            return None
        longest, step = max(blocks, key=lambda block: block[0])
        names = list(dict.fromkeys(name_of(stay.who) for stay in stays(call, job, begun.time, until)))[:3]
        often = f"{len(blocks)} times, {total / NS_PER_S:.1f} s altogether" if len(blocks) > 1 else "once"
        still = step.kind is Kind.AGENT_STALLED and call.timeline.room.finished is None and until >= call.end
        was, so_far = ("has been", " so far") if still else ("was", "")
        return self.found(
            f"The event loop of job {job.sid} {was} blocked for {longest / NS_PER_S:.1f} s{so_far} ({often}) while"
            f" {' and '.join(names)} {'was' if len(names) == 1 else 'were'} there.",
            blocks[0][1],
            step,
            certain=longest >= TOO_LONG,
        )


def blocked_between(job: Job, since: int, until: int) -> int:
    """For how long, ns, a job's event loop is known to have stood still between two times."""
    known = ((step.time, step.facts.get(keys.BLOCKED_FOR)) for step in job.steps if step.kind is Kind.AGENT_BLOCKED)
    ends = ((at, at + round(lasted * NS_PER_S)) for at, lasted in known if isinstance(lasted, int | float))
    return sum(max(min(ended, until) - max(began, since), 0) for began, ended in ends)


def _goes_on(call: Call, job: Job, since: int, until: int) -> list[tuple[int, Step]]:
    """The stretch in which the loop stands still that nothing has ended yet: the job has reported nothing since."""
    # How the process ended its worker reports: what killed it can be that the loop stood still.
    own = [step for step in job.steps if "agent" in step.witnesses and step.kind is not Kind.PROCESS_FAILED]
    stalled = next((step for step in reversed(own) if step.kind is Kind.AGENT_STALLED), None)
    if stalled is None or any(step.time > stalled.time + SOON for step in own):
        return []
    if any(step.kind is Kind.AGENT_BLOCKED and step.time > stalled.time - SOON for step in own):
        return []
    there = stays(call, job, max(stalled.time, since), until)
    lasted = max((stay.lasted for stay in there), default=0)
    return [(lasted, stalled)] if lasted > NOTICED else []


def _while_there(call: Call, job: Job, blocked: Step, since: int, until: int) -> int:
    """For how long, ns, it was blocked between two times while a caller was there."""
    lasted = blocked.facts.get(keys.BLOCKED_FOR)
    if not isinstance(lasted, int | float):
        return 0
    first, last = max(blocked.time, since), min(blocked.time + round(lasted * NS_PER_S), until)
    return max((stay.lasted for stay in stays(call, job, first, last)), default=0)
