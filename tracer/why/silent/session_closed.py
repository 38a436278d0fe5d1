"""The session closed, and the agent stayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.units import NS_PER_S
from tracer.why.call.jobs import is_for, is_room_job
from tracer.why.call.limits import FOREVER, SOON, STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["SessionClosed"]


class SessionClosed(Cause):
    """A closed session does not answer; the job goes on, and the agent stays in the room.

    Known from the job's own spans (``session_close``, and no other session) and from a caller who stayed for longer
    than a second. Certain of one caller whose leave is on record, if every other agent there reported what it did.
    """

    name = "session-closed"
    symptom = Symptom.SILENT
    about = "the agent's session closed, and its job went on"
    advice = "When the session is over, end the job too (ctx.shutdown()), or start a new session."

    def find(self, call: Call) -> Iterator[Finding]:
        room = [session for job in call.timeline.jobs if is_room_job(job) for session in _sessions(call, job)]
        for job in call.timeline.jobs:
            sessions = room if is_room_job(job) else [*room, *_sessions(call, job)]
            closes = (step for step in reversed(job.steps) if step.kind is Kind.SESSION_CLOSED)
            findings = (self._silence_after(call, job, closed, sessions) for closed in closes)
            if last := next((finding for finding in findings if finding), None):
                yield last

    def _silence_after(self, call: Call, job: Job, closed: Step, sessions: list[tuple[int, int]]) -> Finding | None:
        """What came after a session closed, given from when until when there were sessions, ns."""
        if any(began <= closed.time and ended - closed.time > SOON for began, ended in sessions):
            return None  # another session goes on
        again = min((began for began, _ in sessions if began > closed.time), default=FOREVER)
        if again - closed.time <= STUCK_BY:
            return None  # another one answers
        over = job.at(Kind.JOB_SHUTDOWN, Kind.JOB_ENDED, Kind.PROCESS_FAILED)
        agent = call.agents.of(job)
        ends = [call.end, again]
        if over:
            ends.append(over.time)
        if agent:
            ends.append(call.left_at(agent))
        theirs = [(min(until, *ends), who) for until, who in call.callers.at(closed.time) if is_for(job, who)]
        alone = [(until, who) for until, who in theirs if until - closed.time > SOON]
        if not alone:
            return None
        silent = (max(until for until, _ in alone) - closed.time) / NS_PER_S
        names = ", ".join(name_of(who) for _, who in alone[:3])
        # Two callers may talk with each other, as after a transfer; and an agent that reports nothing may answer.
        one_whose_leave_is_known = len(alone) == 1 and alone[0][1].gone is not None
        return self.found(
            f"The session of job {job.sid} closed, and for {silent:.1f} s more {names} had an agent in the room that"
            " could not hear or speak.",
            closed,
            over,
            certain=one_whose_leave_is_known and again == FOREVER and not _another_may_answer(call, job, closed),
        )

    def doubt(self, call: Call) -> str | None:
        names = " and ".join(name_of(agent) for agent in call.agents.uninstrumented[:3])
        return (
            f"instrument {names} (tracer.instrument): only the agent reports what its session does" if names else None
        )


def _another_may_answer(call: Call, job: Job, closed: Step) -> bool:
    """Whether another agent was there of which it is not known what it did."""
    mine = call.agents.of(job)
    others = [agent for agent in call.agents.unreported if mine is None or agent.sid != mine.sid]
    return any(call.left_at(agent) > closed.time + SOON for agent in others)


def _sessions(call: Call, job: Job) -> list[tuple[int, int]]:
    """From when until when a job had sessions, ns; one whose start is not on record began with the job."""
    closed = {step.occurrence: step.time for step in job.steps if step.kind is Kind.SESSION_CLOSED}
    starts = [step for step in job.steps if step.kind is Kind.SESSION_STARTING]
    over = job.at(Kind.JOB_ENDED, Kind.PROCESS_FAILED)
    end = over.time if over else job.last_reported.time if call.timeline.lost(job) else FOREVER
    started = [(s.time, closed.get(s.occurrence, end)) for s in starts if keys.ERROR_TYPE not in s.facts]
    unknown = closed.keys() - {s.occurrence for s in starts}
    return started + [(job.steps[0].time, closed[occurrence]) for occurrence in unknown]
