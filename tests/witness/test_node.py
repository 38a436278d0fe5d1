"""What an agent in Node reports, from spans as @livekit/agents 1.9.0 makes them."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.moments import JOB, ROOM, SESSION, ms
from tests.otlp import ROOT, START, TRACE, as_json, job, node_job, node_request, request, span, without_reports
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.timeline.trace_jobs import job_of_trace, room_of_trace
from tracer.witness import agent

LLM = b"llm_node".hex()
SESSION_ID = bytes.fromhex(SESSION)


def told(*spans: Any) -> list[Moment]:
    return list(without_reports(agent.arrival(node_request(*spans)).moments))


def test_moments_of_a_job() -> None:
    found = {(m.kind, m.occurrence): (m.subject, m.time, m.clock) for m in told(*node_job())}
    nameless = job_of_trace(TRACE)
    assert found == {
        (Kind.JOB_ENTRYPOINT_STARTED, ""): (JOB, ms(207.6), "agent"),
        (Kind.JOB_ENTRYPOINT_RETURNED, ""): (JOB, ms(393), "agent"),
        (Kind.SESSION_STARTING, SESSION): (nameless, ms(363), "agent"),
        (Kind.SESSION_STARTED, SESSION): (nameless, ms(392), "agent"),
        (Kind.SESSION_CLOSED, SESSION): (nameless, ms(4160), "agent"),
        (Kind.MODEL_ASKED, LLM): (nameless, ms(400), "agent"),
        (Kind.MODEL_ANSWERED, LLM): (nameless, ms(420), "agent"),
        (Kind.AGENT_SPEAKING, b"speaking".hex()): (nameless, ms(450), "agent"),
        (Kind.SESSION_AUDIO_RECEIVED, b"talking!".hex()): (nameless, ms(1000), "agent"),
    }
    [heard] = [moment for moment in told(*node_job()) if moment.kind is Kind.SESSION_AUDIO_RECEIVED]
    assert dict(heard.facts) == {keys.LINKED_IDENTITY: "ada"}


def test_a_moment_is_in_the_room_that_its_span_names_or_else_in_its_traces() -> None:
    rooms = {m.kind: m.room for m in told(*node_job())}
    assert {rooms[Kind.SESSION_STARTING], rooms[Kind.SESSION_STARTED]} == {ROOM}
    assert {rooms[Kind.JOB_ENTRYPOINT_STARTED], rooms[Kind.MODEL_ASKED]} == {room_of_trace(TRACE)}
    assert agent.arrival(node_request(*node_job())).traces == ((room_of_trace(TRACE), ROOM),)


def test_json_brings_the_same_as_protobuf() -> None:
    made = node_request(*node_job())
    by_json = agent.arrival(agent.read(as_json(made), "application/json"))
    assert (by_json.moments, by_json.traces) == (agent.arrival(made).moments, agent.arrival(made).traces)


def test_the_end_of_the_entrypoint_is_not_the_end_of_the_job() -> None:
    kinds = {m.kind for m in told(*node_job())}
    assert kinds.isdisjoint({Kind.JOB_ENDED, Kind.AGENT_CONNECTED, Kind.JOB_SHUTDOWN})
    assert Kind.JOB_ENDED in {m.kind for m in agent.arrival(request(*job())).moments}, "as it is in Python"


@pytest.mark.parametrize(
    ("known", "kind"),
    [
        ({"lk.response.ttft": 0.0}, Kind.MODEL_ANSWERED),
        ({"error.type": "APIError", "lk.pii.response.text": ""}, Kind.MODEL_FAILED),
        ({"lk.pii.response.text": "", "lk.pii.response.function_calls": "[]"}, Kind.MODEL_GAVE_NO_ANSWER),
        ({"lk.response.ttft": "soon"}, Kind.MODEL_GAVE_NO_ANSWER),
    ],
)
def test_what_became_of_a_question_to_the_model(known: dict[str, Any], kind: Kind) -> None:
    found = told(span("llm_node", b"llm_node", 400, 500, SESSION_ID, **known))
    assert [m.kind for m in found] == [Kind.MODEL_ASKED, kind]


def test_a_turn_that_was_interrupted_is_a_moment() -> None:
    [cut] = told(span("agent_turn", b"turn", 400, 1900, SESSION_ID, **{"lk.interrupted": True}))
    assert (cut.kind, cut.time, dict(cut.facts)[keys.TURN_LASTED]) == (Kind.AGENT_INTERRUPTED, ms(1900), 1.5)
    assert told(span("agent_turn", b"turn", 400, 1900, SESSION_ID, **{"lk.interrupted": False})) == []


def test_a_try_that_failed_is_a_failure_and_one_that_did_not_is_nothing() -> None:
    known = {"error.type": "401", "exception.type": "APIStatusError"}
    tried = span("llm_request_run", b"llm_run1", 400, 500, SESSION_ID, **known)
    assert told(tried) == []
    tried.status.code = Status.STATUS_CODE_ERROR
    [failed] = told(tried)
    assert (failed.kind, failed.time) == (Kind.MODEL_FAILED, ms(500))
    assert dict(failed.facts)[keys.ERROR_TYPE] == "APIStatusError"


def test_only_a_loop_that_was_blocked_for_long_is_a_moment() -> None:
    assert told(span("event_loop_blocked", b"blocked!", 1, 2, ROOT, **{"lk.blocking.duration": 0.4})) == []
    [long] = told(span("event_loop_blocked", b"blocked!", 1, 2, ROOT, **{"lk.blocking.duration": 2.5}))
    assert (long.kind, dict(long.facts)[keys.BLOCKED_FOR]) == (Kind.AGENT_BLOCKED, 2.5)


@pytest.mark.parametrize("name", ["wait_for_participant", "room_connect", "user_turn", "x"])
def test_another_span_is_no_moment(name: str) -> None:
    assert told(span(name, START, 1, 2, ROOT, gen_ai__conversation__id=ROOM)) == []


def test_a_time_that_is_none_is_no_moment() -> None:
    broken = span("job_entrypoint", ROOT, 1, 2, lk__job_id=JOB)
    broken.start_time_unix_nano, broken.end_time_unix_nano = 0, 2**64 - 1
    assert told(broken) == []
