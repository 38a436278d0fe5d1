"""Rules about agents and the jobs that sent them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.check.rule import Rule
from tracer.check.sentences import name
from tracer.check.verdict import Outcome, Verdict
from tracer.livekit_sources import agents, server
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
"""What shows that a job was assigned, the most reliable first."""


class AgentIsItsJobs(Rule):
    """An agent has the identity that its job was given, and is in the room that its job is for."""

    number = 6
    name = "agent-identity"
    sentence = "agents have their job's identity and room"
    missing = "no agent with a known job"
    said = (
        agents("worker.py"),
        agents("job.py"),
    )

    def judge(self, room: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each job whose agent connected, and for each agent that another room's job sent."""
        for job in room.timeline.jobs:
            agent = room.agents.get(job.sid)
            if agent or job.at(Kind.AGENT_CONNECTED):
                yield self._judge(room.timeline, job, agent)
        known = {agent.sid for agent in room.agents.values()}
        for agent in room.timeline.participants:
            if agent.is_agent and agent.sid not in known:
                yield from self._stray(room.timeline, agent)

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
            return Verdict(Outcome.INCONCLUSIVE, text, steps, "neither a webhook nor the API reported that agent")
        given, has = _given(job), agent.identity
        text = f"job {job.sid} was given the identity {given or '?'}, and its agent has {has or '?'}, in the job's room"
        if given is None or has is None:
            return Verdict(Outcome.INCONCLUSIVE, text, steps, "an identity was not reported, or is redacted")
        return Verdict(Outcome.HOLDS if given == has else Outcome.VIOLATED, text, steps)

    def _stray(self, timeline: Timeline, agent: Participant) -> Iterator[Verdict]:
        for other in (timeline.earlier, timeline.later):
            if other is None:
                continue
            for job in other.jobs:
                connected = job.at(Kind.AGENT_CONNECTED)
                if connected and connected.facts.get(keys.PARTICIPANT_ID) == agent.sid:
                    who = name(timeline, agent.sid)
                    text = f"{who} was sent by job {job.sid}, which belongs to room {other.room.sid}"
                    yield Verdict(Outcome.VIOLATED, text, agent.steps[:1])


def _room_of(timeline: Timeline, participant: str) -> str | None:
    """The other room of this name in which this participant is."""
    others = (other for other in (timeline.earlier, timeline.later) if other)
    return next((o.room.sid for o in others if any(p.sid == participant for p in o.participants)), None)


def _given(job: Job) -> str | None:
    """The identity that the job was accepted with, or that the server keeps for it."""
    # Several workers can have accepted, of which the server took one.
    mine = [step for step in job.steps if step.occurrence in ("", job.worker_id)]
    given = (step.facts.get(keys.PARTICIPANT_IDENTITY) for kind in _GIVE for step in mine if step.kind is kind)
    return next((str(identity) for identity in given if identity is not None), None)


_GIVE = (Kind.JOB_ACCEPTED, Kind.JOB_OFFERED)


class OneRoomJob(Rule):
    """A dispatch makes at most one job of type JT_ROOM; one that is offered to several workers is one job."""

    number = 7
    name = "one-room-job"
    sentence = "a dispatch makes at most one room job"
    missing = "no job with a known dispatch"
    believed = "that a dispatch has one job: workers of other types make a job for each participant."
    said = (server("pkg/rtc/room.go"),)

    def judge(self, room: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each dispatch with jobs."""
        for dispatch in room.timeline.dispatches:
            jobs = [job for job in room.timeline.jobs if job.dispatch_id == dispatch.sid]
            if not jobs:
                continue
            for_room = [job for job in jobs if job.text(keys.JOB_TYPE) == "JT_ROOM"]
            unknown = [job for job in jobs if job.text(keys.JOB_TYPE) is None]
            which = ", ".join(job.sid for job in (for_room or jobs))
            text = f"dispatch {dispatch.sid} made {len(jobs)} jobs, {len(for_room)} of them for the whole room: {which}"
            steps = tuple(job.steps[0] for job in for_room)
            if len(for_room) > 1:
                yield Verdict(Outcome.VIOLATED, text, steps)
            elif len(for_room) + len(unknown) > 1:
                yield Verdict(Outcome.INCONCLUSIVE, text, steps, "the type of the other jobs is not known")
            else:
                yield Verdict(Outcome.HOLDS, text, steps)


class AgentHasJob(Rule):
    """An agent that is ACTIVE was assigned a job before."""

    number = 8
    name = "agent-has-job"
    sentence = "an ACTIVE agent was assigned a job before"
    missing = "no agent was observed to be ACTIVE"
    said = (server("pkg/agent/worker.go"),)

    def judge(self, room: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each agent that was ACTIVE."""
        jobs = {agent.sid: job for job in room.timeline.jobs if (agent := room.agents.get(job.sid))}
        for agent in room.timeline.participants:
            active = agent.at(Kind.PARTICIPANT_ACTIVE)
            if not agent.is_agent or active is None:
                continue
            job = jobs.get(agent.sid)
            assigned = next((step for kind in _ASSIGNED if (step := job.at(kind))), None) if job else None
            if assigned:
                yield self._before(room, assigned, active, agent.at(Kind.PARTICIPANT_JOINING))
            else:
                who = name(room.timeline, agent.sid)
                why = "its job was not reported: the agent is not instrumented, and the API lists a job up to 5 s late"
                yield Verdict(Outcome.INCONCLUSIVE, f"{who} was assigned a job before it was ACTIVE", (active,), why)

    def _before(self, room: CheckedRoom, assigned: Step, active: Step, joining: Step | None) -> Verdict:
        verdict = room.judge(assigned, active)
        if verdict.answer is Outcome.INCONCLUSIVE and joining:
            earlier = room.judge(assigned, joining)  # known to the ms, where ACTIVE is known to the second
            return earlier if earlier.answer is Outcome.HOLDS else verdict
        return verdict
