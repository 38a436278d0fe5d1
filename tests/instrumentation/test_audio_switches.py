from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from livekit.agents.voice import io
from livekit.agents.voice.room_io import RoomIO
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.moments import JOB, ROOM
from tracer import keys
from tracer.instrumentation import audio_switches
from tracer.instrumentation.audio_switches import AudioSwitches
from tracer.kinds import Kind

INPUT = [Kind.SESSION_AUDIO_INPUT_OFF, Kind.SESSION_AUDIO_INPUT_ON]
OUTPUT = [Kind.SESSION_AUDIO_OUTPUT_OFF, Kind.SESSION_AUDIO_OUTPUT_ON]


class Job:
    """A job's context, as far as it is used."""

    job = SimpleNamespace(id=JOB, room=SimpleNamespace(sid=ROOM))


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is reported, of every input and output that is used from now on."""
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    for side in (io.AgentInput, io.AgentOutput):
        monkeypatch.setattr(side, "set_audio_enabled", side.set_audio_enabled)
        monkeypatch.setattr(side, "audio", side.audio)
    for name in ("set_participant", "unset_participant"):
        monkeypatch.setattr(RoomIO, name, getattr(RoomIO, name))
    AudioSwitches(provider.get_tracer("test")).listen()
    return spans


class Session:
    """A session, as far as it is used."""

    _closing = False

    def changed(self) -> None:
        """What it does when its audio changes."""


def audio() -> Any:
    """Somebody's audio, in or out."""
    return SimpleNamespace(on_attached=nothing, on_detached=nothing)


def of_session(session: Session) -> tuple[io.AgentInput, io.AgentOutput]:
    return io.AgentInput(nothing, session.changed), io.AgentOutput(nothing, session.changed, nothing)


def nothing(*_: object) -> None:
    """What a session does when its audio changes."""


def sides() -> tuple[io.AgentInput, io.AgentOutput]:
    return io.AgentInput(nothing, nothing), io.AgentOutput(nothing, nothing, nothing)


def current(monkeypatch: pytest.MonkeyPatch, job: Any) -> None:
    monkeypatch.setattr(audio_switches, "current_job", lambda: job)


@pytest.mark.parametrize(("number", "kinds"), [(0, INPUT), (1, OUTPUT)], ids=["input", "output"])
def test_each_change_is_reported_once(
    number: int, kinds: list[Kind], exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job()
    current(monkeypatch, job)
    side = sides()[number]
    for enabled in (True, False, False, True, True):
        side.set_audio_enabled(enabled)
        assert side.audio_enabled is enabled
    spans = exported.get_finished_spans()
    assert [(span.name, dict(span.attributes or {})[keys.SUBJECT]) for span in spans] == [(kind, JOB) for kind in kinds]


def test_what_is_turned_on_where_no_job_is_current_is_the_job_that_turned_it_off(
    exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job()
    current(monkeypatch, job)
    side, _ = sides()
    side.set_audio_enabled(False)
    current(monkeypatch, None)
    side.set_audio_enabled(True)
    assert [span.name for span in exported.get_finished_spans()] == INPUT


def test_outside_of_a_job_nothing_is_reported(exported: InMemorySpanExporter) -> None:
    side, _ = sides()
    side.set_audio_enabled(False)
    assert (exported.get_finished_spans(), side.audio_enabled) == ((), False)


def test_what_the_user_passes_wrongly_is_the_users_error_and_none_of_ours(exported: InMemorySpanExporter) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'on'"):
        sides()[0].set_audio_enabled(on=False)  # type: ignore[call-arg]
    assert exported.get_finished_spans() == ()


@pytest.mark.parametrize(("number", "kinds"), [(0, INPUT), (1, OUTPUT)], ids=["input", "output"])
def test_audio_that_is_taken_away_is_turned_off_until_it_is_given_back(
    number: int, kinds: list[Kind], exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, session, given = Job(), Session(), audio()
    current(monkeypatch, job)
    side = of_session(session)[number]
    for stream in (None, given, audio(), None, None, given):
        side.audio = stream
        assert side.audio is stream
    assert [span.name for span in exported.get_finished_spans()] == kinds
    side.set_audio_enabled(False)
    side.audio = None
    side.audio = given
    assert [span.name for span in exported.get_finished_spans()] == [*kinds, kinds[0]]


def test_audio_that_the_session_takes_away_as_it_closes_is_nothing(
    exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, session = Job(), Session()
    current(monkeypatch, job)
    side, _ = of_session(session)
    side.audio = audio()
    session._closing = True
    side.audio = None
    assert (exported.get_finished_spans(), side.audio) == ((), None)


def test_a_session_that_is_unlinked_hears_nobody_until_it_is_linked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    called: list[object] = []
    monkeypatch.setattr(RoomIO, "unset_participant", lambda _: called.append(None))
    monkeypatch.setattr(RoomIO, "set_participant", lambda _, participant_identity: called.append(participant_identity))
    AudioSwitches(provider.get_tracer("test"))._wrap_links()
    job, session = Job(), Session()
    current(monkeypatch, job)
    session.input, _ = of_session(session)  # type: ignore[attr-defined]
    room_io: Any = SimpleNamespace(_agent_session=session)
    RoomIO.set_participant(room_io, "ada")
    RoomIO.unset_participant(room_io)
    RoomIO.set_participant(room_io, participant_identity="bob")
    assert called == ["ada", None, "bob"]
    assert [span.name for span in spans.get_finished_spans()] == INPUT
