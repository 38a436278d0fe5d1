"""A caller within this process: joins, speaks, mutes, loses the connection, leaves."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from livekit import rtc
from livekit.api import AccessToken, RoomAgentDispatch, RoomConfiguration, VideoGrants
from livekit.rtc._proto.room_pb2 import SIMULATE_FULL_RECONNECT, SIMULATE_SIGNAL_RECONNECT

from tracer.demo.call import publish
from tracer.demo.play import Play
from tracer.errors import DemoError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from livekit.api.access_token import AccessToken as Token

__all__ = ["LIMIT", "Call", "Caller"]

LIMIT = 180.0
"""Seconds for a worker to start, or an agent to come, on a machine that is busy with other things."""
AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


@dataclass
class Call(Play):
    """A call that is being made, as ``Play``; and what its callers saw of it."""

    waited: float = 0.0
    """Seconds that a caller waited for the agent, by their own clock; the longest of all waits."""

    def another(self, room: str) -> Call:
        """One on the same stage, in this room."""
        return replace(self, room=room, began=time.time_ns(), waited=0.0)


class Caller:
    """Somebody in the room of a call for as long as the context lasts; speaks unless ``silent``."""

    def __init__(
        self,
        call: Call,
        identity: str = "ada",
        *,
        silent: bool = False,
        agents: tuple[str, ...] = (),
        attributes: Mapping[str, str] | None = None,
        kind: Token.ParticipantKind = "standard",
        **grants: Any,
    ) -> None:
        """``agents`` are those that the token names; ``grants`` are more of VideoGrants."""
        self.call = call
        self.identity = identity
        self.room = rtc.Room()
        self.silent = silent
        self._speaking: asyncio.Task[None] | None = None
        self._token = (
            AccessToken(call.server.api_key, call.server.api_secret)
            .with_identity(identity)
            .with_kind(kind)
            .with_attributes(dict(attributes or {}))
            .with_grants(VideoGrants(room_join=True, room=call.room, **grants))
        )
        if agents:
            wanted = [RoomAgentDispatch(agent_name=name) for name in agents]
            self._token.with_room_config(RoomConfiguration(agents=wanted))

    async def __aenter__(self) -> Self:
        await self.room.connect(self.call.server.url, self._token.to_jwt())
        if not self.silent:
            self.speaks()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._speaking:
            self._speaking.cancel()
        await self.room.disconnect()

    def speaks(self) -> None:
        """Publish a microphone, and go on speaking."""
        self._speaking = asyncio.create_task(publish(self.room))

    @property
    def _agents(self) -> list[rtc.RemoteParticipant]:
        return [who for who in self.room.remote_participants.values() if who.kind == AGENT]

    async def meets_agent(self) -> None:
        """Wait until an agent is there."""
        self._has_waited(await self._until(lambda: bool(self._agents), "no agent came"))

    async def talks(self, seconds: float = 3.0, agents: int = 1) -> None:
        """Wait until so many agents have a voice, and talk with them for so many seconds."""

        def all_speak() -> bool:
            return sum(bool(who.track_publications) for who in self._agents) >= agents

        self._has_waited(await self._until(all_speak, "no agent has a voice"))
        await asyncio.sleep(seconds)

    def _has_waited(self, seconds: float) -> None:
        self.call.waited = max(self.call.waited, seconds)

    async def is_hung_up_on(self) -> None:
        """Wait until the call was ended by the other side."""
        await self._until(lambda: not self.room.isconnected(), "the call was not ended")

    def mutes(self, *, off: bool = False) -> None:
        """Mute the microphone, or with ``off`` speak on."""
        for publication in self.room.local_participant.track_publications.values():
            track = publication.track
            assert isinstance(track, rtc.LocalAudioTrack)
            if off:
                track.unmute()
            else:
                track.mute()

    async def reconnects(self, *, fully: bool) -> None:
        """Lose the connection and have it back at once: resumed, or ``fully`` made anew."""
        back = asyncio.Event()
        self.room.once("reconnected", back.set)
        await self.room.simulate_scenario(SIMULATE_FULL_RECONNECT if fully else SIMULATE_SIGNAL_RECONNECT)
        with suppress(TimeoutError):  # a resume that nobody notices has no event
            await asyncio.wait_for(back.wait(), 5)

    async def shows(self) -> None:
        """Publish a camera as well."""
        source = rtc.VideoSource(64, 64)
        track = rtc.LocalVideoTrack.create_video_track("camera", source)
        await self.room.local_participant.publish_track(track)
        source.capture_frame(rtc.VideoFrame(64, 64, rtc.VideoBufferType.RGBA, bytes(64 * 64 * 4)))

    async def _until(self, condition: Callable[[], bool], otherwise: str) -> float:
        began = time.monotonic()
        while not condition():
            if time.monotonic() > began + LIMIT:
                raise DemoError(f"{self.identity} in {self.call.room}: {otherwise} in {LIMIT:.0f} s")
            await asyncio.sleep(0.05)
        return time.monotonic() - began
