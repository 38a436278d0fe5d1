"""A timeline as the causes look at it: the questions that several of them ask."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import NS_PER_S, Kind

if TYPE_CHECKING:
    from tracer.step import Step
    from tracer.timeline import Dispatch, Job, Participant, Timeline, Worker

__all__ = ["NO_JOB_AFTER", "Case"]

NO_JOB_AFTER = 8 * NS_PER_S
"""A dispatch without a job this long after, ns, has none: the server offers after 0.2 s and lists up to 5 s later."""
CALLERS = {"STANDARD", "SIP", "CONNECTOR", None}
"""Kinds for which ``wait_for_participant`` waits; None where nobody told the kind."""
FOREVER = 2**63


class Case:
    """One room's timeline, with what causes ask of it worked out once."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline

    @cached_property
    def callers(self) -> list[Participant]:
        """Those an agent is for, in order of their coming."""
        known = [p for p in self.timeline.participants if p.kind in CALLERS and p.steps]
        return sorted(known, key=lambda p: (p.steps[0].time, p.sid))

    @cached_property
    def agents(self) -> list[Participant]:
        """Agents that were in the room."""
        return [p for p in self.timeline.participants if p.is_agent]

    @cached_property
    def agent_of(self) -> dict[str, Participant]:
        """For each job's id the participant it became."""
        found = ((job.sid, self.timeline.agent_of(job)) for job in self.timeline.jobs)
        return {sid: agent for sid, agent in found if agent}

    @cached_property
    def unaccounted(self) -> list[Participant]:
        """Agents of which no job is known: the server lists jobs up to 5 s late, or never."""
        known = {agent.sid for agent in self.agent_of.values()}
        return [agent for agent in self.agents if agent.sid not in known]

    @cached_property
    def published(self) -> dict[str, list[Step]]:
        """For each participant's SID when they published a track."""
        found: dict[str, list[Step]] = defaultdict(list)
        for track in self.timeline.tracks:
            step = track.at(Kind.TRACK_PUBLISHED)
            if track.participant and step:
                found[track.participant].append(step)
        return found

    @cached_property
    def jobs_of(self) -> dict[str, list[Job]]:
        """For each dispatch's id its jobs."""
        found: dict[str, list[Job]] = defaultdict(list)
        for job in self.timeline.jobs:
            if job.dispatch_id:
                found[job.dispatch_id].append(job)
        return found

    @cached_property
    def unserved(self) -> list[Dispatch]:
        """Dispatches that brought no agent, and matter: an unnamed one does not where another agent came or was asked.

        None where an agent came whose job is not known: it can be of any dispatch.
        """
        if self.unaccounted:
            return []
        without = [
            d
            for d in self.timeline.dispatches
            if d.at(Kind.DISPATCH_CREATED) and not any(job.sid in self.agent_of for job in self.jobs_of[d.sid])
        ]
        named = any(d.agent_name for d in self.timeline.dispatches)
        return [d for d in without if d.agent_name or not (self.agents or named)]

    @cached_property
    def without_job(self) -> list[tuple[Dispatch, Step]]:
        """Those of them of which no job is known though it should be, and when they were made."""
        found = []
        for dispatch in self.unserved:
            created = dispatch.at(Kind.DISPATCH_CREATED)
            if created and not self.jobs_of[dispatch.sid] and self.waited(created):
                found.append((dispatch, created))
        return found

    @cached_property
    def failed_jobs(self) -> list[Job]:
        """Jobs that brought no agent, of dispatches that matter."""
        return [job for dispatch in self.unserved for job in self.jobs_of[dispatch.sid]]

    def waited(self, dispatched: Step) -> bool:
        """Whether a job would be known by now: time enough has passed, and the room is over or was long enough."""
        end = self.end
        return end - dispatched.time >= NO_JOB_AFTER or (self.timeline.room.finished is not None and self.watched(end))

    def watched(self, end: int) -> bool:
        """Whether a worker that tells of itself could have told until ``end``, ns: then no job means no job."""
        return any(worker.steps[0].time <= end for worker in self.timeline.workers)

    @cached_property
    def end(self) -> int:
        """Until when the room was there, as far as is known, ns."""
        finished = self.timeline.room.finished
        return finished.time if finished else self.timeline.now

    def workers(self, agent_name: str | None) -> list[Worker]:
        """Workers that take dispatches of this name, of those that told of themselves."""
        return [w for w in self.timeline.workers if w.sid.startswith("AW_") and w.agent_name == (agent_name or "")]

    @cached_property
    def known_workers(self) -> list[Worker]:
        """Every worker that told of itself."""
        return [w for w in self.timeline.workers if w.sid.startswith("AW_")]

    def present(self, who: Participant, at: int) -> bool:
        """Whether a participant was in the room at this time, ns."""
        began = who.time(Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_ACTIVE)
        return began is not None and began <= at < self.gone(who)

    def gone(self, who: Participant) -> int:
        """When a participant went, ns; far away for one that has not."""
        if who.gone:
            return who.gone.time
        finished = self.timeline.room.finished
        return finished.time if finished else FOREVER

    def callers_at(self, at: int) -> list[Participant]:
        """Callers who were ACTIVE in the room at this time, ns."""
        return [
            who
            for who in self.callers
            if (active := who.at(Kind.PARTICIPANT_ACTIVE)) and active.time <= at < self.gone(who)
        ]

    def told_by_agent(self, job: Job) -> bool:
        """Whether the job, or the worker for it, told anything."""
        return any("agent" in step.witnesses for step in job.steps)

    @staticmethod
    def who(participant: Participant) -> str:
        """What to call somebody."""
        return participant.identity or participant.sid

    @staticmethod
    def agent_named(name: str | None) -> str:
        """What to call the agents that a dispatch is for."""
        return f"agent {name!r}" if name else "an agent without a name"

    def waits(self, job: Job) -> list[tuple[Step, Step | None]]:
        """Each time the job waited for a participant: from when, and until when; None for a wait that never ended."""
        ends = {step.occurrence: step for step in job.steps if step.kind is Kind.AGENT_PARTICIPANT_READY}
        return [
            (step, ends.get(step.occurrence)) for step in job.steps if step.kind is Kind.AGENT_WAITING_FOR_PARTICIPANT
        ]

    @staticmethod
    def is_room_job(job: Job) -> bool:
        """Whether it is for the room as a whole, and not for each of its participants."""
        return job.text(keys.JOB_TYPE) in (None, "JT_ROOM")
