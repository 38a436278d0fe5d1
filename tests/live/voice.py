"""A caller whose voice is taken for a person's: pulses through the resonances of vowels, for voice activity detectors.

    LIVEKIT_URL=… CALLER_TOKEN=… python voice.py

Says one sentence, and hangs up on SIGTERM.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import signal
from array import array

from livekit import rtc

RATE = 24_000
FRAME = RATE // 100
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (570, 840, 2410), (530, 1840, 2480), (300, 870, 2240))
"""The first three resonances of a, i, o, e and u, Hz."""
SYLLABLE = int(0.18 * RATE)


def resonance(samples: list[float], frequency: float, width: float) -> list[float]:
    decay = math.exp(-math.pi * width / RATE)
    a, b = 2 * decay * math.cos(2 * math.pi * frequency / RATE), -decay * decay
    before = last = 0.0
    heard = []
    for sample in samples:
        last, before = (1 - a - b) * sample + a * last + b * before, last
        heard.append(last)
    return heard


def voice(syllables: int) -> array[int]:
    """So many syllables as 16-bit samples, the same each time."""
    chance, phase, said = random.Random(1), 0.0, list[float]()  # noqa: S311  noise, not a secret
    for number in range(syllables):
        breath = []
        for i in range(SYLLABLE):
            phase += (120 + 25 * math.sin((number * SYLLABLE + i) * 8.2 / RATE)) / RATE
            pulse, phase = (40.0, phase - 1) if phase >= 1 else (0.0, phase)
            breath.append((pulse + chance.gauss(0, 0.15)) * math.sin(math.pi * i / SYLLABLE) ** 0.5)
        parts = [resonance(breath, hz, 80 + 30 * k) for k, hz in enumerate(VOWELS[number % len(VOWELS)])]
        said += [a + 0.6 * b + 0.3 * c for a, b, c in zip(*parts, strict=True)]
    loudest = max(map(abs, said))
    return array("h", [int(sample / loudest * 12_000) for sample in said])


async def call() -> None:
    """Join, say one sentence after a second and a half, and stay in silence."""
    hung_up = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, hung_up.set)
    room = rtc.Room()
    await room.connect(os.environ["LIVEKIT_URL"], os.environ["CALLER_TOKEN"])
    source = rtc.AudioSource(RATE, 1)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    await room.local_participant.publish_track(track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE))
    speaking = asyncio.create_task(speak(source))
    await hung_up.wait()
    speaking.cancel()
    await room.disconnect()


async def speak(source: rtc.AudioSource) -> None:
    silence = array("h", [0] * FRAME)
    said = array("h", [0] * (RATE * 3 // 2)) + voice(9)
    for at in range(0, len(said) - FRAME, FRAME):
        await source.capture_frame(rtc.AudioFrame(said[at : at + FRAME].tobytes(), RATE, 1, FRAME))
    while True:
        await source.capture_frame(rtc.AudioFrame(silence.tobytes(), RATE, 1, FRAME))


if __name__ == "__main__":
    asyncio.run(call())
    os._exit(0)  # the client library's threads can outlive the interpreter and abort it
