"""Everything known of one room. Pure: no clock, no store, no view."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tracer import ids, keys
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.timeline.entities import Dispatch, Entity, Job, Participant, Room, Track, Worker
    from tracer.timeline.listened import Listened
    from tracer.timeline.provenance import CreatedBy
    from tracer.timeline.step import Step

__all__ = ["LONG_SHUTDOWN", "Timeline"]

AT_ONCE = NS_PER_S
"""An observer that is there sees who is in a new room within this, ns: a webhook wakes it."""
LISTED_BY = 15 * NS_PER_S
"""An observer has listed each room by then, ns: it lists them every 10 s."""
NO_SHUTDOWN = 30 * NS_PER_S
"""A job learns at once that its room has closed; one that has not begun to shut down after this, ns, is dead."""
LONG_SHUTDOWN = 330 * NS_PER_S
"""A job that is shutting down may take this long, ns: livekit-agents gives ``on_session_end`` alone 300 s."""


@dataclass(frozen=True)
class Timeline:
    """Everything known of one room."""

    room: Room
    participants: tuple[Participant, ...] = ()
    dispatches: tuple[Dispatch, ...] = ()
    jobs: tuple[Job, ...] = ()
    tracks: tuple[Track, ...] = ()
    steps: tuple[Step, ...] = ()
    """Everything that happened, in order."""
    workers: tuple[Worker, ...] = ()
    """Workers that reported of themselves until the room's end, whether they served it or not."""
    now: int = 0
    """Until when the room is known, ns since the epoch: what has not happened by then is missing."""
    stopped: int | None = None
    """When tracer stopped listening, ns since the epoch; None while it does, or where that is not known."""
    unheard: tuple[Listened, ...] | None = None
    """When nobody listened, from the room's beginning until ``now``, as far as that is known."""
    earlier: Timeline | None = None
    """The room of this name before this one, where whoever made the timeline looked for it."""
    later: Timeline | None = None
    """The room of this name after this one."""
    created_by: CreatedBy | None = None
    """What made the room; None where that is not known."""
    creator: Participant | None = None
    """Whose join made the room; None where none did, or that is not known."""
    end_reason: str | None = None
    """Why the room ended: an ``EndReason`` or another of the server's own, as a slug; None where that is not known."""
    spans_lost: Mapping[str, int] = field(default_factory=dict)
    """Jobs of which spans were lost on their way, by id, see ``timeline.lost_spans``: that nothing more was recorded of
    them shows nothing. Each with how many did not come; 0 where that is not known."""
    by_sid: Mapping[str, Entity] = field(default_factory=dict)
    """Every subject by its SID or id."""

    def around(self, sid: str) -> Timeline:
        """The timeline that knows a subject: this one, also where none does, or that of the room before or after."""
        near = (one for one in (self, self.earlier, self.later) if one and sid in one.by_sid)
        return next(near, self)

    @cached_property
    def zero(self) -> int:
        """What offsets are counted from: the room's creation or, if that was not seen, the first step; ns."""
        created = self.room.created
        return created.time if created else min((step.time for step in self.steps), default=0)

    @property
    def cut_off(self) -> int | None:
        """When tracer stopped listening, ns, while the room was open: how it went on is not known. Else None."""
        return self.stopped if self.room.finished is None else None

    @cached_property
    def gaps(self) -> tuple[Listened, ...]:
        """When nobody listened, ns, as far as that is known: who came then, and what was asked for, may be missing.

        Also an observer tells whether it came after the room. It polls a room that a webhook told it of at once, and
        lists it later: until then, how soon it saw somebody there tells.
        """
        created = self.room.created
        is_found = created is not None and "observer" in created.witnesses
        watched = self.room.reported.get(keys.ROOM_WATCHED, frozenset())  # of each observer, one after the other
        if self.unheard or (is_found and (True in watched or not watched)):
            return self.unheard or ()
        if self.unheard is not None and created and "webhook" in created.witnesses:
            return ()  # it was soon back, and what webhooks told it meanwhile was sent again
        polled = [step for step in self.steps if "observer" in step.witnesses and step.clock == "receiver"]
        until = self.room.finished.time if self.room.finished else self.now
        if created and not is_found and until - created.time < LISTED_BY:
            polled = polled if all(step.latest - created.time > AT_ONCE for step in polled) else []
        heard = [step.earliest for step in polled]
        if is_found and (seen := self.room.text(keys.SEEN_BY)):  # what a first poll shows can be older than that
            heard = [int(seen)]
        return ((self.zero, min(heard)),) if heard else ()

    @property
    def heard_from(self) -> int | None:
        """From when on tracer listened, ns, where the room was there before; else None."""
        return self.gaps[0][1] if self.gaps and self.gaps[0][0] <= self.zero else None

    def is_heard(self, since: int, until: int) -> bool:
        """Whether somebody listened, as far as is known, all the time between two times, ns."""
        return not any(began <= until and ended >= since for began, ended in self.gaps)

    @property
    def trace_id(self) -> str:
        """The room's trace in Jaeger, 32 hexadecimal digits."""
        return f"{ids.trace_id(self.room.sid):032x}"

    def dispatch_of(self, job: Job) -> Dispatch | None:
        """The dispatch a job answers."""
        return next((d for d in self.dispatches if d.sid == job.dispatch_id), None)

    def lost(self, job: Job) -> int | None:
        """When a job must be taken for lost, ns: it began, and its end will not be reported. None for any other."""
        if job.begun is None or self._ended(job):
            return None
        if failed := job.at(Kind.PROCESS_FAILED):
            return failed.time
        finished = self.room.finished
        patience = LONG_SHUTDOWN if job.at(Kind.JOB_SHUTDOWN) else NO_SHUTDOWN
        if finished is None or self.now - finished.time < patience:
            return None
        return max(finished.time, job.steps[-1].time)

    def is_open(self, job: Job) -> bool:
        """Whether a job began and has neither ended nor been lost."""
        return job.begun is not None and not self._ended(job) and self.lost(job) is None

    def open_jobs(self) -> list[Job]:
        """Jobs that began and have neither ended nor been lost."""
        return [job for job in self.jobs if self.is_open(job)]

    def _ended(self, job: Job) -> bool:
        """Whether a job's end is known. The server calls a job failed as soon as its agent has left: that is no end.

        Some agents never report it: such a job has ended with its room.
        """
        if job.is_entrypoint_only and self.room.finished:
            return True
        ended = job.at(Kind.JOB_ENDED)
        return ended is not None and ("agent" in ended.witnesses or ended.facts.get(keys.JOB_STATUS) != "JS_FAILED")

    @cached_property
    def callers(self) -> list[Participant]:
        """Those an agent can be meant for, in the order in which they came."""
        return sorted((p for p in self.participants if p.is_caller), key=lambda p: (p.steps[0].time, p.sid))

    @cached_property
    def agents(self) -> list[Participant]:
        """Agents that were in the room, avatars included."""
        return [p for p in self.participants if p.is_agent]

    def agent_of(self, job: Job) -> Participant | None:
        """The participant a job became; None while it is not in the room."""
        return self.agent_by_job.get(job.sid)

    @cached_property
    def agent_by_job(self) -> Mapping[str, Participant]:
        """For each job's id the participant it became: the one it reported, else one with its identity.

        Several jobs can have one identity, and a job can join twice: of the agents that joined after a job was
        offered and before the next of its identity was, it is the first that was ACTIVE.
        """
        by_sid = {agent.sid: agent for agent in self.agents}
        found = {}
        for job in self.jobs:
            connected = job.at(Kind.AGENT_CONNECTED)
            sid = str(connected.facts.get(keys.PARTICIPANT_ID)) if connected else ""
            # Without personal data nobody has an identity, and only the SID counts.
            agent = by_sid.get(sid) or self._agent_with_identity_of(job)
            if agent:
                found[job.sid] = agent
        return found

    def _agent_with_identity_of(self, job: Job) -> Participant | None:
        identity = job.participant_identity
        theirs = [agent for agent in self.agents if identity and agent.identity == identity]
        theirs.sort(key=lambda agent: agent.steps[0].time)
        of_identity = sorted(other.steps[0].time for other in self.jobs if other.participant_identity == identity)
        if len(of_identity) > 1:
            began = job.steps[0].time
            until = next((time for time in of_identity if time > began), None)
            theirs = [a for a in theirs if a.steps[0].latest >= began and (until is None or a.steps[0].time < until)]
        return next((agent for agent in theirs if agent.at(Kind.PARTICIPANT_ACTIVE)), theirs[0] if theirs else None)
