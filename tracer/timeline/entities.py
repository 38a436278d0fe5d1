"""The subjects of a timeline: room, participant, track, job, worker, dispatch."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import BY_WORKER, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.moment import Fact
    from tracer.timeline.provenance import Mode
    from tracer.timeline.step import Step

__all__ = ["Dispatch", "Entity", "Job", "Participant", "Room", "Shutdown", "Track", "Worker"]


@dataclass(frozen=True)
class Entity:
    """One subject: what happened to it, in order, and what is known of it."""

    sid: str
    steps: tuple[Step, ...] = ()

    @cached_property
    def facts(self) -> Mapping[str, Fact]:
        """What the witnesses reported of it; a later step's facts replace an earlier one's."""
        known: dict[str, Fact] = {}
        for step in self.steps:
            known.update(step.facts)
        return known

    @cached_property
    def reported(self) -> Mapping[str, frozenset[Fact]]:
        """For each key every value that was ever reported: some, as permissions, change meanwhile."""
        known: dict[str, set[Fact]] = defaultdict(set)
        for step in self.steps:
            for moment in step.moments:
                for key, value in moment.facts:
                    known[key].add(value)
        return {key: frozenset(values) for key, values in known.items()}

    def text(self, key: str) -> str | None:
        """The fact under this key as text; None when it was not reported."""
        value = self.facts.get(key)
        return None if value is None else str(value)

    def at(self, *kinds: Kind) -> Step | None:
        """The first step of one of these kinds; None when none was recorded."""
        if len(kinds) == 1:
            return self._first.get(kinds[0])
        return next((step for step in self.steps if step.kind in kinds), None)

    @cached_property
    def _first(self) -> Mapping[Kind, Step]:
        """The first step of each kind: what is asked for most often."""
        return {step.kind: step for step in reversed(self.steps)}

    def time(self, *kinds: Kind) -> int | None:
        """Most likely time of that step, ns since the epoch."""
        step = self.at(*kinds)
        return None if step is None else step.time


class Room(Entity):
    """The room itself."""

    @property
    def name(self) -> str | None:
        """Its name, which later rooms can have too."""
        return self.text(keys.ROOM_NAME)

    @property
    def created(self) -> Step | None:
        """Its creation."""
        return self.at(Kind.ROOM_CREATED)

    @property
    def finished(self) -> Step | None:
        """Its end."""
        return self.at(Kind.ROOM_FINISHED)


class Participant(Entity):
    """A caller, an agent, or whatever else joined."""

    @property
    def identity(self) -> str | None:
        """Who it is, by its token."""
        return self.text(keys.PARTICIPANT_IDENTITY)

    @property
    def kind(self) -> str | None:
        """STANDARD, AGENT, SIP, …"""
        return self.text(keys.PARTICIPANT_KIND)

    @property
    def is_agent(self) -> bool:
        """Whether it is an agent."""
        return self.kind == "AGENT"

    @property
    def is_caller(self) -> bool:
        """Whether an agent can be meant for it: of a kind that ``ctx.wait_for_participant()`` waits for, or unknown."""
        return self.kind in (None, "STANDARD", "SIP", "CONNECTOR")

    @property
    def is_dependent(self) -> bool:
        """Whether it is there for others only: the server sends no agent to it, and it keeps no room open."""
        return self.kind in ("AGENT", "EGRESS")

    @property
    def is_avatar(self) -> bool:
        """Whether it gives another agent a face: it is an agent that no dispatch asked for."""
        return self.speaks_for is not None

    @property
    def speaks_for(self) -> str | None:
        """The identity of the agent that it gives a face and a voice, as an avatar; None of any other."""
        return (self.text(keys.PARTICIPANT_ATTRIBUTE + "lk.publish_on_behalf") or None) if self.is_agent else None

    @cached_property
    def gone(self) -> Step | None:
        """Its leaving, or its giving up before it was ACTIVE."""
        leaves = [step for step in self.steps if step.kind in (Kind.PARTICIPANT_LEFT, Kind.PARTICIPANT_ABORTED)]
        # Which of the two it was, the server knows; the observer saw only that it was gone.
        return next((step for step in leaves if "webhook" in step.witnesses), leaves[0] if leaves else None)

    @property
    def state(self) -> str | None:
        """JOINING, JOINED, ACTIVE or DISCONNECTED: the last one seen; None when it was never seen to join."""
        if self.gone:
            return "DISCONNECTED"
        for kind in (Kind.PARTICIPANT_ACTIVE, Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_JOINING):
            if self.at(kind):
                return kind.partition(".")[2].upper()
        return None

    @property
    def disconnect_reason(self) -> str | None:
        """Why it left, in LiveKit's word."""
        return self.text(keys.DISCONNECT_REASON)

    @property
    def attributes(self) -> dict[str, str]:
        """Its attributes, as last seen."""
        prefix = keys.PARTICIPANT_ATTRIBUTE
        return {key.removeprefix(prefix): str(value) for key, value in self.facts.items() if key.startswith(prefix)}


class Track(Entity):
    """A published track."""

    @property
    def participant(self) -> str | None:
        """SID of its publisher."""
        return self.text(keys.PARTICIPANT_ID)


class Shutdown(StrEnum):
    """Why a job shuts down that does not end itself, in livekit-agents' words."""

    ROOM_GONE = "room disconnected"
    """The room closed, or the agent was taken from it, or left it without ending the job."""
    BY_WORKER = "parent process shutdown"
    """Its worker stops; or the server had the worker end it."""
    CRASHED = "job crashed"
    """Its entrypoint raised."""


OF_JOB = ("job.", "process.", "worker.")
OF_CONNECTION = (Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED)
"""The kinds of steps that describe a job itself."""
NAMED_BY_SESSION = {
    keys.JOB_ID,
    keys.DISPATCH_ID,
    keys.AGENT_NAME,
    keys.WORKER_ID,
    keys.AGENT_TRACE,
    keys.WORKER_HOST,
    keys.SDK_LANGUAGE,
}
"""What the session's span has of its job: the only one that names it where the program flushes before the job ends."""


_WITHOUT_WORKER = (Kind.JOB_CREATED, Kind.JOB_ENDED)
"""What happens to a job that no worker is ever offered."""


class Job(Entity):
    """One agent's work in the room."""

    @cached_property
    def facts(self) -> Mapping[str, Fact]:
        """What is known of the job itself, without what its session, its models and its waiting reported of others.

        Answers of workers that were offered it count less than what was reported later: one of them can have refused,
        by a clock that is ahead. Its creation and its offers count least.
        """
        own = [step for step in self.steps if step.kind.value.startswith(OF_JOB) or step.kind in OF_CONNECTION]
        own.sort(key=lambda step: step.kind not in (Kind.JOB_CREATED, Kind.JOB_OFFERED) and step.kind not in BY_WORKER)
        sessions = Entity(self.sid, tuple(step for step in self.steps if step.kind is Kind.SESSION_STARTING)).facts
        named = {key: sessions[key] for key in NAMED_BY_SESSION if key in sessions}
        return {**named, **Entity(self.sid, tuple(own)).facts}

    @property
    def dispatch_id(self) -> str | None:
        """The dispatch it answers."""
        return self.text(keys.DISPATCH_ID)

    @property
    def agent_name(self) -> str | None:
        """The agent's name; empty for one without a name."""
        return self.text(keys.AGENT_NAME)

    @property
    def worker_id(self) -> str | None:
        """The worker that took it."""
        return self.text(keys.WORKER_ID)

    @property
    def status(self) -> str | None:
        """LiveKit's word for how it stands: JS_PENDING, JS_RUNNING, JS_SUCCESS, JS_FAILED, JS_CANCELLED."""
        return self.text(keys.JOB_STATUS)

    @property
    def is_waiting(self) -> bool:
        """Whether the server made it and offered it to no worker, as far as is known: it waits, or waited in vain."""
        return self.at(Kind.JOB_CREATED) is not None and all(step.kind in _WITHOUT_WORKER for step in self.steps)

    @property
    def is_node(self) -> bool:
        """Whether its agent is one in Node."""
        return self.text(keys.SDK_LANGUAGE) == "nodejs"

    @property
    def is_entrypoint_only(self) -> bool:
        """Whether its agent does not report how it connected, shut down and ended: one in Node, or before 1.8.2."""
        return self.is_node or self.facts.get(keys.ENTRYPOINT_ONLY) is True

    @property
    def reported_end(self) -> Step | None:
        """Its end as its own root span tells it, in livekit-agents 1.8.2 and newer; None where it did not."""
        ended = self.at(Kind.JOB_ENDED)
        return ended if ended and "agent" in ended.witnesses and not self.is_entrypoint_only else None

    @property
    def begun(self) -> Step | None:
        """The first step by which its agent shows that it was given to the worker, or to a process, or runs.

        Not what the server alone reports: then its end can go unreported too. Of a process that was killed before it
        reported anything, its worker knows that it had the job and its end.
        """
        given = (Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED)
        step = next((step for step in self.steps if step.kind in given and "agent" in step.witnesses), None)
        failed = self.at(Kind.PROCESS_FAILED)
        return step or (failed if failed and keys.EXIT_CODE in failed.facts else None)

    @property
    def shutdown_reason(self) -> str | None:
        """Why it shut down: one of Shutdown, or in its own words; None when it was not reported."""
        return self.text(keys.SHUTDOWN_REASON)

    @property
    def last_reported(self) -> Step:
        """The last step that the job itself reported; where it reported none, the last that is known."""
        own = [s for s in self.steps if "agent" in s.witnesses and s.kind is not Kind.PROCESS_FAILED]
        return (own or list(self.steps))[-1]

    @property
    def participant_identity(self) -> str | None:
        """The identity it has, or would have, in the room."""
        connected = self.at(Kind.AGENT_CONNECTED)
        given = self.text(keys.PARTICIPANT_IDENTITY)
        return str(connected.facts.get(keys.PARTICIPANT_IDENTITY, given)) if connected else given


class Worker(Entity):
    """A worker that reported itself: what it reports holds for every room."""

    @property
    def agent_name(self) -> str:
        """The name it takes dispatches of; empty for one without a name."""
        return self.text(keys.AGENT_NAME) or ""

    @property
    def job_type(self) -> str | None:
        """For what it is sent a job: JT_ROOM, JT_PARTICIPANT or JT_PUBLISHER; None when it was not reported."""
        return self.text(keys.JOB_TYPE)

    @property
    def host(self) -> str | None:
        """The machine it runs on."""
        return self.text(keys.WORKER_HOST)

    @property
    def deployment(self) -> str | None:
        """The deployment it registered for; None for none, or where it did not report it."""
        return self.text(keys.DEPLOYMENT)

    @property
    def server(self) -> str | None:
        """Host and port of the server it registered with; every name of this machine is ``localhost``."""
        server = self.text(keys.WORKER_SERVER)
        if server is None:
            return None
        host, _, port = server.rpartition(":")
        return f"localhost:{port}" if host in _LOOPBACK else server

    @property
    def previous_id(self) -> str | None:
        """The id it had before it lost its connection and registered again."""
        return self.text(keys.WORKER_PREVIOUS_ID)

    def standing(self, at: int) -> Kind | None:
        """Its status at a time, ns: registered, available, full, draining, disconnected or closed; None before.

        One that was killed still has the status that it reported last.
        """
        standings = [step.kind for step in self.steps if step.kind in _STANDINGS and step.time <= at]
        return standings[-1] if standings else None

    def loads(self, since: int, until: int) -> list[Step]:
        """The reports of its load that held at some time between these two, ns; none where none is known."""
        reports = [step for step in self.steps if step.kind is Kind.WORKER_LOAD and step.time <= until]
        before = [step for step in reports if step.time <= since]
        return [*before[-1:], *reports[len(before) :]]


_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}

_STANDINGS = {
    Kind.WORKER_REGISTERED,
    Kind.WORKER_AVAILABLE,
    Kind.WORKER_FULL,
    Kind.WORKER_DRAINING,
    Kind.WORKER_DISCONNECTED,
    Kind.WORKER_CLOSED,
}


@dataclass(frozen=True)
class Dispatch(Entity):
    """A wish for an agent."""

    jobs: tuple[str, ...] = ()
    mode: Mode | None = None
    """How it came about; None where that is not known."""

    @property
    def agent_name(self) -> str | None:
        """The agent's name; empty for the unnamed, automatic dispatch."""
        return self.text(keys.AGENT_NAME)
