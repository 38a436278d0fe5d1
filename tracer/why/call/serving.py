"""Until when a job could serve whom: the caller, the agent and the job's run have to be there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer.kinds import Kind
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.jobs import is_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call.call import Call

__all__ = ["Stay", "ended_by", "over_at", "seconds", "stays"]

OVER = (Kind.JOB_SHUTDOWN, Kind.JOB_ENDED, Kind.PROCESS_FAILED)


class Stay(NamedTuple):
    """A stretch of time in which a caller was there and a job was there for them, ns since the epoch."""

    since: int
    until: int
    who: Participant

    @property
    def lasted(self) -> int:
        """How long, ns."""
        return self.until - self.since


def ended_by(job: Job, at: int) -> Step | None:
    """What ended the run of a job that was under way at this time, ns; None while nothing did."""
    starts = [step for step in job.steps if step.kind is Kind.JOB_ENTRYPOINT_STARTED and step.time <= at]
    run = starts[-1].occurrence if starts else ""
    return next((step for step in job.steps if step.kind in OVER and step.occurrence == run), None)


def over_at(call: Call, job: Job, at: int) -> int:
    """Until when a job that was under way at a time could serve anybody, ns."""
    over, agent = ended_by(job, at), call.agents.of(job)
    known = [call.end, over.time if over else FOREVER, call.left_at(agent) if agent else FOREVER]
    return min(known)


def stays(call: Call, job: Job, since: int, until: int) -> Iterator[Stay]:
    """The callers whom a job is for, with as much of their stay as was between two times, ns."""
    for began, ended, who in call.callers.active:
        if is_for(job, who) and began < until and ended > since:
            yield Stay(max(began, since), min(ended, until), who)


def seconds(call: Call, stay: Stay) -> str:
    """For how long, as ``18.4 s``; of one who is there still, as ``18.4 s so far``.

    Or as ``at least 18.4 s`` where tracer stopped listening before they left.
    """
    still = call.timeline.room.finished is None and stay.until >= call.end
    lasted = f"{stay.lasted / NS_PER_S:.1f} s"
    if still and call.timeline.cut_off:
        return f"at least {lasted}"
    return f"{lasted} so far" if still else lasted
