"""The whole trace of a room as OTLP/JSON, read back by OpenTelemetry's own messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tracer import keys
from tracer.export.otlp import as_json
from tracer.export.spans import spans
from tracer.export.whole import whole_trace
from tracer.service.replay import opened
from tracer.store.load import timeline_in
from tracer.witness.agent import read
from tracer.witness.agent import spans as spans_of

CALLS = Path(__file__).parents[1] / "calls"


@pytest.mark.parametrize("name", ["ok_two_callers", "case_agent_cut", "ok_node", "tool_hangs_1_3", "s15_hot_reload"])
def test_it_is_what_the_exporter_makes_and_what_the_agents_made(name: str) -> None:
    with opened(CALLS / f"{name}.jsonl.gz") as found:
        for room in found.rooms:
            timeline = timeline_in(found.store, room, now=found.now)
            told = json.dumps(as_json(whole_trace(found.store, timeline)))
            back = list(spans_of(read(told.encode(), "application/json")))
            ids = [int.from_bytes(span.span_id) for span in back]
            assert len(ids) == len(set(ids))
            own = {span.span_id for span in spans(timeline)}
            assert own <= set(ids)
            assert {span.trace_id.hex() for span in back} == {timeline.trace_id}
            assert all(span.end_time_unix_nano > 0 for span in back)
            native = {span.name for span in back if int.from_bytes(span.span_id) not in own}
            assert bool(native) == bool([job for job in timeline.jobs if timeline.agent_of(job)]), native


def test_ids_are_hexadecimal_and_enums_are_numbers() -> None:
    with opened(CALLS / "ok_handoff.jsonl.gz") as found:
        timeline = timeline_in(found.store, found.rooms[0], now=found.now)
        told = as_json(whole_trace(found.store, timeline))
    listed = [span for group in told["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"]]
    assert listed
    for span in listed:
        assert len(bytes.fromhex(span["traceId"])) == 16
        assert len(bytes.fromhex(span["spanId"])) == 8
        assert isinstance(span["kind"], int)


@pytest.mark.parametrize(
    ("name", "well", "cause"), [("ok_node", True, None), ("case_agent_cut", False, "agent-lost-connection")]
)
def test_the_rooms_span_says_how_the_call_went(name: str, well: bool, cause: str | None) -> None:
    with opened(CALLS / f"{name}.jsonl.gz") as found:
        timeline = timeline_in(found.store, found.rooms[0], now=found.now)
        told = json.dumps(as_json(whole_trace(found.store, timeline)))
    (room,) = [span for span in spans_of(read(told.encode(), "application/json")) if not span.parent_span_id]
    said = {one.key: one.value for one in room.attributes}
    assert said[keys.WELL].bool_value is well
    assert (said[keys.CAUSE].string_value if keys.CAUSE in said else None) == cause
    assert room.status.code == (Status.STATUS_CODE_UNSET if well else Status.STATUS_CODE_ERROR)
