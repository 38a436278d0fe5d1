from __future__ import annotations

import json
from itertools import chain

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.moments import ROOM, START
from tests.otlp import OURS, TRACE, as_json, job, registered, request, span
from tests.signed import EVENTS, TURN_PASSWORD, body, event, room
from tracer.store import Evidence, Form
from tracer.timeline.trace_jobs import room_of_trace
from tracer.witness import agent, evidence, webhook

PROTOBUF, JSON = "application/x-protobuf", "application/json"
OTHER = "RM_another00000"


def pieces(made: ExportTraceServiceRequest, content_type: str = PROTOBUF) -> list[Evidence]:
    raw = made.SerializeToString() if content_type == PROTOBUF else as_json(made)
    return evidence.of_spans(made, raw, content_type, START)


def of_two_rooms() -> ExportTraceServiceRequest:
    """A worker's batch, whose spans are of two rooms and of none."""
    spans = [
        span("job.received", b"received", 1, 1, lk__room_sid=sid, tracer__subject=f"AJ_{sid}", lk__agent_name="a")
        for sid in (ROOM, OTHER)
    ]
    return request(*spans, registered(), scope=OURS)


@pytest.mark.parametrize("key", ["turnPassword", "turn_password"])
@pytest.mark.parametrize("password", [TURN_PASSWORD, 'with "quotes" and \\ in it', ""])
def test_a_webhook_is_kept_without_the_rooms_password_and_otherwise_as_it_came(key: str, password: str) -> None:
    about = room()
    del about["turnPassword"]
    told = event("room_started", room=about | {key: password}, job={"room": about | {key: password}})
    kept = json.loads(evidence.without_secrets(body(told)))
    expected = json.loads(body(told))
    expected["room"][key] = expected["job"]["room"][key] = ""
    assert kept == expected


def test_a_webhook_is_of_its_room() -> None:
    raw = body(EVENTS[1])
    kept = evidence.of_webhook(raw, webhook.glance(raw), 1)
    assert (kept.form, kept.room, kept.event_id, kept.at) == (Form.WEBHOOK, ROOM, EVENTS[1]["id"], 1)
    assert evidence.arrival(kept).moments == tuple(webhook.moments(webhook.parse(raw), 1))


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_a_request_of_one_room_is_kept_as_it_came(content_type: str) -> None:
    made = request(*job())
    raw = made.SerializeToString() if content_type == PROTOBUF else as_json(made)
    (kept,) = pieces(made, content_type)
    assert (kept.room, kept.body) == (ROOM, raw)


def test_a_request_that_only_names_a_trace_is_the_traces() -> None:
    (kept,) = pieces(request(span("llm_node", b"llm_node", 1, 2)))
    assert kept.room == room_of_trace(TRACE)


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
def test_a_request_of_several_rooms_is_taken_apart_and_nothing_is_lost(content_type: str) -> None:
    made = of_two_rooms()
    found = pieces(made, content_type)
    assert {kept.room for kept in found} == {ROOM, OTHER, ""}
    told = [evidence.arrival(kept) for kept in found]
    whole = agent.arrival(made)
    assert set(chain.from_iterable(one.moments for one in told)) == set(whole.moments)
    assert {o.span_id for kept in found for o in evidence.outgoing(kept)} == {o.span_id for o in whole.outgoing}
    for kept in found:
        assert {OTHER.encode(), ROOM.encode()} & set(kept.body.split(b"\0")) <= {kept.room.encode()}
        others = {ROOM, OTHER} - {kept.room}
        assert not any(other.encode() in kept.body for other in others)


UNKNOWN = b"\x12\x02hi"
"""A field that a request does not have yet."""


@pytest.mark.parametrize("put_together", [b"%b%b", b"%b" + UNKNOWN + b"%b", UNKNOWN + b"%b%b", b"%b%b" + UNKNOWN])
def test_requests_that_were_put_together_are_taken_apart_by_their_rooms(put_together: bytes) -> None:
    one, two = request(*job()), request(*job())
    two.ParseFromString(two.SerializeToString().replace(ROOM.encode(), OTHER.encode()))
    raw = put_together % (one.SerializeToString(), two.SerializeToString())
    kept = evidence.of_spans(agent.read(raw, PROTOBUF), raw, PROTOBUF, START)
    found = {piece.room: ExportTraceServiceRequest.FromString(piece.body) for piece in kept}
    assert {sid: MessageToDict(part) for sid, part in found.items()} == {
        ROOM: MessageToDict(one),
        OTHER: MessageToDict(two),
    }


def test_a_room_that_a_text_only_speaks_of_is_not_the_requests() -> None:
    made = request(*job(), span("user_turn", b"userturn", 1, 2, lk__user_transcript=f"my room is {OTHER}, says she"))
    assert [kept.room for kept in pieces(made)] == [ROOM]


def test_spans_of_a_trace_go_with_those_that_name_its_room() -> None:
    made = request(span("llm_node", b"llm_node", 1, 2), span("agent_session", b"session1", 1, 2, lk__room_sid=ROOM))
    assert [kept.room for kept in pieces(made)] == [ROOM]


def test_of_times_yet_to_come_no_moment_is_made() -> None:
    raw = request(*job()).SerializeToString()
    kept = Evidence(Form.OTLP, raw, 1, ROOM)  # it came in 1970, its spans are of later
    assert evidence.arrival(kept).moments == ()


def test_redacted_nothing_is_kept_as_it_came() -> None:
    raw = body(EVENTS[1])
    told = evidence.redacted(evidence.of_webhook(raw, webhook.glance(raw), 1), exported=False)
    assert (told.evidence, told.event_id) == (None, EVENTS[1]["id"])
