from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from livekit.protocol.models import TrackSource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.moments import ADA, JOB, MICROPHONE, ROOM
from tracer import keys
from tracer.instrumentation.room_events import RoomEvents
from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan


class Heard:
    """A job's room, whose events can be made to happen."""

    def __init__(self) -> None:
        self.listeners: dict[str, list[Callable[..., None]]] = defaultdict(list)
        self.exported = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exported))
        job: Any = SimpleNamespace(room=self, job=SimpleNamespace(id=JOB, room=SimpleNamespace(sid=ROOM)))
        RoomEvents(provider.get_tracer("test")).listen(job)

    def on(self, event: str, listener: Callable[..., None]) -> None:
        self.listeners[event].append(listener)

    def emit(self, event: str, *arguments: object) -> tuple[ReadableSpan, ...]:
        for listener in self.listeners[event]:
            listener(*arguments)
        return self.exported.get_finished_spans()


WHO = SimpleNamespace(sid=ADA, identity="ada")
TRACK = SimpleNamespace(sid=MICROPHONE, source=TrackSource.MICROPHONE)


def test_each_changed_attribute_is_a_moment_with_its_value() -> None:
    heard = Heard()
    heard.emit("participant_attributes_changed", {"language": "de"}, WHO)
    first, second = heard.emit("participant_attributes_changed", {"language": ""}, WHO)
    assert {span.name for span in (first, second)} == {Kind.PARTICIPANT_ATTRIBUTES_CHANGED}
    values = [dict(span.attributes or {})[keys.PARTICIPANT_ATTRIBUTE + "language"] for span in (first, second)]
    assert values == ["de", ""]
    about = dict(first.attributes or {})
    assert (about[keys.SUBJECT], about[keys.ROOM_SID], about[keys.JOB_ID]) == (ADA, ROOM, JOB)
    assert first.start_time == int(str(about[keys.OCCURRENCE]))


def test_the_state_that_an_agent_sets_with_each_turn_is_not_reported() -> None:
    assert not Heard().emit("participant_attributes_changed", {"lk.agent.state": "speaking"}, WHO)


def test_a_track_is_muted_and_unmuted() -> None:
    heard = Heard()
    heard.emit("track_muted", WHO, TRACK)
    muted, unmuted = heard.emit("track_unmuted", WHO, TRACK)
    assert [span.name for span in (muted, unmuted)] == [Kind.TRACK_MUTED, Kind.TRACK_UNMUTED]
    about = dict(muted.attributes or {})
    assert (about[keys.SUBJECT], about[keys.TRACK_SOURCE]) == (MICROPHONE, "MICROPHONE")


def test_whatever_the_room_hands_over_nothing_is_raised() -> None:
    assert not Heard().emit("track_muted", None, None)
