"""Spans of an agent that name no room reach the backend in the trace of the room that another of their trace names."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from tests.moments import JOB, ROOM, SESSION
from tests.otlp import ROOT, START, TRACE, node_job, node_request, span
from tests.otlp_backend import OtlpBackend, send
from tracer import ids
from tracer.export import exporter as export
from tracer.store.sqlite import SqliteStore
from tracer.witness import agent

if TYPE_CHECKING:
    from pathlib import Path

    import pytest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

ROOMS_TRACE = ids.trace_id(ROOM)


def arrive(store: SqliteStore, *spans: Span) -> None:
    """Each in a request of its own."""
    store.add([agent.arrival(node_request(one)) for one in spans])


def export_all(store: SqliteStore, backend: OtlpBackend) -> None:
    exporter = backend.exporter(store)
    for _ in range(2):
        exporter.fill(float("inf"))
        assert not send(exporter)


def received(backend: OtlpBackend) -> dict[str, tuple[int, int]]:
    """The agent's own spans as the backend has them: their trace and their parent."""
    found: dict[str, tuple[int, int]] = {}
    for group in backend.groups:
        if any(item.value.string_value == "my-agent" for item in group.resource.attributes):
            for scope in group.scope_spans:
                for one in scope.spans:
                    assert one.name not in found, "twice"
                    found[one.name] = int.from_bytes(one.trace_id), int.from_bytes(one.parent_span_id)
    return found


def test_every_span_of_a_job_is_in_its_rooms_trace_whichever_comes_last(path: Path, backend: OtlpBackend) -> None:
    early, late = [one for one in node_job() if not one.attributes or one.name != "agent_session"], node_job()[-1:]
    for part in (early[2:], early[:2], late):
        with closing(SqliteStore(path)) as store:  # the receiver is started anew
            arrive(store, *part)
            export_all(store, backend)
    session = int.from_bytes(bytes.fromhex(SESSION))
    assert received(backend) == {
        "job_entrypoint": (ROOMS_TRACE, ids.span_id("job", JOB)),
        "agent_session": (ROOMS_TRACE, int.from_bytes(ROOT)),
        "start_agent_activity": (ROOMS_TRACE, session),
        "on_enter": (ROOMS_TRACE, int.from_bytes(START)),
        "llm_node": (ROOMS_TRACE, session),
        "agent_speaking": (ROOMS_TRACE, session),
        "user_speaking": (ROOMS_TRACE, session),
        "event_loop_blocked": (ROOMS_TRACE, int.from_bytes(ROOT)),
    }


def test_a_span_of_no_room_goes_as_it_came_after_a_while(
    store: SqliteStore, backend: OtlpBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrive(store, *(one for one in node_job() if one.name in ("on_enter", "llm_node")))
    export_all(store, backend)
    assert received(backend) == {}
    monkeypatch.setattr(export, "LONGEST_WAIT", -1)
    export_all(store, backend)
    assert {trace for trace, _ in received(backend).values()} == {int.from_bytes(TRACE)}
    assert set(received(backend)) == {"on_enter", "llm_node"}


def test_what_the_agents_process_made_beside_it_in_its_trace_comes_along(
    store: SqliteStore, backend: OtlpBackend
) -> None:
    made = node_request(*node_job())
    http = made.resource_spans[0].scope_spans.add(spans=[span("GET", b"get http", 410, 420, b"llm_node")])
    http.scope.name = "@opentelemetry/instrumentation-http"
    store.add([agent.arrival(made)])
    export_all(store, backend)
    assert received(backend)["GET"] == (ROOMS_TRACE, int.from_bytes(b"llm_node"))


def test_another_programs_span_is_exported_at_once_and_unchanged(store: SqliteStore, backend: OtlpBackend) -> None:
    arrive(store, *node_job())
    made = node_request(span("GET", b"get http", 410, 420, b"llm_node"))
    made.resource_spans[0].scope_spans[0].scope.name = "express"
    store.add([agent.arrival(made)])
    export_all(store, backend)
    assert received(backend)["GET"] == (int.from_bytes(TRACE), int.from_bytes(b"llm_node"))
