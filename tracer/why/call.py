"""A timeline as the causes look at it: the questions that several of them ask."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from tracer import keys
from tracer.clocks.corrected import CorrectedTimeline
from tracer.moment import Kind
from tracer.timeline.entities import Shutdown
from tracer.timeline.missing_jobs import (
    awaited_since,
    dispatches_without_job,
    is_optional,
    unaccounted_agents,
    unaccounted_until,
)
from tracer.timeline.overdue import expected
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.timeline.entities import Dispatch, Job, Participant, Worker
    from tracer.timeline.overdue import Missing
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["FOREVER", "LONG_ENOUGH", "NO_JOB_AFTER", "SERVER_WAITS", "SOON", "STUCK_BY", "Call"]

NO_JOB_AFTER = 8 * NS_PER_S
"""A dispatch without a job this long after, ns, has none: the server offers after 0.2 s and lists up to 5 s later."""
SERVER_WAITS = 3 * NS_PER_S
"""How long the server waits for a worker's answer, ns (livekit-server v1.13.5, pkg/service/agentservice.go)."""
SOON = NS_PER_S
"""Two clocks and two witnesses may be this far apart, ns."""
LONG_ENOUGH = 3 * NS_PER_S
"""A caller who was alone for longer than this, ns, noticed: a job comes within 0.3 s where one comes."""
ALIVE = 60 * NS_PER_S
"""Who told something no longer ago than this, ns, is taken to be there still."""
STUCK_BY = 10 * NS_PER_S
"""What a caller has waited for longer than this, ns, will hardly come."""
FOREVER = 2**63
"""A time that does not come, ns."""


class Call:
    """One room's timeline, with what causes ask of it worked out once."""

    def __init__(self, timeline: Timeline) -> None:
        self._corrected = CorrectedTimeline(timeline)
        self.timeline = self._corrected.timeline
        """By the server's clock: other clocks are corrected as far as they are proven to be off."""
        self._standing: dict[int, list[Worker]] = {}

    def as_reported(self, step: Step) -> Step:
        """The step as its witnesses reported it, by their own clocks."""
        return self._corrected.as_reported(step)

    @cached_property
    def witnesses(self) -> set[str]:
        """Who told of this room; what workers told of themselves does not count."""
        own = (step for step in self.timeline.steps if not step.subject.startswith("AW_"))
        return {witness for step in own for witness in step.witnesses}

    @property
    def callers(self) -> list[Participant]:
        """Those an agent can be meant for, in the order in which they came."""
        return self.timeline.callers

    @property
    def agents(self) -> list[Participant]:
        """Agents that were in the room."""
        return self.timeline.agents

    @property
    def agent_of(self) -> Mapping[str, Participant]:
        """For each job's id the participant it became."""
        return self.timeline.agent_by_job

    @cached_property
    def unaccounted(self) -> list[Participant]:
        """Agents of which no job is known."""
        return unaccounted_agents(self.timeline)

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
        """Dispatches that brought no agent though they should; see ``tracer.timeline.missing_jobs``.

        None whose agent was asked for again, and came.
        """
        until = unaccounted_until(self.timeline)
        without = [
            d
            for d in self.timeline.dispatches
            if ((asked := d.at(Kind.DISPATCH_CREATED)) or d.jobs)
            and (asked.earliest if asked else 1) > until
            and not self.brought(d)
        ]
        wanted = [d for d in without if not is_optional(self.timeline, d)]
        return [d for d in wanted if self.asked_again(d) is None and (d.sid in self.awaited or d.jobs)]

    @cached_property
    def awaited(self) -> dict[str, Step]:
        """For each dispatch's id after which step a job should come; without those that are for nobody yet."""
        return awaited_since(self.timeline)

    def asked_again(self, dispatch: Dispatch) -> Step | None:
        """When an agent of a dispatch's name was asked for later, and came: who is in need tries again."""
        asked = dispatch.at(Kind.DISPATCH_CREATED)
        served = self._served.get(dispatch.agent_name, [])
        place = bisect_right(served, asked.time, key=lambda step: step.time) if asked else len(served)
        if asked is None or place == len(served) or self._gave_up(asked.time, served[place].time):
            return None
        return served[place]

    def _gave_up(self, asked: int, again: int) -> bool:
        """Whether a caller went in between who had waited, ns: for them nobody came, whoever was asked for later."""
        waited = [
            who for began, gone, who in self._gone_callers if gone < again and gone - max(began, asked) > LONG_ENOUGH
        ]
        return any(
            not any(p.identity == who.identity and p.steps[0].time <= again < self.gone(p) for p in self.callers)
            for who in waited
        )

    @cached_property
    def _gone_callers(self) -> list[tuple[int, int, Participant]]:
        """From when until when each caller was there who was ACTIVE and has gone, ns."""
        known = ((who.at(Kind.PARTICIPANT_ACTIVE), who.gone, who) for who in self.callers)
        return [(active.time, gone.time, who) for active, gone, who in known if active and gone]

    @cached_property
    def _served(self) -> dict[str | None, list[Step]]:
        """For each name when those of its dispatches were made that brought an agent."""
        found: dict[str | None, list[Step]] = defaultdict(list)
        for dispatch in self.timeline.dispatches:
            asked = dispatch.at(Kind.DISPATCH_CREATED)
            if asked and self.brought(dispatch):
                found[dispatch.agent_name].append(asked)
        return {name: sorted(steps, key=lambda step: step.time) for name, steps in found.items()}

    def brought(self, dispatch: Dispatch) -> bool:
        """Whether it brought an agent."""
        return any(map(self._came, self.jobs_of[dispatch.sid]))

    def _came(self, job: Job) -> bool:
        return job.sid in self.agent_of or job.at(Kind.AGENT_CONNECTED) is not None

    @cached_property
    def without_job(self) -> list[tuple[Dispatch, Step]]:
        """Those of them of which no job is known though it should be, and when they were made."""
        found = []
        for dispatch, awaited in dispatches_without_job(self.timeline):
            created = dispatch.at(Kind.DISPATCH_CREATED)
            if created and self.asked_again(dispatch) is None and self.waited(awaited):
                found.append((dispatch, created))
        return found

    @cached_property
    def failed_jobs(self) -> list[Job]:
        """Jobs that brought no agent: of dispatches that matter, and those that a worker failed of any other."""
        wanted = {dispatch.sid for dispatch in self.unserved}
        return [job for job in self.timeline.jobs if job.dispatch_id in wanted or self._broke(job)]

    def _broke(self, job: Job) -> bool:
        """Whether a worker took a job and brought no agent; of jobs for one participant, also if it did not mean to."""
        if self.unaccounted or self._came(job):
            return False
        if job.at(Kind.JOB_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED, Kind.PROCESS_FAILED):
            return True
        refusal = job.at(Kind.JOB_REJECTED)
        return refusal is not None and not self.is_room_job(job) and refusal.facts.get(keys.JOB_ANSWER) != "rejected"

    def waited(self, dispatched: Step) -> bool:
        """Whether a job would be known by now: time enough has passed, and the room is over or was long enough."""
        end = self.end
        return end - dispatched.time >= NO_JOB_AFTER or (self.timeline.room.finished is not None and self.watched(end))

    def watched(self, end: int) -> bool:
        """Whether a worker that tells of itself could have told until ``end``, ns: then no job means no job."""
        return any(worker.standing(end) not in (None, Kind.WORKER_CLOSED) for worker in self.known_workers)

    @cached_property
    def end(self) -> int:
        """Until when the room was there, as far as is known, ns."""
        finished = self.timeline.room.finished
        return finished.time if finished else self.timeline.now

    def workers(self, agent_name: str | None) -> list[Worker]:
        """Workers that take dispatches of this name, of those that told of themselves."""
        return self._by_agent_name.get(agent_name or "", [])

    @cached_property
    def _by_agent_name(self) -> dict[str, list[Worker]]:
        found: dict[str, list[Worker]] = defaultdict(list)
        for worker in self.known_workers:
            found[worker.agent_name].append(worker)
        return dict(found)

    def standing_workers(self, at: int) -> list[Worker]:
        """Those of any name that were there at this time, ns, by what they told."""
        if at not in self._standing:
            self._standing[at] = [w for w in self.known_workers if w.standing(at) not in (None, Kind.WORKER_CLOSED)]
        return self._standing[at]

    @staticmethod
    def alive(worker: Worker, at: int) -> bool:
        """Whether a worker told something then or later: of one that was killed the last word stands for ever."""
        return worker.steps[-1].time > at - ALIVE

    @cached_property
    def known_workers(self) -> list[Worker]:
        """Every worker that told of itself."""
        return [w for w in self.timeline.workers if w.sid.startswith("AW_")]

    def gone(self, who: Participant) -> int:
        """When a participant went, ns; far away for one that has not."""
        if who.gone:
            return who.gone.time
        finished = self.timeline.room.finished
        return finished.time if finished else FOREVER

    def seen_until(self, who: Participant) -> int:
        """Until when a participant was there for certain, ns.

        The observer can have seen its going seconds late; and where nobody saw it, it was before the room's end.
        """
        gone = who.gone
        if gone:
            return gone.time if "webhook" in gone.witnesses else gone.earliest
        return who.steps[-1].time if self.timeline.room.finished else FOREVER

    @cached_property
    def first_active(self) -> int | None:
        """When the first caller can have been ACTIVE, ns: before, nobody waited. None where no caller is known."""
        known = []
        for who in self.callers:
            if active := who.at(Kind.PARTICIPANT_ACTIVE):
                known.append(active.earliest)
            elif who.sid in self.published or ((left := who.at(Kind.PARTICIPANT_LEFT)) and "webhook" in left.witnesses):
                known.append(who.steps[0].earliest)  # they were ACTIVE, and the webhook that told it was lost
        return min(known, default=None)

    def nobody_waited(self, until: int) -> bool:
        """Whether no caller was there before ``until``, ns, as far as a witness of callers tells."""
        if self.first_active is None:
            return not self.callers and bool(self.witnesses & {"webhook", "observer"})
        return until < self.first_active

    def missed(self, at: int) -> bool:
        """Whether the first caller came later than this, ns, when an agent had gone, and found no other."""
        came = self.first_active
        if came is None or came <= at:
            return False
        return not any(agent.steps[0].time < came + LONG_ENOUGH and self.gone(agent) > came for agent in self.agents)

    def over(self, at: int) -> bool:
        """Whether all callers had come and gone at this time, ns, as far as is known."""
        if self.first_active is None or self.first_active > at:
            return False
        return not any(who.steps[0].time <= at < self.gone(who) for who in self.callers)

    def agent_ended_it(self, at: int) -> bool:
        """Whether an agent had shut its job down by itself, in its own words, and was still there, or just gone, ns."""
        return any(began <= at < gone + LONG_ENOUGH for began, gone in self._own_ends)

    @cached_property
    def _own_ends(self) -> list[tuple[int, int]]:
        """When agents shut their jobs down by themselves, and when they were gone, ns."""
        found = []
        for job in self.timeline.jobs:
            shutdown = job.at(Kind.JOB_SHUTDOWN)
            if shutdown and job.shutdown_reason not in (None, *Shutdown):
                agent, ended = self.agent_of.get(job.sid), job.at(Kind.JOB_ENDED)
                gone = self.gone(agent) if agent else ended.time if ended else shutdown.time
                found.append((shutdown.time, gone))
        return found

    def hung_up_before(self, at: int) -> bool:
        """Whether a caller hung up within a second before this time, ns: then the call was over."""
        return bisect_left(self._hung_up, at - SOON) < bisect_right(self._hung_up, at)

    @cached_property
    def _hung_up(self) -> list[int]:
        """When callers hung up, ns."""
        return sorted(w.gone.time for w in self.callers if w.gone and w.disconnect_reason == "CLIENT_INITIATED")

    @staticmethod
    def watched_over(who: Participant) -> bool:
        """Whether the going of a participant is known: a webhook gets lost, and the API is asked every few seconds."""
        return who.gone is not None

    @cached_property
    def gave_up(self) -> tuple[Participant, int] | None:
        """The first caller whose media never came up and who did not come back, and how long it took, ns."""
        there = {who.identity for who in self.callers if who.identity and who.at(Kind.PARTICIPANT_ACTIVE)}
        for who in self.callers:
            aborted, joining = who.at(Kind.PARTICIPANT_ABORTED), who.at(Kind.PARTICIPANT_JOINING)
            took = aborted.time - joining.time if aborted and joining else 0
            if took > STUCK_BY and not who.at(Kind.PARTICIPANT_ACTIVE) and who.identity not in there:
                return who, took
        return None

    @cached_property
    def left_alone(self) -> tuple[Participant, int] | None:
        """The only caller who was left when the last agent went, and for how long they stayed, ns; None if not long."""
        if not self.agents or any(self.gone(agent) >= self.end for agent in self.agents):
            return None
        went = max(self.gone(agent) for agent in self.agents)
        there = self.callers_at(went)
        if len(there) != 1 or any(began > went for began, _, _ in self._active):
            return None  # they can talk with each other
        until, who = there[0]
        stayed = min(until, self.end) - went
        return (who, stayed) if stayed > STUCK_BY else None

    def callers_at(self, at: int) -> list[tuple[int, Participant]]:
        """Callers who were ACTIVE in the room at this time, ns, and until when for certain."""
        return [(ended, who) for began, ended, who in self._active if began <= at < ended]

    @cached_property
    def _active(self) -> list[tuple[int, int, Participant]]:
        """From when until when each caller was ACTIVE for certain, ns."""
        known = ((who.at(Kind.PARTICIPANT_ACTIVE), who) for who in self.callers)
        return [(active.time, self.seen_until(who), who) for active, who in known if active]

    @staticmethod
    def received(job: Job) -> Step | None:
        """When the worker that got the job was asked for it: another one may have been asked before."""
        asked = [step for step in job.steps if step.kind is Kind.JOB_RECEIVED]
        return next((step for step in asked if step.occurrence == job.worker_id), asked[-1] if asked else None)

    def not_before(self, job: Job, step: Step) -> int | None:
        """The earliest that a step of the agent's can have been by the server's clock, ns, however its own is set.

        It came so long after another one of the agent's, and that after something of the server's.
        """
        agent = self.agent_of.get(job.sid)
        pairs = (
            (job.at(Kind.JOB_OFFERED), self.received(job)),
            (agent.at(Kind.PARTICIPANT_JOINING) if agent else None, job.at(Kind.AGENT_CONNECTED)),
        )
        known = [first.earliest + step.earliest - then.latest for first, then in pairs if first and then]
        return max(known, default=None)

    @cached_property
    def untold_agents(self) -> list[Participant]:
        """Agents in the room that told nothing of themselves."""
        told = {self.agent_of[job.sid].sid for job in self.timeline.jobs if self._tells(job)}
        return [agent for agent in self.agents if agent.sid not in told]

    def _tells(self, job: Job) -> bool:
        return job.sid in self.agent_of and self.told_by_agent(job)

    def told_by_agent(self, job: Job) -> bool:
        """Whether the job, or the worker for it, told anything."""
        return any("agent" in step.witnesses for step in job.steps)

    @cached_property
    def nobody_came(self) -> bool:
        """Whether no agent came to a caller, though one was to come to those who publish."""
        if self.agents or any(map(self._came, self.timeline.jobs)):
            return False
        return bool(self._active) and any(d.sid not in self.awaited for d in self.timeline.dispatches)

    @cached_property
    def missing(self) -> Missing | None:
        """What a caller is kept waiting for, of that which should have come: see ``tracer.timeline.overdue``."""
        callers = {who.sid for who in self.callers if who.sid not in self.published}
        agents = {agent.sid for agent in self.agents}
        for missing in expected(self.timeline):
            step, until = missing.step, missing.step.time + missing.ns
            if missing.ns < STUCK_BY or missing.lost or step.kind is Kind.JOB_SHUTDOWN:
                continue
            if step.subject.startswith("PA_"):
                if step.subject in callers | agents:
                    return missing
            elif step.kind in (Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.SESSION_STARTING):
                stays = ((max(began, step.time), min(ended, until)) for began, ended, _ in self._active)
                if any(ended - began > STUCK_BY for began, ended in stays):
                    return missing
        return None

    def subject(self, step: Step) -> str:
        """What to call what a step happened to."""
        life = self.timeline.by_sid.get(step.subject)
        return (life and life.sid.startswith("PA_") and life.text(keys.PARTICIPANT_IDENTITY)) or step.subject

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

    def is_for(self, job: Job, who: Participant) -> bool:
        """Whether a job is for somebody: one for the room is for everybody."""
        return self.is_room_job(job) or job.text(keys.JOB_PARTICIPANT_ID) == who.sid

    @staticmethod
    def is_room_job(job: Job) -> bool:
        """Whether it is for the room as a whole, and not for each of its participants."""
        return job.text(keys.JOB_TYPE) in (None, "JT_ROOM")
