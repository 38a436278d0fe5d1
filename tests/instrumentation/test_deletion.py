from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.moments import JOB, ROOM
from tracer import keys
from tracer.instrumentation.deletion import Deletion
from tracer.kinds import Kind


def job(exported: InMemorySpanExporter) -> Any:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exported))
    room = SimpleNamespace(sid=ROOM, name="demo")
    made: Any = SimpleNamespace(job=SimpleNamespace(id=JOB, room=room), delete_room=lambda room_name=None: room_name)
    Deletion(provider.get_tracer("test")).listen(made)
    return made


@pytest.mark.parametrize(("arguments", "own"), [((), True), (("demo",), True), (("another",), False)])
def test_an_agent_that_deletes_its_room_is_reported_and_gets_its_answer(arguments: tuple[str, ...], own: bool) -> None:
    exported = InMemorySpanExporter()
    assert job(exported).delete_room(*arguments) == (arguments[0] if arguments else None)
    spans = exported.get_finished_spans()
    assert [(span.name, dict(span.attributes or {})[keys.SUBJECT]) for span in spans] == [
        (Kind.AGENT_DELETING_ROOM, JOB)
    ] * own


def test_what_the_user_passes_wrongly_is_the_users_error_and_none_of_ours() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'name'"):
        job(InMemorySpanExporter()).delete_room(name="demo")
