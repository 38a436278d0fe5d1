"""When an agent lost its connection to the room, and whether it came back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["Interruption", "given_up", "interruptions"]


class Interruption(NamedTuple):
    """An agent was without its connection, as far as its SDK noticed: it was lost some seconds earlier."""

    began: Step
    ended: Step | None
    """When it was back, or gave up; None where neither was reported."""

    @property
    def is_over(self) -> bool:
        """Whether the agent came back."""
        return self.ended is not None and self.ended.kind is Kind.AGENT_RECONNECTED


def interruptions(job: Job) -> Iterator[Interruption]:
    """Each of a job's, in order: from the first attempt to reconnect until it succeeds or is given up."""
    began = None
    for step in job.steps:
        if step.kind is Kind.AGENT_RECONNECTING:
            began = began or step
        elif step.kind in (Kind.AGENT_RECONNECTED, Kind.AGENT_CONNECTION_LOST):
            if began or step.kind is Kind.AGENT_CONNECTION_LOST:
                yield Interruption(began or step, step)
            began = None
    if began:
        yield Interruption(began, None)


def given_up(timeline: Timeline, job: Job) -> Iterator[Interruption]:
    """Those after which a job's agent gave up, and had not been leaving anyway: it or its room had not ended before."""
    ends = [step for step in (job.at(Kind.JOB_SHUTDOWN), timeline.room.finished) if step]
    for one in interruptions(job):
        over = one.ended
        if over and over.kind is Kind.AGENT_CONNECTION_LOST and all(end.earliest > over.time for end in ends):
            yield one
