from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from livekit.api.room_service import RoomService
from livekit.protocol.room import DeleteRoomRequest, DeleteRoomResponse, RoomParticipantIdentity
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.moments import JOB, ROOM
from tracer import keys
from tracer.instrumentation import current_job
from tracer.instrumentation.deletion import Deletion
from tracer.kinds import Kind

ANSWER = DeleteRoomResponse()


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is reported of a job in the room "demo"."""
    for method in ("delete_room", "remove_participant"):
        monkeypatch.setattr(RoomService, method, getattr(RoomService, method))
    room = SimpleNamespace(sid=ROOM, name="demo")
    job = SimpleNamespace(job=SimpleNamespace(id=JOB, room=room))
    monkeypatch.setattr(current_job, "get_job_context", lambda: job)
    provider, exported = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    Deletion(provider.get_tracer("test")).listen()
    return exported


def service(*, raises: Exception | None = None) -> RoomService:
    """LiveKit's API, without a server."""

    class Client:
        async def request(self, *_: object) -> DeleteRoomResponse:
            if raises:
                raise raises
            return ANSWER

    made: Any = RoomService.__new__(RoomService)
    made._client, made._auth_header = Client(), lambda _: {}
    return made  # type: ignore[no-any-return]


@pytest.mark.parametrize(("room", "own"), [("demo", True), ("another", False)])
def test_an_agent_that_deletes_its_room_is_reported_and_gets_its_answer(
    exported: InMemorySpanExporter, room: str, own: bool
) -> None:
    assert asyncio.run(service().delete_room(DeleteRoomRequest(room=room))) is ANSWER
    spans = exported.get_finished_spans()
    assert [(span.name, dict(span.attributes or {})[keys.SUBJECT]) for span in spans] == [
        (Kind.AGENT_DELETING_ROOM, JOB)
    ] * own


def test_a_deletion_outside_of_a_job_is_none_of_an_agents(
    exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> None:
        raise RuntimeError("no job context found")

    monkeypatch.setattr(current_job, "get_job_context", none)
    assert asyncio.run(service().delete_room(DeleteRoomRequest(room="demo"))) is ANSWER
    assert not exported.get_finished_spans()


@pytest.mark.usefixtures("exported")
def test_what_goes_wrong_is_the_users_error_and_none_of_ours() -> None:
    with pytest.raises(ConnectionError):
        asyncio.run(service(raises=ConnectionError()).delete_room(DeleteRoomRequest(room="demo")))
    with pytest.raises(TypeError, match="unexpected keyword argument 'name'"):
        asyncio.run(service().delete_room(name="demo"))  # type: ignore[call-arg]


@pytest.mark.parametrize(("room", "own"), [("demo", True), ("another", False)])
def test_an_agent_that_removes_somebody_from_its_room_is_reported_with_whom(
    exported: InMemorySpanExporter, room: str, own: bool
) -> None:
    answer: Any = asyncio.run(service().remove_participant(RoomParticipantIdentity(room=room, identity="ada")))
    assert answer is ANSWER
    told = [(span.name, dict(span.attributes or {})) for span in exported.get_finished_spans()]
    assert [(name, about[keys.SUBJECT], about[keys.PARTICIPANT_IDENTITY]) for name, about in told] == [
        (Kind.AGENT_REMOVING_PARTICIPANT, JOB, "ada")
    ] * own
