"""The agents of a room: which job each was, and when it was there."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.timeline.entities import Shutdown
from tracer.timeline.missing_jobs import unaccounted_agents
from tracer.timeline.reporting import uninstrumented, unreported
from tracer.why.call.jobs import received
from tracer.why.call.limits import LONG_ENOUGH
from tracer.why.call.participants import left_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["Agents"]


class Agents:
    """The agents that were in the room, and the jobs they came for."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline

    @property
    def all(self) -> list[Participant]:
        """Agents that were in the room."""
        return self._timeline.agents

    @property
    def of_jobs(self) -> Mapping[str, Participant]:
        """For each job's id the participant it became."""
        return self._timeline.agent_by_job

    def of(self, job: Job) -> Participant | None:
        """The participant that a job became; None where none is known."""
        return self.of_jobs.get(job.sid)

    @cached_property
    def unaccounted(self) -> list[Participant]:
        """Agents of which no job is known."""
        return unaccounted_agents(self._timeline)

    @cached_property
    def uninstrumented(self) -> list[Participant]:
        """Agents in the room that reported nothing and may not be instrumented."""
        return uninstrumented(self._timeline)

    @cached_property
    def unreported(self) -> list[Participant]:
        """Agents in the room that reported nothing, for whatever reason."""
        return unreported(self._timeline)

    def joined(self, job: Job) -> bool:
        """Whether a job brought an agent into a room."""
        return job.sid in self.of_jobs or job.at(Kind.AGENT_CONNECTED) is not None

    def ended_the_call(self, at: int) -> bool:
        """Whether an agent had shut down its own job at this time, ns, and was still there, or had just left."""
        return any(began <= at < gone + LONG_ENOUGH for began, gone in self._own_shutdowns)

    @cached_property
    def _own_shutdowns(self) -> list[tuple[int, int]]:
        """When agents shut down their own jobs, and when they had left, ns."""
        found = []
        for job in self._timeline.jobs:
            shutdown = job.at(Kind.JOB_SHUTDOWN)
            if shutdown and job.shutdown_reason not in (None, *Shutdown):
                agent, ended = self.of(job), job.at(Kind.JOB_ENDED)
                gone = left_at(self._timeline, agent) if agent else ended.time if ended else shutdown.time
                found.append((shutdown.time, gone))
        return found

    def not_before(self, job: Job, step: Step) -> int | None:
        """The earliest that a step of the agent's can have been by the server's clock, ns, whatever its clock skew.

        It came so long after another step of the agent's, and that one after something on the server's clock.
        """
        agent = self.of(job)
        pairs = (
            (job.at(Kind.JOB_OFFERED), received(job)),
            (agent.at(Kind.PARTICIPANT_JOINING) if agent else None, job.at(Kind.AGENT_CONNECTED)),
        )
        known = [first.earliest + step.earliest - then.latest for first, then in pairs if first and then]
        return max(known, default=None)
