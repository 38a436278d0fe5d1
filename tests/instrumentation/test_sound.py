"""What the statistics of a track tell of what it carries."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.rtc._proto.stats_pb2 import RtcStats

from tracer import keys
from tracer.instrumentation.sound import Level, ReceivedSound, SentSound, received, sent
from tracer.instrumentation.speech import Spoken
from tracer.kinds import Kind
from tracer.units import NS_PER_S

ZEROS, ROOM, VOICE = 0.00004, 0.0009, 0.2
"""Mean levels that were measured: of digital silence, of the noise of a room, of a voice."""
Reported = list[tuple[Kind, float, dict[str, float]]]
Levels = list[float | None]
Answers = tuple[int, ...]
BEGAN = 1000
"""When it began, s since the epoch."""


def heard(
    levels: list[float | None],
    *,
    muted: tuple[int, ...] = (),
    caller: tuple[int, ...] = (),
    agent: tuple[int, ...] = (),
) -> Reported:
    """What is reported of a track with these levels, each for 3 s; None where nothing is received.

    ``muted`` are the answers at which it was, ``caller`` and ``agent`` those just before which one spoke.
    """
    reported: Reported = []
    spoken, now = Spoken(), 0

    def report(kind: Kind, earliest: int, at: int, known: Any) -> None:
        assert earliest <= at
        reported.append((kind, at / NS_PER_S - BEGAN, dict(known)))

    sound = ReceivedSound(is_muted=lambda: now in muted, spoken=spoken, report=report)
    level = Level(0.0, 0.0)
    sound.learn(level, BEGAN * NS_PER_S)
    for now, one in enumerate(levels, 1):
        for name, when in (("user_speaking", caller), ("agent_speaking", agent)):
            if now in when:
                spoken.noted(name, (BEGAN + now * 3 - 1) * NS_PER_S, 1)
                spoken.noted(name, (BEGAN + now * 3 - 1) * NS_PER_S, -1)
        level = Level(level.energy + (one or 0.0) ** 2 * 3, level.seconds + 3)
        sound.learn(None if one is None else level, (BEGAN + now * 3) * NS_PER_S)
    return reported


SILENT, SOUNDS, UNNOTICED = Kind.TRACK_SILENT, Kind.TRACK_SOUNDS, Kind.TRACK_UNNOTICED


@pytest.mark.parametrize(
    ("levels", "kinds"),
    [
        ([ZEROS] * 2, []),
        ([ZEROS] * 9, [(SILENT, 0.0)]),
        ([ROOM, ZEROS, ZEROS, ZEROS, ROOM], [(SILENT, 3.0), (SOUNDS, 15.0)]),
        ([ZEROS, ZEROS, ROOM, ZEROS, ZEROS], []),
        ([ROOM] * 9, []),
        ([ZEROS, ZEROS, None, ZEROS, ZEROS], []),
    ],
    ids=["not for long", "all the time", "for a while", "pauses", "a quiet room", "nothing received in between"],
)
def test_nothing_but_silence_is_reported_when_it_lasts(
    levels: list[float | None], kinds: list[tuple[Kind, float]]
) -> None:
    assert [(kind, at) for kind, at, _ in heard(levels)] == kinds


def test_a_track_that_is_muted_is_not_silent_but_muted() -> None:
    assert heard([0.0] * 6, muted=(1, 2, 3, 4, 5, 6)) == []


def test_sound_in_which_nobody_notices_speech_is_reported_again_when_it_has_doubled() -> None:
    assert [(kind, known[keys.SOUNDED_FOR]) for kind, _, known in heard([VOICE] * 9)] == [
        (UNNOTICED, 6.0),
        (UNNOTICED, 12.0),
        (UNNOTICED, 24.0),
    ]


@pytest.mark.parametrize(
    ("levels", "caller", "agent", "seconds"),
    [
        ([VOICE] * 9, (2, 4, 6, 8), (), []),
        ([VOICE] * 4, (), (1, 2, 3, 4), []),
        ([VOICE, ROOM, VOICE, ROOM], (), (), [6.0]),
        ([VOICE, VOICE, VOICE, ROOM, VOICE, VOICE, VOICE], (4,), (), [6.0, 6.0]),
        ([ROOM] * 9, (), (), []),
    ],
    ids=["noticed", "while the agent speaks", "here and there", "noticed in between", "no voice"],
)
def test_what_is_noticed_or_is_the_agents_echo_does_not_count(
    levels: Levels, caller: Answers, agent: Answers, seconds: list[float]
) -> None:
    assert [known[keys.SOUNDED_FOR] for _, _, known in heard(levels, caller=caller, agent=agent)] == seconds


def said(*levels: float, every: float = 3.0) -> list[float]:
    """The seconds of silence that are reported of a speech with these levels, one each so many seconds."""
    told: list[float] = []
    sound = SentSound(told.append)
    level, at = Level(5.0, 0.0), 0.0
    sound.learn(level, 0)
    for number, one in enumerate(levels, 1):
        at += every
        level = Level(level.energy + one**2 * every, 0.0)
        sound.learn(level, round(at * NS_PER_S), over=number == len(levels))
    return told


@pytest.mark.parametrize(
    ("levels", "every", "told"),
    [
        ([VOICE, VOICE], 3.0, []),
        ([0.0], 1.5, [1.5]),
        ([0.0], 0.5, []),
        ([ROOM, ROOM], 3.0, [3.0, 6.0]),
        ([0.0] * 5, 3.0, [3.0, 6.0, 12.0, 15.0]),
        ([VOICE, 0.0, 0.0], 3.0, [3.0, 6.0]),
        ([VOICE, 0.0], 2.0, []),
    ],
    ids=[
        "a voice",
        "a short one",
        "a very short one",
        "as quiet as a room",
        "a long one",
        "stuck",
        "a pause at its end",
    ],
)
def test_an_agent_that_speaks_and_sends_silence_is_reported(
    levels: list[float], every: float, told: list[float]
) -> None:
    assert said(*levels, every=every) == told


def test_without_statistics_nothing_is_known() -> None:
    told: list[float] = []
    sound = SentSound(told.append)
    sound.learn(None, 0)
    sound.learn(Level(1.0, 0.0), NS_PER_S)
    sound.learn(None, 9 * NS_PER_S, over=True)
    assert told == []
    assert (received([]), sent([])) == (None, None)


def test_a_level_is_read_from_webrtcs_own_statistics() -> None:
    inbound, source = RtcStats(), RtcStats()
    inbound.inbound_rtp.inbound.total_audio_energy = 0.5
    inbound.inbound_rtp.inbound.total_samples_duration = 3.0
    source.media_source.audio.total_audio_energy = 0.25
    assert received([source, inbound]) == Level(0.5, 3.0)
    assert sent([inbound, source]) == Level(0.25, 0.0)
