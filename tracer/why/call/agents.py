"""The agents of a room: which job each was, and when it was there."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.lost_webhooks import whom_it_met
from tracer.timeline.missing_jobs import unaccounted_agents
from tracer.timeline.reporting import is_reported, uninstrumented, unreported
from tracer.units import NS_PER_S
from tracer.why.call.jobs import own_shutdown, received
from tracer.why.call.limits import AT_ONCE, LONG_ENOUGH, SOON, STUCK_BY
from tracer.why.call.participants import HUNG_UP, left_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["Agents", "is_own"]


def is_own(job: Job, agent: Participant) -> bool:
    """Whether an agent's identity is its job's alone; a worker can give one to all of its agents."""
    return job.sid in (agent.identity or "")


ONLY_IN_A_ROOM = (
    Kind.AGENT_PARTICIPANT_READY,
    Kind.SESSION_LINKED,
    Kind.SESSION_TRACK_SUBSCRIBED,
    Kind.SESSION_AUDIO_RECEIVED,
    Kind.SESSION_AUDIO_PUBLISHED,
    Kind.SESSION_CALLER_SPOKE,
    Kind.SESSION_TURN_TRANSCRIBED,
)
"""What an agent reports that only one in a room can."""


HANGS_UP = 5 * NS_PER_S
"""An agent that closed its session no longer before, ns, ended the call by deleting its room."""


TASK_COMPLETED = "task_completed"
"""Why a session closed whose agent had done its task (livekit-agents 1.8.9, voice/events.py, CloseReason).

Only the agent's own code closes it so: a job that is shut down closes its session itself, as "user_initiated"
(ipc/job_proc_lazy_main.py).
"""
OWN_CLOSE = ("user_initiated", TASK_COMPLETED)
"""Why a session closed that its agent may have closed."""


def _ended_with(closed: Step, at: int) -> bool:
    """Whether something at a time, ns, came of a session's closing, of which the end is known."""
    return (-SOON if closed.facts.get(keys.CLOSE_REASON) in OWN_CLOSE else 0) < at - closed.time < HANGS_UP


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

    def job_of(self, agent: Participant) -> Job | None:
        """The first job that became this participant; None where none is known."""
        return self._jobs.get(agent.sid)

    @cached_property
    def _jobs(self) -> dict[str, Job]:
        return {agent.sid: job for job in reversed(self._timeline.jobs) if (agent := self.of(job))}

    @cached_property
    def unaccounted(self) -> list[Participant]:
        """Agents of which no job is known."""
        return unaccounted_agents(self._timeline)

    @cached_property
    def of_earlier_room(self) -> dict[str, Job]:
        """For the SID of each agent whose job was for the room of this name before this one that job.

        Not of one that was in that room: it reconnected when the server had started again.
        """
        before = self._timeline.earlier
        if before is None:
            return {}
        ours = {job.sid for job in self._timeline.jobs}
        theirs = [job for job in before.jobs if before.agent_of(job) is None and job.sid not in ours]
        found = {}
        for agent in self.all:
            for job in theirs:
                connected = job.at(Kind.AGENT_CONNECTED)
                sid = connected.facts.get(keys.PARTICIPANT_ID) if connected else None
                # An identity that a worker gives to each of its agents proves nothing.
                alike = agent.identity == job.participant_identity and is_own(job, agent)
                if sid == agent.sid or (alike and sid is None):
                    found[agent.sid] = job
        return found

    @cached_property
    def uninstrumented(self) -> list[Participant]:
        """Agents in the room that reported nothing and may not be instrumented."""
        return uninstrumented(self._timeline)

    @cached_property
    def unreported(self) -> list[Participant]:
        """Agents in the room that reported nothing, for whatever reason."""
        return unreported(self._timeline)

    @cached_property
    def reconnected_from_earlier_room(self) -> list[Participant]:
        """Agents that were in the room of this name before this one, and have no job in this one."""
        before = self._timeline.earlier
        if before is None:
            return []
        theirs = {agent.identity for job in before.jobs if (agent := before.agent_of(job)) and is_own(job, agent)}
        ours = {job.participant_identity for job in self._timeline.jobs}
        return [agent for agent in self.all if agent.identity in theirs - ours]

    def others_after(self, agent: Participant | None, at: int) -> list[Participant]:
        """Other agents that were in the room after this time, ns."""
        mine = agent.sid if agent else None
        return [other for other in self.all if other.sid != mine and left_at(self._timeline, other) > at]

    def joined(self, job: Job) -> bool:
        """Whether a job brought an agent into a room: it was seen there, or reports what only one in a room can."""
        return job.sid in self.of_jobs or job.at(Kind.AGENT_CONNECTED, *ONLY_IN_A_ROOM) is not None

    def unseen(self, job: Job) -> bool:
        """Whether a job reports that its agent was in a room, as far as is known this one, and nobody saw it there."""
        if job.sid in self.of_jobs or job.at(*ONLY_IN_A_ROOM) is None:
            return False
        met = {whom_it_met(step) for step in job.steps} - {None}
        return not met or not met.isdisjoint(who.sid for who in self._timeline.participants)

    def ended_the_call(self, at: int) -> bool:
        """Whether an agent had shut down its own job at this time, ns, and was still there, or had just left."""
        return any(began <= at < gone + LONG_ENOUGH for began, gone in self._own_shutdowns)

    def hung_up(self, at: int) -> bool:
        """Whether an agent was ending the call at this time, ns.

        It had shut down its job, deleted the room, or closed a session just before.
        """
        deleting = any(0 < at - step.time < HANGS_UP for step in self.deletions)
        return self.ended_the_call(at) or deleting or any(_ended_with(step, at) for step in self.closed_sessions)

    def removed(self, who: Participant, left: Step) -> bool:
        """Whether an agent had just asked the API to remove this participant, as whom the server then lets go.

        Of one without an identity in the store (--redact), to remove anybody.
        """
        asked = (s for job in self._timeline.jobs for s in job.steps if s.kind is Kind.AGENT_REMOVING_PARTICIPANT)
        return any(
            left.earliest - HANGS_UP < step.time <= left.latest + SOON
            and step.facts.get(keys.PARTICIPANT_IDENTITY) == who.identity
            for step in asked
        )

    @cached_property
    def deletions(self) -> list[Step]:
        """When agents deleted the room."""
        return [step for job in self._timeline.jobs for step in job.steps if step.kind is Kind.AGENT_DELETING_ROOM]

    @cached_property
    def closed_sessions(self) -> list[Step]:
        """When agents closed sessions, and not something else that happened to them.

        The end of a room closes a session too: by the end of its job, or by the leave of whom it was linked to. With
        ``delete_room_on_close`` it is the session that ends the room, and the job, while it is still closing.
        """
        return [
            step
            for job in self._timeline.jobs
            for step in job.steps
            if step.kind is Kind.SESSION_CLOSED and not self._was_closed(job, step)
        ]

    def _was_closed(self, job: Job, closed: Step) -> bool:
        shutdown = job.at(Kind.JOB_SHUTDOWN)
        after = -SOON if closed.facts.get(keys.CLOSE_REASON) == TASK_COMPLETED else AT_ONCE
        if shutdown and not own_shutdown(job) and shutdown.time - after <= closed.time:
            return True
        by_leave = closed.facts.get(keys.CLOSE_REASON) == "participant_disconnected"
        return by_leave and not any(
            who.gone and who.disconnect_reason in HUNG_UP and abs(closed.time - who.gone.time) < HANGS_UP
            for who in self._timeline.callers
        )

    @cached_property
    def _own_shutdowns(self) -> list[tuple[int, int]]:
        """When agents shut down their own jobs, and when they had left, ns."""
        found = []
        for job in self._timeline.jobs:
            if shutdown := own_shutdown(job):
                agent, ended = self.of(job), job.at(Kind.JOB_ENDED)
                gone = left_at(self._timeline, agent) if agent else ended.time if ended else shutdown.time
                found.append((shutdown.time, gone))
        return found

    @cached_property
    def ending(self) -> list[Job]:
        """Jobs whose room has just closed, and whose last spans are on their way: why it closed may be in them.

        Before livekit-agents 1.8.2 a job does not report its end, and its session when it has closed.
        """
        finished = self._timeline.room.finished
        if finished is None or self._timeline.now - finished.time > STUCK_BY:
            return []
        older = [job for job in self._timeline.jobs if job.is_entrypoint_only and job.at(Kind.SESSION_CLOSED) is None]
        return [job for job in (*self._timeline.open_jobs(), *older) if is_reported(job)]

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
