"""What every scenario of the demo has: a question, a real call, and an answer from what was measured."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from livekit.api import AccessToken, CreateRoomRequest, RoomAgentDispatch, RoomConfiguration, VideoGrants

from tracer.errors import DemoError, UnknownRoomError
from tracer.moment import NS_PER_MS, Kind
from tracer.view.text import milliseconds, offset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from livekit.api import LiveKitAPI

    from tracer.demo.stage import Stage
    from tracer.servers import Process
    from tracer.settings import LiveKit
    from tracer.step import Step
    from tracer.timeline import Job, Participant, Timeline

__all__ = ["LIMIT", "Play", "Scenario", "Worker", "at", "between", "first_call"]

LIMIT = 60.0
"""Seconds for anything that has to happen; a server of one's own may keep a room for 20 after the last leave."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker that a scenario needs."""

    agent_name: str = ""
    file: Path | None = None
    """The agent; without it the sample agent."""
    environment: Mapping[str, str] = field(default_factory=dict)


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

    def caller(
        self,
        identity: str = "ada",
        *,
        seconds: float = 3.0,
        attributes: Mapping[str, str] | None = None,
        metadata: str = "",
        agents: tuple[str, ...] = (),
        silent: bool = False,
    ) -> Process:
        """Someone joins, speaks unless ``silent``, and leaves after so many seconds; the token names ``agents``."""
        token = (
            AccessToken(self.server.api_key, self.server.api_secret)
            .with_identity(identity)
            .with_name(identity.title())
            .with_metadata(metadata)
            .with_attributes(dict(attributes or {}))
            .with_grants(VideoGrants(room_join=True, room=self.room))
        )
        if agents:
            wanted = [RoomAgentDispatch(agent_name=name) for name in agents]
            token = token.with_room_config(RoomConfiguration(agents=wanted))
        self.say(f"{identity} calls")
        return self.stage.caller(identity, self.server.url, token.to_jwt(), seconds, silent=silent)

    async def room_without_callers(self, *agents: str) -> None:
        """CreateRoom, with agents of these names; returns when an agent waits there for a participant."""
        wanted = [RoomAgentDispatch(agent_name=name) for name in agents]
        await self.livekit.room.create_room(CreateRoomRequest(name=self.room, departure_timeout=2, agents=wanted))
        await self.happened(Kind.AGENT_WAITING_FOR_PARTICIPANT)

    async def has_left(self, caller: Process) -> None:
        """Wait until a caller has left. Raises DemoError when the call failed."""
        await self.until(lambda: not caller.running, f"{caller.name} has not left")
        if caller.returncode:
            raise DemoError(f"{caller.name} could not call: {' '.join(caller.last_lines())}")

    async def until(self, condition: Callable[[], bool], otherwise: str) -> None:
        """Wait for something. Raises DemoError with ``otherwise`` when it takes longer than the limit."""
        end = time.monotonic() + LIMIT
        while not condition():
            if time.monotonic() > end:
                raise DemoError(f"{otherwise} after {LIMIT:.0f} s")
            await asyncio.sleep(0.05)

    async def happened(self, kind: Kind, times: int = 1) -> None:
        """Wait until the timeline has so many steps of this kind."""

        def seen() -> bool:
            timeline = self.timeline()
            return timeline is not None and sum(step.kind is kind for step in timeline.steps) >= times

        await self.until(seen, f"no {kind}")

    def timeline(self) -> Timeline | None:
        """What is known of this play's room by now."""
        try:
            timeline = self.stage.timeline(self.room)
        except UnknownRoomError:
            return None
        return timeline if timeline.zero >= self.began else None

    def is_over(self) -> bool:
        """Whether the room has finished, and every job that began in it."""
        timeline = self.timeline()
        if timeline is None or not timeline.room.finished:
            return False
        begun = [job for job in timeline.jobs if job.at(Kind.JOB_RECEIVED, Kind.JOB_ENTRYPOINT_STARTED)]
        return bool(begun) and all(job.at(Kind.JOB_ENDED) for job in begun)


class Scenario(ABC):
    """One way a call can go."""

    name: ClassVar[str]
    question: ClassVar[str]
    """What people ask whom it answers."""
    workers: ClassVar[tuple[Worker, ...]] = (Worker(),)

    @abstractmethod
    async def play(self, play: Play) -> None:
        """Make the call; returns when the last caller has left."""

    @abstractmethod
    def answer(self, timeline: Timeline) -> Iterator[str]:
        """Sentences that answer the question from what was measured; nothing that was not seen is said."""


def first_call(timeline: Timeline) -> tuple[Participant, Job] | None:
    """The first caller and the first job; None when one of them was not seen."""
    caller = next((p for p in timeline.participants if not p.is_agent), None)
    job = next(iter(timeline.jobs), None)
    return (caller, job) if caller and job else None


def at(timeline: Timeline, step: Step | None) -> str:
    """When a step was, from the room's creation."""
    return offset((step.time - timeline.zero) / NS_PER_MS) if step else "a time nobody saw"


def between(start: Step | None, end: Step | None) -> str:
    """How long it was from one step to another."""
    return milliseconds((end.time - start.time) / NS_PER_MS) if start and end else "a time nobody saw"
