"""A scenario being played: what a call is made of, step by step."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from livekit.api import (
    CreateAgentDispatchRequest,
    CreateRoomRequest,
    DeleteRoomRequest,
    ListParticipantsRequest,
    MuteRoomTrackRequest,
    RoomAgentDispatch,
    RoomParticipantIdentity,
    UpdateParticipantRequest,
    UpdateSubscriptionsRequest,
)
from livekit.protocol.models import ParticipantInfo, ParticipantPermission

from tracer.demo.tokens import caller_token
from tracer.errors import DemoError, UnknownRoomError
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from livekit.api import LiveKitAPI

    from tracer.demo.stage import Stage
    from tracer.local_servers import Process
    from tracer.settings import LiveKit
    from tracer.timeline.timeline import Timeline

__all__ = ["ALONE", "FOR_LONG", "IN_VAIN", "DemoWorker", "Play", "until"]

LIMIT = 120.0
"""Seconds for anything that has to happen, on a machine that is busy; a server of one's own may keep a room for 20
after the last leave."""
REPORTED_EVERY = 30.0
"""Seconds after which who waits is told that it goes on."""
NO_END = 10 * LIMIT
"""Seconds until a caller leaves whom nobody has told to."""

IN_VAIN = 7.0
"""Seconds a caller waits for an agent that does not come: with the time the room then stays open, longer than the
server takes to list a job."""
ALONE = 2.0
"""Seconds a caller is still there when the agent has gone."""
FOR_LONG = 12.0
"""Seconds after which a caller has given up hope: what has not come within 10 will hardly come."""


@dataclass(frozen=True, slots=True)
class DemoWorker:
    """A worker that a scenario needs."""

    agent_name: str = ""
    file: Path | None = None
    """The agent; without it the sample agent."""
    environment: Mapping[str, str] = field(default_factory=dict)
    instrumented: bool = True
    """Whether it calls ``tracer.instrument``."""


@dataclass
class Play:
    """A scenario being played: the stage, the server, and what a call is made of."""

    stage: Stage
    server: LiveKit
    livekit: LiveKitAPI
    room: str
    say: Callable[[str], None]
    began: int = field(default_factory=time.time_ns)
    """ns since the epoch; what is older belongs to an earlier room of this name."""
    workers: list[Process] = field(default_factory=list)
    """Those that were started."""
    sid: str = ""
    """SID of the room that the scenario is about, where there is more than one of this name; else the latest is."""
    prefix: str = ""
    """On a server that others use too: what the names of this demo's agents begin with."""

    def anew(self, room: str) -> Play:
        """A play on the same stage, of another room or of a later one of the same name."""
        return replace(self, room=room, sid="", began=time.time_ns())

    def named(self, agent: str) -> str:
        """An agent's name as the server knows it.

        On a server that others use too nobody else has it, and no agent is unnamed: it would get everyone's calls.
        """
        return f"{self.prefix}-{agent or 'agent'}" if self.prefix else agent

    def wanted(self, agents: tuple[str, ...]) -> list[str]:
        """What these agents are requested by. With none the server would request the unnamed one, of anybody."""
        every = agents or (("",) if self.prefix else ())
        return [self.named(agent) for agent in every]

    def start(self, worker: DemoWorker) -> Process:
        """A worker, once it is registered."""
        number = len(self.workers)
        name = self.named(worker.agent_name)
        named = f" named {name!r}" if name else ""
        self.say(f"starting {'another' if number else 'an'} agent{named}")
        start = self.stage.agent if worker.instrumented else self.stage.stranger
        environment = {"AGENT_NAME": name, **worker.environment}
        process = start(self.server, worker.file, name=f"agent-{number}", **environment)
        self.workers.append(process)
        return process

    def caller(
        self,
        identity: str = "ada",
        *,
        attributes: Mapping[str, str] | None = None,
        metadata: str = "",
        agents: tuple[str, ...] = (),
        silent: bool = False,
        media: bool = True,
        may_publish: bool = True,
        hidden: bool = False,
        encrypts: bool = False,
        by_telephone: bool = False,
    ) -> Process:
        """Someone joins, speaks unless ``silent``, and stays until they hang up; the token names ``agents``.

        They hang up when what the scenario is about has happened, not after a while: a busy machine changes nothing
        then. Without ``may_publish`` their token does not let them speak, who is ``hidden`` is shown to nobody, without
        ``media`` they never become ACTIVE, and who ``encrypts`` does so end to end, with a key that nobody else has.
        Who is called ``by_telephone`` is a participant as livekit-sip makes it.
        """
        token = caller_token(
            self.server,
            self.room,
            identity,
            name=identity.title(),
            metadata=metadata,
            attributes=attributes,
            agents=self.wanted(agents),
            may_publish=may_publish,
            hidden=hidden,
            by_telephone=by_telephone,
        )
        options = []
        if silent or not may_publish:
            options.append("--silent")
        if encrypts:
            options.append("--encrypted")
        if not media:
            options.append("--without-media")
        self.say(f"{identity} calls")
        return self.stage.caller(identity, self.server.url, token, NO_END, *options)

    async def create_room(self, *agents: str, empty_timeout: int = 0) -> None:
        """CreateRoom, with agents of these names; without ``empty_timeout``, in s, the server's own applies."""
        wanted = [RoomAgentDispatch(agent_name=name) for name in self.wanted(agents)]
        asked = CreateRoomRequest(name=self.room, departure_timeout=2, empty_timeout=empty_timeout, agents=wanted)
        await self.livekit.room.create_room(asked)

    async def room_without_callers(self, *agents: str) -> None:
        """CreateRoom, with agents of these names; returns when an agent waits there for a participant."""
        await self.create_room(*agents)
        await self.happened(Kind.AGENT_WAITING_FOR_PARTICIPANT)

    async def dispatch(self, agent_name: str, metadata: str = "") -> None:
        """CreateDispatch, which also creates the room where there is none, and with it requests the unnamed agent."""
        name = self.named(agent_name)
        self.say(f"CreateDispatch of {name!r}")
        asked = CreateAgentDispatchRequest(agent_name=name, room=self.room, metadata=metadata)
        await self.livekit.agent_dispatch.create_dispatch(asked)

    async def delete_dispatches(self) -> None:
        """DeleteDispatch of each that the room has."""
        for dispatch in await self.livekit.agent_dispatch.list_dispatch(self.room):
            self.say(f"DeleteDispatch of {dispatch.id}")
            await self.livekit.agent_dispatch.delete_dispatch(dispatch.id, self.room)

    async def delete_room(self) -> None:
        """DeleteRoom: everybody is disconnected from the room that has this name now."""
        await self.livekit.room.delete_room(DeleteRoomRequest(room=self.room))

    async def agent(self) -> str:
        """Identity of the agent that is in the room."""
        there = (await self.livekit.room.list_participants(ListParticipantsRequest(room=self.room))).participants
        return next(who.identity for who in there if who.kind == ParticipantInfo.AGENT)

    async def remove(self, identity: str) -> None:
        """RemoveParticipant."""
        self.say(f"RemoveParticipant of {identity}")
        await self.livekit.room.remove_participant(RoomParticipantIdentity(room=self.room, identity=identity))

    async def may_not_publish(self, identity: str) -> None:
        """UpdateParticipant, which takes the permission to publish away."""
        self.say(f"UpdateParticipant of {identity}: canPublish is taken away")
        left = ParticipantPermission(can_subscribe=True, can_publish_data=True, can_update_metadata=True)
        wanted = UpdateParticipantRequest(room=self.room, identity=identity, permission=left)
        await self.livekit.room.update_participant(wanted)

    async def answers(self, identity: str) -> None:
        """UpdateParticipant, as livekit-sip tells that somebody has answered their telephone."""
        self.say(f"{identity} answers the telephone")
        wanted = UpdateParticipantRequest(room=self.room, identity=identity, attributes={"sip.callStatus": "active"})
        await self.livekit.room.update_participant(wanted)

    async def mute(self, identity: str) -> None:
        """MutePublishedTrack of all that somebody publishes."""
        there = (await self.livekit.room.list_participants(ListParticipantsRequest(room=self.room))).participants
        for track in next(who.tracks for who in there if who.identity == identity):
            self.say(f"MutePublishedTrack of {identity}: {track.sid}")
            wanted = MuteRoomTrackRequest(room=self.room, identity=identity, track_sid=track.sid, muted=True)
            await self.livekit.room.mute_published_track(wanted)

    async def unsubscribe(self, agent: str) -> None:
        """UpdateSubscriptions: the agent of this identity no longer gets anybody's tracks."""
        there = (await self.livekit.room.list_participants(ListParticipantsRequest(room=self.room))).participants
        tracks = [track.sid for who in there if who.identity != agent for track in who.tracks]
        self.say(f"UpdateSubscriptions of {agent}: it is unsubscribed from {len(tracks)} track")
        wanted = UpdateSubscriptionsRequest(room=self.room, identity=agent, track_sids=tracks, subscribe=False)
        await self.livekit.room.update_subscriptions(wanted)

    async def call(
        self,
        *,
        attributes: Mapping[str, str] | None = None,
        metadata: str = "",
        agents: tuple[str, ...] = (),
        silent: bool = False,
    ) -> None:
        """A call as it should be: the caller stays until the agent's session has started, and a while longer."""
        caller = self.caller(attributes=attributes, metadata=metadata, agents=agents, silent=silent)
        await self.happened(Kind.SESSION_STARTED)
        await self.hangs_up(caller, ALONE)

    async def has_left(self, caller: Process) -> None:
        """Wait until a caller has left. Raises DemoError when the call failed."""
        await self.until(lambda: not caller.running, f"{caller.name} has not left")
        if caller.returncode:
            raise DemoError(f"{caller.name} could not call: {' '.join(caller.last_lines())}")

    async def hangs_up(self, caller: Process, after: float = 0.0) -> None:
        """Have a caller leave, ``after`` so many more seconds."""
        await asyncio.sleep(after)
        self.say(f"{caller.name.removeprefix('caller-')} leaves")
        _send(caller, signal.SIGTERM)
        await self.has_left(caller)

    async def goes_away(self, caller: Process, after: float = 0.0) -> None:
        """Have a caller leave who comes back later, as when a page is reloaded. Returns when they have left."""
        await asyncio.sleep(after)
        self.say(f"{caller.name.removeprefix('caller-')} leaves")
        _send(caller, signal.SIGUSR1)
        await self.happened(Kind.PARTICIPANT_LEFT)

    def comes_back(self, caller: Process) -> None:
        """Have a caller call again who went away."""
        self.say(f"{caller.name.removeprefix('caller-')} calls again")
        _send(caller, signal.SIGUSR1)

    async def breaks_off(self, caller: Process) -> None:
        """A caller's process is killed, as when their network or machine fails."""
        self.say(f"{caller.name.removeprefix('caller-')} loses the connection")
        _send(caller, signal.SIGKILL)
        await self.until(lambda: not caller.running, f"{caller.name} has not ended")

    async def nobody_comes(self, caller: Process) -> None:
        """Have a caller wait in vain for an agent, and leave."""
        await self.happened(Kind.PARTICIPANT_ACTIVE)
        await self.hangs_up(caller, IN_VAIN)

    def drain(self, worker: Process) -> None:
        """SIGTERM, as in a deploy: the worker waits for its jobs, and accepts no new ones."""
        self.say("SIGTERM to the worker")
        _send(worker, signal.SIGTERM)

    async def stops(self, worker: Process) -> None:
        """Have a worker stop, and wait for its end."""
        self.drain(worker)
        await self.until(lambda: not worker.running, f"{worker.name} has not stopped")

    async def is_killed(self, worker: Process) -> None:
        """SIGKILL to a worker and its job processes, as when its machine fails."""
        self.say("SIGKILL to the worker")
        if worker.running and worker.pid:
            os.killpg(worker.pid, signal.SIGKILL)
        await self.until(lambda: not worker.running, f"{worker.name} has not ended")

    @contextmanager
    def held_up(self, worker: Process) -> Iterator[None]:
        """Within this context a worker's process is suspended; its job processes are not."""
        self.say("SIGSTOP to the worker")
        _send(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            self.say("SIGCONT to the worker")
            _send(worker, signal.SIGCONT)

    async def until(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait for something. Raises DemoError with ``otherwise`` when it takes longer than the limit."""
        await until(condition, otherwise, self.say)

    async def happened(self, kind: Kind, times: int = 1) -> None:
        """Wait until the timeline has so many steps of this kind."""

        def seen() -> bool:
            timeline = self.timeline()
            return timeline is not None and sum(step.kind is kind for step in timeline.steps) >= times

        await self.until(seen, f"no {kind}")

    async def room_is_old(self, seconds: float) -> None:
        """Wait until so many seconds after the room was created, however late that was reported."""
        await self.happened(Kind.ROOM_CREATED)
        timeline = self.timeline()
        created = timeline.zero if timeline else time.time_ns()
        await asyncio.sleep(max(0.0, seconds - (time.time_ns() - created) / NS_PER_S))

    async def worker_reported(self, kind: Kind) -> None:
        """Wait until a worker reports this of itself."""
        await self.until(lambda: self.stage.worker_reported(kind, *self.workers), f"no {kind}")

    def timeline(self) -> Timeline | None:
        """What is known of this play's room by now."""
        try:
            timeline = self.stage.timeline(self.sid or self.room)
        except UnknownRoomError:
            return None
        return timeline if timeline.zero >= self.began else None

    async def is_about_this_room(self) -> None:
        """Keep to the room that has this name now, also when a later one gets the same name."""
        await self.happened(Kind.ROOM_CREATED)
        timeline = self.timeline()
        self.sid = timeline.room.sid if timeline else ""

    def is_over(self) -> bool:
        """Whether the room has finished, and every job whose agent was in it: any other does not learn of its end."""
        timeline = self.timeline()
        if timeline is None or not timeline.room.finished:
            return False
        return not any(job.at(Kind.AGENT_CONNECTED) for job in timeline.open_jobs())

    async def ended(self) -> Timeline:
        """Wait for the end of the call: what is known of it then."""
        await self.until(self.is_over, "the end of the call was not seen")
        return self.stage.timeline(self.sid or self.room)


async def until(condition: Callable[[], bool], otherwise: str, report: Callable[[str], None]) -> None:
    """Wait for something. Raises DemoError with ``otherwise`` when it takes longer than the limit.

    ``report`` gets a sentence now and then that says how long it has been waited.
    """
    begun = time.monotonic()
    reported = begun
    while not condition():
        now = time.monotonic()
        if now - begun > LIMIT:
            raise DemoError(f"{otherwise} after {LIMIT:.0f} s")
        if now - reported >= REPORTED_EVERY:
            reported = now
            report(f"{otherwise} after {now - begun:.0f} s, waiting up to {LIMIT:.0f} s")
        await asyncio.sleep(0.05)


def _send(process: Process, number: signal.Signals) -> None:
    if process.running and process.pid:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
