"""A caller: joins, plays a quiet tone, and leaves after a while or on SIGTERM.

LIVEKIT_URL=… CALLER_TOKEN=… python -m tracer.demo.caller SECONDS [--silent | --without-media] [--back-after SECONDS]
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import signal
import sys
from array import array

import aiohttp
from livekit import rtc
from livekit.protocol.models import DisconnectReason
from livekit.protocol.rtc import LeaveRequest, SignalRequest

__all__: list[str] = []

RATE = 48_000
FRAME = RATE // 100
PROTOCOL = 15
"""Protocol version of the caller without media."""


async def call(seconds: float, leave: asyncio.Event, *, silent: bool) -> None:
    """One call of this length, or until ``leave`` is set or the server disconnects; ``silent`` without a microphone."""
    room, disconnected = rtc.Room(), asyncio.Event()
    room.on("disconnected", lambda *_: disconnected.set())
    await room.connect(os.environ["LIVEKIT_URL"], os.environ["CALLER_TOKEN"])
    ends = [asyncio.create_task(leave.wait()), asyncio.create_task(disconnected.wait())]
    speaking = [] if silent else [asyncio.create_task(publish(room))]
    done, _ = await asyncio.wait([*ends, *speaking], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in (*ends, *speaking):
        task.cancel()
    for failed in done.intersection(speaking):
        if room.isconnected():
            await failed
    await room.disconnect()


async def publish(room: rtc.Room) -> None:
    """Publish a microphone."""
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    # A participant without tracks is announced to the others up to 3 s late; a real caller has a microphone.
    await room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    await speak(source)


async def speak(source: rtc.AudioSource) -> None:
    """A tone of 220 Hz, for as long as it is listened to."""
    at = 0
    while True:
        samples = array("h", (int(2000 * math.sin(2 * math.pi * 220 * (at + i) / RATE)) for i in range(FRAME)))
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME))
        at += FRAME


async def call_without_media(seconds: float, leave: asyncio.Event) -> None:
    """As if the network let signalling through and no media: it joins, and never becomes ACTIVE."""
    wanted = {"access_token": os.environ["CALLER_TOKEN"], "protocol": str(PROTOCOL), "sdk": "python", "version": "0"}
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{os.environ['LIVEKIT_URL'].rstrip('/')}/rtc", params=wanted) as signalling,
    ):
        left = asyncio.create_task(leave.wait())
        await asyncio.wait([left], timeout=seconds)
        left.cancel()
        leaving = LeaveRequest(reason=DisconnectReason.CLIENT_INITIATED)
        await signalling.send_bytes(SignalRequest(leave=leaving).SerializeToString())


async def main(options: argparse.Namespace) -> None:
    """One call, or two with a while in between."""
    leave = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, leave.set)
    if options.without_media:
        await call_without_media(options.seconds, leave)
        return
    await call(options.seconds, leave, silent=options.silent)
    if options.back_after and not leave.is_set():
        await asyncio.sleep(options.back_after)
        await call(options.seconds, leave, silent=options.silent)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("seconds", type=float)
    parser.add_argument("--silent", action="store_true")
    parser.add_argument("--without-media", action="store_true")
    parser.add_argument("--back-after", type=float, default=0.0)
    asyncio.run(main(parser.parse_args()))
    sys.stdout.flush()
    # The client library's threads can outlive the interpreter and abort it; the call is over.
    os._exit(0)
