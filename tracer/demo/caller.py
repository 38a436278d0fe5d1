"""A caller: joins, speaks a quiet tone as a real one speaks, and leaves.

LIVEKIT_URL=… CALLER_TOKEN=… python -m tracer.demo.caller SECONDS [silent]
"""

from __future__ import annotations

import asyncio
import math
import os
import sys
from array import array
from contextlib import suppress

from livekit import rtc

__all__: list[str] = []

RATE = 48_000
FRAME = RATE // 100


async def call(seconds: float, *, silent: bool) -> None:
    """One call of this length; ``silent`` without a microphone."""
    room = rtc.Room()
    await room.connect(os.environ["LIVEKIT_URL"], os.environ["CALLER_TOKEN"])
    if silent:
        await asyncio.sleep(seconds)
    else:
        await publish(room, seconds)
    await room.disconnect()


async def publish(room: rtc.Room, seconds: float) -> None:
    """Have a microphone, and be heard."""
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    # Who publishes nothing is announced to the others up to 3 s late; a real caller has a microphone.
    await room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    with suppress(TimeoutError):
        await asyncio.wait_for(speak(source), seconds)


async def speak(source: rtc.AudioSource) -> None:
    """A tone of 220 Hz, for as long as it is listened to."""
    at = 0
    while True:
        samples = array("h", (int(2000 * math.sin(2 * math.pi * 220 * (at + i) / RATE)) for i in range(FRAME)))
        await source.capture_frame(rtc.AudioFrame(samples.tobytes(), RATE, 1, FRAME))
        at += FRAME


if __name__ == "__main__":
    asyncio.run(call(float(sys.argv[1]), silent="silent" in sys.argv[2:]))
    sys.stdout.flush()
    # The client library's threads can outlive the interpreter and abort it; the call is over.
    os._exit(0)
