"""An agent that speaks is asked what it sends."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from livekit.rtc import TrackKind
from livekit.rtc._proto.stats_pb2 import RtcStats
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.moments import JOB, ROOM
from tracer import keys
from tracer.instrumentation import own_voice, sound
from tracer.instrumentation.own_voice import OwnVoice
from tracer.instrumentation.speech import Speech, Spoken
from tracer.kinds import Kind


class Tracks:
    """An agent's audio tracks, with the energy that each has sent by each question; None for one that raises."""

    def __init__(self, *energies: list[float | None]) -> None:
        self.asked = 0
        self.tracks = {str(number): self._track(list(known)) for number, known in enumerate(energies)}

    def _track(self, energies: list[float | None]) -> Any:
        async def get_stats() -> list[RtcStats]:
            self.asked += 1
            energy = energies.pop(0) if len(energies) > 1 else energies[0]
            if energy is None:
                raise RuntimeError("the track is gone")
            answer = RtcStats()
            answer.media_source.audio.total_audio_energy = energy
            return [answer]

        return SimpleNamespace(track=SimpleNamespace(kind=TrackKind.KIND_AUDIO, get_stats=get_stats))


def reported(tracks: Tracks, monkeypatch: pytest.MonkeyPatch, questions: int) -> list[float]:
    """The seconds of silence that are reported of one speech, in which so many questions are asked."""
    monkeypatch.setattr(own_voice, "EVERY_S", 0.0)
    monkeypatch.setattr(sound, "SPOKEN_S", 0.0)
    exported = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exported))
    room = SimpleNamespace(local_participant=SimpleNamespace(track_publications=tracks.tracks))
    job: Any = SimpleNamespace(room=room, job=SimpleNamespace(id=JOB, room=SimpleNamespace(sid=ROOM)))

    async def speaks() -> None:
        voice = OwnVoice(provider.get_tracer("test"))
        speech = Speech(voice.speaks)
        speech.span(job, "agent_speaking", 1, began=True)
        while tracks.asked < questions:  # noqa: ASYNC110  what is asked has no event
            await asyncio.sleep(0)
        speech.span(job, "agent_speaking", 2, began=False)
        for _ in range(50):
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(speaks(), 10))
    spans = exported.get_finished_spans()
    assert {(span.name, dict(span.attributes or {})[keys.SUBJECT]) for span in spans} <= {
        (Kind.AGENT_SPEAKS_SILENCE, JOB)
    }
    return [float(str(dict(span.attributes or {})[keys.SILENT_FOR])) for span in spans]


def test_nothing_leaves_a_track_while_the_agent_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    [seconds] = reported(Tracks([7.0]), monkeypatch, 3)
    assert 0 < seconds < 10


@pytest.mark.parametrize(
    "tracks",
    [Tracks([0.0, 1.0, 2.0, 3.0, 4.0]), Tracks([0.0], [0.0, 1.0, 2.0, 3.0, 4.0]), Tracks([None])],
    ids=["a voice", "another track that sounds", "no statistics"],
)
def test_what_can_be_heard_or_is_not_known_is_no_silence(tracks: Tracks, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reported(tracks, monkeypatch, 1) == []


def test_who_speaks_is_known_by_job_and_of_so_many_at_most() -> None:
    speech = Speech()
    job: Any = SimpleNamespace(job=SimpleNamespace(id=JOB))
    speech.span(job, "user_speaking", 5, began=True)
    assert speech.of(JOB).caller_since(100)
    speech.span(job, "user_speaking", 7, began=False)
    assert (speech.of(JOB).caller_since(7), speech.of(JOB).caller_since(8), speech.of(JOB).agent_since(1)) == (
        True,
        False,
        False,
    )
    for number in range(200):
        speech.of(f"AJ_{number}")
    assert not speech.of(JOB).caller_since(7)


def test_a_turn_is_noticed_and_lasts_in_silence_too() -> None:
    spoken = Spoken()
    spoken.noted("user_turn", 5, 1)
    assert (spoken.caller_since(5), spoken.caller_since(6)) == (True, False)
