"""Rules about agents and the jobs that sent them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.check.rule import Outcome, Rule, Verdict
from tracer.check.sentences import name
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.check.checked_room import CheckedRoom
    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["AgentHasJob", "AgentIsItsJobs", "OneRoomJob"]

_ASSIGNED = (
    Kind.JOB_ASSIGNED,
    Kind.JOB_PROCESS_ASSIGNED,
    Kind.JOB_ENTRYPOINT_STARTED,
    Kind.AGENT_CONNECTING,
    Kind.JOB_OFFERED,
)
"""What shows best that a job was assigned, the surest first."""


class AgentIsItsJobs(Rule):
    """An agent has the identity that its job was given, and is in the room that its job is for."""

    number = 6
    name = "agent-identity"
    sentence = "an agent has its job's identity, in its job's room"
    missing = "of no agent its job is known"

    def judge(self, case: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each job whose agent connected, and for each agent that came by another room's job."""
        for job in case.timeline.jobs:
            agent = case.agents.get(job.sid)
            if agent or job.at(Kind.AGENT_CONNECTED):
                yield self._judge(case.timeline, job, agent)
        known = {agent.sid for agent in case.agents.values()}
        for agent in case.timeline.participants:
            if agent.is_agent and agent.sid not in known:
                yield from self._stray(case.timeline, agent)

    def _judge(self, timeline: Timeline, job: Job, agent: Participant | None) -> Verdict:
        connected = job.at(Kind.AGENT_CONNECTED)
        steps = tuple(step for step in (connected, agent.steps[0] if agent else None) if step)
        if agent is None:
            sid = str(connected.facts.get(keys.PARTICIPANT_ID, "")) if connected else ""
            elsewhere = _room_of(timeline, sid)
            if elsewhere:
                text = f"the agent of job {job.sid} joined room {elsewhere}, which is not its job's"
                return Verdict(Outcome.VIOLATED, text, steps)
            text = f"the agent of job {job.sid} is in its job's room"
            return Verdict(Outcome.UNTOLD, text, steps, "neither webhook nor API told of that agent")
        given, has = _given(job), agent.identity
        text = f"job {job.sid} was given the identity {given or '?'}, and its agent has {has or '?'}, in the job's room"
        if given is None or has is None:
            return Verdict(Outcome.UNTOLD, text, steps, "an identity was not told, or is not kept")
        return Verdict(Outcome.HOLDS if given == has else Outcome.VIOLATED, text, steps)

    def _stray(self, timeline: Timeline, agent: Participant) -> Iterator[Verdict]:
        for other in (timeline.earlier, timeline.later):
            for job in other.jobs if other else ():
                connected = job.at(Kind.AGENT_CONNECTED)
                if connected and connected.facts.get(keys.PARTICIPANT_ID) == agent.sid:
                    text = f"{name(timeline, agent.sid)} came by job {job.sid}, which is room {other.room.sid}'s"  # type: ignore[union-attr]  # it has jobs
                    yield Verdict(Outcome.VIOLATED, text, agent.steps[:1])


def _room_of(timeline: Timeline, participant: str) -> str | None:
    """The other room of this name in which this participant is."""
    others = (other for other in (timeline.earlier, timeline.later) if other)
    return next((o.room.sid for o in others if any(p.sid == participant for p in o.participants)), None)


def _given(job: Job) -> str | None:
    """The identity that the job was accepted with, or that the server keeps for it."""
    # Several workers can have accepted, of which the server took one.
    mine = [step for step in job.steps if step.occurrence in ("", job.worker_id)]
    told = (step.facts.get(keys.PARTICIPANT_IDENTITY) for kind in _GIVE for step in mine if step.kind is kind)
    return next((str(identity) for identity in told if identity is not None), None)


_GIVE = (Kind.JOB_ACCEPTED, Kind.JOB_OFFERED)


class OneRoomJob(Rule):
    """A dispatch makes at most one job of type JT_ROOM. One that is offered to several workers is one job."""

    number = 7
    name = "one-room-job"
    sentence = "a dispatch makes at most one job for the whole room"
    missing = "of no job its dispatch is known"

    def judge(self, case: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each dispatch with jobs."""
        for dispatch in case.timeline.dispatches:
            jobs = [job for job in case.timeline.jobs if job.dispatch_id == dispatch.sid]
            if not jobs:
                continue
            for_room = [job for job in jobs if job.text(keys.JOB_TYPE) == "JT_ROOM"]
            unknown = [job for job in jobs if job.text(keys.JOB_TYPE) is None]
            told = ", ".join(job.sid for job in (for_room or jobs))
            text = f"dispatch {dispatch.sid} made {len(for_room)} jobs for the room, of {len(jobs)}: {told}"
            steps = tuple(job.steps[0] for job in for_room)
            if len(for_room) > 1:
                yield Verdict(Outcome.VIOLATED, text, steps)
            elif len(for_room) + len(unknown) > 1:
                yield Verdict(Outcome.UNTOLD, text, steps, "nobody told what the others are for")
            else:
                yield Verdict(Outcome.HOLDS, text, steps)


class AgentHasJob(Rule):
    """An agent that is ACTIVE was assigned a job before."""

    number = 8
    name = "agent-has-job"
    sentence = "an ACTIVE agent was assigned a job before"
    missing = "no agent was seen to be ACTIVE"

    def judge(self, case: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each agent that was ACTIVE."""
        jobs = {agent.sid: job for job in case.timeline.jobs if (agent := case.agents.get(job.sid))}
        for agent in case.timeline.participants:
            active = agent.at(Kind.PARTICIPANT_ACTIVE)
            if not agent.is_agent or active is None:
                continue
            job = jobs.get(agent.sid)
            assigned = next((step for kind in _ASSIGNED if (step := job.at(kind))), None) if job else None
            if assigned:
                yield self._before(case, assigned, active, agent.at(Kind.PARTICIPANT_JOINING))
            else:
                who = name(case.timeline, agent.sid)
                why = "nobody told of its job: the agent is not traced, and the API lists a job up to 5 s late"
                yield Verdict(Outcome.UNTOLD, f"{who} was assigned a job before it was ACTIVE", (active,), why)

    def _before(self, case: CheckedRoom, assigned: Step, active: Step, joining: Step | None) -> Verdict:
        verdict = case.judge(assigned, active)
        if verdict.answer is Outcome.UNTOLD and joining:
            earlier = case.judge(assigned, joining)  # told to the ms, where ACTIVE is told to the second
            return earlier if earlier.answer is Outcome.HOLDS else verdict
        return verdict
