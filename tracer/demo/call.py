"""One call: it joins, plays a quiet tone, says what happens meanwhile, and leaves."""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from typing import TYPE_CHECKING, Any

from livekit import rtc

from tracer.errors import CallError
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Call", "publish"]

RATE = 48_000
FRAME = RATE // 100
QUIET = 300
"""Of 32,767: what a codec makes of silence is below, a voice far above."""
AGENT_STATE = "lk.agent.state"
"""Attribute that an agent's session sets: initializing, listening, thinking, speaking."""


class Call:
    """A caller with this token; ``say`` gets a line for each thing that happens."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        silent: bool = False,
        key: bytes = b"",
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.sid = ""
        """The room's, once it was joined."""
        self.agents: set[str] = set()
        """Identities of the agents that were there."""
        self.ended_by_server = ""
        """Why the server ended it; empty when it did not."""
        self._url, self._token = url, token
        self._silent = silent
        """Whether it has no microphone."""
        self._key = key
        """With which its audio is encrypted end to end; empty for none."""
        self._say = say or (lambda _: None)
        self._room = rtc.Room()
        self._began = time.monotonic()
        self._tasks: list[asyncio.Task[Any]] = []
        self._over = asyncio.Event()

    async def make(self, seconds: float, leave: asyncio.Event) -> None:
        """For so many seconds, or until ``leave`` is set or the server ends it.

        Raises CallError when the room cannot be joined, when the microphone cannot be published, or when it was the
        server that ended the call.
        """
        leaving = asyncio.create_task(leave.wait())
        try:
            await self._join(leaving)
            if self._room.isconnected():
                await self._stay(seconds, leaving)
        finally:
            for task in (leaving, *self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._room.disconnect()
        if self.ended_by_server:
            raise CallError(f"the server ended the call: {self.ended_by_server}")

    async def _join(self, leaving: asyncio.Task[bool]) -> None:
        self._listen()
        joining = asyncio.create_task(self._room.connect(self._url, self._token, _options(self._key)))
        await asyncio.wait([joining, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not joining.done():
            joining.cancel()
            return
        try:
            await joining
        except rtc.ConnectError as error:
            raise CallError(f"cannot join the room: {plain(error.message.replace(self._token, '…'))}") from None
        self.sid = await self._room.sid
        self._tell(f"joined {plain(self._room.name)}  {plain(self.sid)}")
        for who in self._room.remote_participants.values():
            self._came(who)

    async def _stay(self, seconds: float, leaving: asyncio.Task[bool]) -> None:
        over = asyncio.create_task(self._over.wait())
        speaking = (
            []
            if self._silent
            else [asyncio.create_task(publish(self._room, lambda: self._tell("publishes a microphone")))]
        )
        self._tasks += [*speaking, over]
        done, _ = await asyncio.wait([leaving, over, *speaking], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._room.isconnected():
            for failed in done.intersection(speaking):
                await failed
            self._tell("hung up")

    def _listen(self) -> None:
        room = self._room
        room.on("participant_connected", self._came)
        room.on("participant_disconnected", lambda who: self._tell(f"{_named(who)} left"))
        room.on("participant_attributes_changed", self._changed)
        room.on("track_subscribed", lambda track, _, who: self._hear(track, who))
        room.on("reconnecting", lambda: self._tell("lost the connection; trying again"))
        room.on("reconnected", lambda: self._tell("is connected again"))
        room.on("disconnected", self._disconnected)

    def _came(self, who: rtc.RemoteParticipant) -> None:
        agent = who.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        if agent:
            self.agents.add(who.identity)
        self._tell(f"{_named(who)} is there{', an agent' if agent else ''}")
        self._changed(who.attributes, who)  # of which it may have brought some along

    def _changed(self, changed: dict[str, str], who: rtc.Participant) -> None:
        if state := changed.get(AGENT_STATE):
            self._tell(f"{_named(who)} is {plain(state)}")

    def _hear(self, track: rtc.Track, who: rtc.RemoteParticipant) -> None:
        if track.kind == rtc.TrackKind.KIND_AUDIO:
            self._tasks.append(asyncio.create_task(self._until_heard(track, who)))

    async def _until_heard(self, track: rtc.Track, who: rtc.RemoteParticipant) -> None:
        """A track can be there and silent: only what differs from silence is heard."""
        stream = rtc.AudioStream(track, capacity=10)
        try:
            async for event in stream:
                if max(map(abs, event.frame.data), default=0) > QUIET:
                    self._tell(f"hears {_named(who)}")
                    return
        finally:
            await stream.aclose()

    def _disconnected(self, reason: rtc.DisconnectReason.ValueType) -> None:
        if reason != rtc.DisconnectReason.CLIENT_INITIATED:
            self.ended_by_server = rtc.DisconnectReason.Name(reason)
        self._over.set()

    def _tell(self, text: str) -> None:
        self._say(f"{time.monotonic() - self._began:6.2f} s  {text}")


def _options(key: bytes) -> rtc.RoomOptions:
    shared = rtc.KeyProviderOptions(shared_key=key)
    return rtc.RoomOptions(encryption=rtc.E2EEOptions(key_provider_options=shared) if key else None)


async def publish(room: rtc.Room, published: Callable[[], None] = lambda: None) -> None:
    """Publish a microphone, and play a tone of 220 Hz for as long as it is listened to.

    ``published`` is called once the microphone is there. Raises CallError when it cannot be.
    """
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    # A participant without tracks is announced to the others up to 3 s late; a real caller has a microphone.
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    try:
        await room.local_participant.publish_track(track, options)
    except rtc.participant.PublishTrackError as error:
        raise CallError(f"cannot publish a microphone: {plain(error.message)}") from None
    published()
    at = 0
    while True:
        samples = array("h", (int(2000 * math.sin(2 * math.pi * 220 * (at + i) / RATE)) for i in range(FRAME)))
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME))
        at += FRAME


def _named(who: rtc.Participant) -> str:
    return plain(who.identity)
