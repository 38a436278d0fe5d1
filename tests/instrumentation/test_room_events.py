from __future__ import annotations

import asyncio
from collections import defaultdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from livekit.protocol.models import DisconnectReason, ParticipantPermission, TrackSource
from livekit.rtc import ConnectionState, TrackKind
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.moments import ADA, JOB, MICROPHONE, ROOM
from tracer import keys
from tracer.instrumentation.room_events import RoomEvents
from tracer.instrumentation.speech import Speech
from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan


class Heard:
    """A job's room, whose events can be made to happen."""

    def __init__(self) -> None:
        self.listeners: dict[str, list[Callable[..., None]]] = defaultdict(list)
        self.remote_participants: dict[str, Any] = {}
        self.exported = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.exported))
        job: Any = SimpleNamespace(room=self, job=SimpleNamespace(id=JOB, room=SimpleNamespace(sid=ROOM)))
        RoomEvents(provider.get_tracer("test"), Speech()).listen(job)

    def on(self, event: str, listener: Callable[..., None]) -> None:
        self.listeners[event].append(listener)

    def isconnected(self) -> bool:
        return True

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


def test_other_permissions_are_a_moment_with_all_of_them() -> None:
    (changed,) = Heard().emit("participant_permissions_changed", WHO, ParticipantPermission(can_subscribe=True))
    about = dict(changed.attributes or {})
    assert changed.name == Kind.PARTICIPANT_PERMISSIONS_CHANGED
    assert (about[keys.SUBJECT], about[keys.CAN_PUBLISH], about[keys.CAN_SUBSCRIBE]) == (ADA, False, True)
    assert about[keys.CAN_PUBLISH_SOURCES] == ""


def microphone(*, subscribed: bool = False, kind: int = TrackKind.KIND_AUDIO) -> SimpleNamespace:
    track = object() if subscribed else None
    return SimpleNamespace(sid=MICROPHONE, source=TrackSource.MICROPHONE, kind=kind, track=track)


def unsubscribed(there: list[SimpleNamespace], lost: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> Heard:
    """A room in which a track was unsubscribed, and so many of its publisher's are there a moment later."""
    monkeypatch.setattr("tracer.instrumentation.room_events.SETTLED_S", 0.01)

    async def happens() -> Heard:
        heard = Heard()
        heard.emit("track_unsubscribed", None, lost, WHO)
        assert not heard.exported.get_finished_spans()
        heard.remote_participants = {"ada": SimpleNamespace(track_publications={one.sid: one for one in there})}
        settled = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_later(0.05, settled.set_result, None)
        await settled
        return heard

    return asyncio.run(happens())


def test_an_agent_that_is_unsubscribed_and_subscribed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    track = microphone()
    heard = unsubscribed([track], track, monkeypatch)
    heard.emit("track_subscribed", None, track, WHO)
    lost, got = heard.emit("track_subscribed", None, track, WHO)
    assert [lost.name, got.name] == [Kind.TRACK_UNSUBSCRIBED, Kind.TRACK_SUBSCRIBED]
    about = dict(lost.attributes or {})
    assert (about[keys.SUBJECT], about[keys.PARTICIPANT_ID], about[keys.TRACK_SOURCE]) == (
        MICROPHONE,
        ADA,
        "MICROPHONE",
    )
    assert (lost.start_time or 0) < (got.start_time or 0)


@pytest.mark.parametrize(
    ("there", "lost"),
    [
        ([], microphone()),
        ([microphone(subscribed=True)], microphone()),
        ([microphone(kind=TrackKind.KIND_VIDEO)], microphone(kind=TrackKind.KIND_VIDEO)),
    ],
    ids=["unpublished, or its publisher left", "subscribed again at once", "a camera"],
)
def test_a_track_that_is_gone_or_is_back_or_nobody_hears_is_not_reported(
    there: list[SimpleNamespace], lost: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not unsubscribed(there, lost, monkeypatch).exported.get_finished_spans()


def test_an_interrupted_connection_is_reported_and_the_rooms_start_and_end_are_not() -> None:
    heard = Heard()
    heard.emit("connection_state_changed", ConnectionState.CONN_CONNECTED)
    assert not heard.emit("disconnected", DisconnectReason.ROOM_CLOSED)
    for state in ("CONN_RECONNECTING", "CONN_CONNECTED", "CONN_CONNECTED", "CONN_RECONNECTING", "CONN_DISCONNECTED"):
        heard.emit("connection_state_changed", ConnectionState.Value(state))
    reported = heard.emit("disconnected", DisconnectReason.UNKNOWN_REASON)
    assert [span.name for span in reported] == [
        Kind.AGENT_RECONNECTING,
        Kind.AGENT_RECONNECTED,
        Kind.AGENT_RECONNECTING,
        Kind.AGENT_CONNECTION_LOST,
    ]
    assert {dict(span.attributes or {})[keys.SUBJECT] for span in reported} == {JOB}


def test_an_agent_that_shuts_down_while_its_connection_is_interrupted_has_not_given_up() -> None:
    heard = Heard()
    heard.emit("connection_state_changed", ConnectionState.CONN_RECONNECTING)
    heard.emit("connection_state_changed", ConnectionState.CONN_DISCONNECTED)
    reported = heard.emit("disconnected", DisconnectReason.CLIENT_INITIATED)
    assert [span.name for span in reported] == [Kind.AGENT_RECONNECTING]
