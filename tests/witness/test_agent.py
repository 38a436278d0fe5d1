from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from tests.moments import AGENT, DISPATCH, JOB, ROOM, SESSION, START, WAIT, WORKER, ms
from tests.otlp import (
    CONNECT,
    IN_JOB,
    OURS,
    ROOT,
    TRACE,
    WAITING,
    as_json,
    attributes,
    job,
    registered,
    request,
    span,
    without_reports,
)
from tracer import ids, keys
from tracer.errors import MalformedError
from tracer.moment import Kind, Moment
from tracer.store import Arrival, Outgoing
from tracer.timeline.fold import fold
from tracer.timeline.step import merge
from tracer.timeline.trace_jobs import job_of_trace
from tracer.witness import agent

TRACE_OF_ROOM = ids.trace_id(ROOM).to_bytes(16)
JOB_SPAN = ids.span_id("job", JOB).to_bytes(8)
ROOM_SPAN = ids.span_id("room", ROOM).to_bytes(8)


LLM = b"llm_node".hex()


def of(*spans: Span, scope: str = "livekit-agents", redact: bool = False) -> Arrival:
    brought = agent.arrival(request(*spans, scope=scope), redact=redact)
    return replace(brought, moments=without_reports(brought.moments))


def sent(outgoing: Outgoing) -> Span:
    group = ResourceSpans.FromString(outgoing.body)
    (scope,) = group.scope_spans
    (only,) = scope.spans
    return only


def told(moments: tuple[Moment, ...]) -> dict[tuple[Kind, str], tuple[str, int, str]]:
    return {(m.kind, m.occurrence): (m.subject, m.time, m.clock) for m in moments}


def test_protobuf_and_json_bring_the_same() -> None:
    made = request(*job())
    made.resource_spans[0].scope_spans[0].spans[0].links.add(trace_id=TRACE, span_id=CONNECT)
    by_protobuf = agent.arrival(agent.read(made.SerializeToString(), "application/x-protobuf"))
    by_json = agent.arrival(agent.read(as_json(made), "application/json"))
    assert by_json.moments == by_protobuf.moments
    assert [ResourceSpans.FromString(o.body) for o in by_json.outgoing] == [
        ResourceSpans.FromString(o.body) for o in by_protobuf.outgoing
    ]
    assert len(by_json.outgoing) == len(job())


def test_moments_of_a_job() -> None:
    found = told(of(*job()).moments)
    assert found == {
        (Kind.JOB_OFFERED, ""): (JOB, ms(201), "server"),
        (Kind.JOB_RECEIVED, WORKER): (JOB, ms(201.4), "agent"),
        (Kind.JOB_ACCEPTED, WORKER): (JOB, ms(202.2), "agent"),
        (Kind.JOB_ASSIGNED, ""): (JOB, ms(202.6), "agent"),
        (Kind.JOB_PROCESS_ASSIGNED, ""): (JOB, ms(202.6), "agent"),
        (Kind.JOB_ENTRYPOINT_STARTED, ""): (JOB, ms(207.6), "agent"),
        (Kind.JOB_ENTRYPOINT_RETURNED, ""): (JOB, ms(393), "agent"),
        (Kind.JOB_ENDED, ""): (JOB, ms(6520), "agent"),
        (Kind.AGENT_CONNECTING, ""): (JOB, ms(212), "agent"),
        (Kind.AGENT_CONNECTED, ""): (JOB, ms(357), "agent"),
        (Kind.AGENT_WAITING_FOR_PARTICIPANT, WAIT): (JOB, ms(360), "agent"),
        (Kind.AGENT_PARTICIPANT_READY, WAIT): (JOB, ms(360.2), "agent"),
        (Kind.SESSION_STARTING, SESSION): (JOB, ms(363), "agent"),
        (Kind.SESSION_STARTED, SESSION): (JOB, ms(392), "agent"),
        (Kind.MODEL_ASKED, LLM): (JOB, ms(400), "agent"),
        (Kind.MODEL_ANSWERED, LLM): (JOB, ms(420), "agent"),
        (Kind.SESSION_CLOSED, SESSION): (JOB, ms(4160), "agent"),
        (Kind.JOB_SHUTDOWN, ""): (JOB, ms(6503), "agent"),
        (Kind.AGENT_DISCONNECTED, ""): (JOB, ms(6510), "agent"),
    }


def test_a_job_known_from_its_spans_alone() -> None:
    (known,) = fold(ROOM, of(*job()).moments).jobs
    assert (known.dispatch_id, known.agent_name, known.worker_id, known.status) == (DISPATCH, "", WORKER, "JS_SUCCESS")
    assert known.participant_identity == "agent-" + JOB
    shut = known.at(Kind.JOB_SHUTDOWN)
    assert shut
    assert shut.facts[keys.SHUTDOWN_REASON] == "room disconnected"


def test_times_allow_for_the_rounding_of_float_seconds() -> None:
    # livekit-agents keeps seconds as a float: whatever it started from lies within the interval.
    for true in range(START + 1, START + 10_000, 7):
        at = int((true / 1e9) * 1e9)
        opened = span("room_connect", CONNECT, 0, None, **IN_JOB)
        opened.start_time_unix_nano = at
        (connecting,) = of(opened).moments
        assert connecting.earliest <= true <= connecting.latest


def test_a_span_still_open_tells_its_moments_and_waits_for_its_end() -> None:
    opened = job()[0]
    opened.end_time_unix_nano = 0
    del opened.events[2:]
    brought = of(opened, span("room_connect", CONNECT, 212, None, ROOT, **IN_JOB))
    assert set(told(brought.moments)) == {
        (Kind.JOB_OFFERED, ""),
        (Kind.JOB_RECEIVED, WORKER),
        (Kind.AGENT_CONNECTING, ""),
    }
    assert [item.open_job for item in brought.outgoing] == [JOB, JOB]


def test_a_span_of_any_name_that_is_still_open_waits_for_its_end() -> None:
    turn = span("user_turn", CONNECT, 212, None, ROOT, **IN_JOB)
    assert [(sent(item).name, item.open_job) for item in of(turn).outgoing] == [("user_turn", JOB)]
    assert of(span("user_turn", CONNECT, 212, None, ROOT)).outgoing == ()  # of no job: nobody would end it


def test_what_an_open_span_told_is_told_again_when_it_ends() -> None:
    ended = job()
    opened = job()
    for one in opened:
        one.end_time_unix_nano = 0
    times = {(m.kind, m.occurrence, m.time) for m in of(*ended).moments}
    assert {(m.kind, m.occurrence, m.time) for m in of(*opened).moments} < times


def test_a_jobs_spans_go_under_the_room() -> None:
    outgoing = of(*job()).outgoing
    assert {o.trace_id for o in outgoing} == {TRACE_OF_ROOM}
    assert {sent(o).trace_id for o in outgoing} == {TRACE_OF_ROOM}
    parents = {sent(o).name: sent(o).parent_span_id for o in outgoing}
    assert parents["job_entrypoint"] == JOB_SPAN
    assert parents["room_connect"] == ROOT
    assert parents["session_start"] == bytes.fromhex(SESSION)
    assert [o.span_id for o in outgoing] == [one.span_id for one in job()]


def test_a_root_without_a_job_goes_under_the_room_itself() -> None:
    (outgoing,) = of(span("something", CONNECT, 1, 2, gen_ai__conversation__id=ROOM)).outgoing
    assert sent(outgoing).parent_span_id == ROOM_SPAN


@pytest.mark.parametrize("conversation", [None, "", "conversation-7", 7, b"RM_bytes", ["RM_list"], True])
def test_a_span_of_no_room_is_passed_on_as_it_came(conversation: Any) -> None:
    plain = span("GET /", CONNECT, 1, 2, ROOT, gen_ai__conversation__id=conversation)
    plain.events.add(name="e", time_unix_nano=ms(1.5))
    made = request(plain)
    brought = agent.arrival(ExportTraceServiceRequest.FromString(made.SerializeToString()))
    assert without_reports(brought.moments) == ()
    (outgoing,) = brought.outgoing
    assert (outgoing.trace_id, outgoing.span_id) == (TRACE, CONNECT)
    assert ResourceSpans.FromString(outgoing.body) == made.resource_spans[0]


def test_each_outgoing_span_keeps_its_resource_and_scope() -> None:
    for outgoing in of(*job()).outgoing:
        group = ResourceSpans.FromString(outgoing.body)
        assert group.schema_url == "https://opentelemetry.io/schemas/1.30.0"
        assert group.resource == request().resource_spans[0].resource
        assert (group.scope_spans[0].scope.name, group.scope_spans[0].scope.version) == ("livekit-agents", "1.8.9")


def test_one_request_can_bring_several_rooms() -> None:
    other = span("room_connect", CONNECT, 1, 2, gen_ai__conversation__id="RM_other", lk__job_id="AJ_other")
    brought = of(*job(), other)
    assert {m.room for m in brought.moments} == {ROOM, "RM_other"}
    assert brought.outgoing[-1].trace_id == ids.trace_id("RM_other").to_bytes(16)


def test_what_failed_did_not_happen_but_a_job_that_raised_has_ended() -> None:
    spans = {one.name: one for one in job()}
    for name in ("job_entrypoint", "room_connect", "wait_for_participant", "session_start", "session_close"):
        spans[name].status.code = Status.STATUS_CODE_ERROR
    kinds = {m.kind for m in of(*spans.values()).moments}
    assert kinds.isdisjoint({Kind.AGENT_CONNECTED, Kind.AGENT_PARTICIPANT_READY, Kind.SESSION_STARTED})
    assert {Kind.AGENT_CONNECTING, Kind.SESSION_STARTING, Kind.SESSION_CLOSED, Kind.JOB_ENDED} <= kinds
    assert fold(ROOM, of(spans["job_entrypoint"]).moments).jobs[0].status == "JS_FAILED"


def test_a_workers_own_word_belongs_to_no_room_and_is_not_exported() -> None:
    brought = of(registered(), scope=OURS)
    (moment,) = brought.moments
    assert (moment.room, moment.kind, moment.subject, moment.time) == ("", Kind.WORKER_REGISTERED, WORKER, ms(-5000))
    assert dict(moment.facts) == {keys.AGENT_NAME: "", keys.WORKER_HOST: "host"}
    assert brought.outgoing == ()


def test_what_the_server_said_is_told_as_it_said_it_whatever_another_process_rounded() -> None:
    root = job()[0]
    (rounded,) = (event for event in root.events if event.name == "job_started_on_server")
    exact = span("job.offered", b"offered!", 0, 0, **IN_JOB)
    attributes(exact, {keys.SUBJECT: JOB, keys.CLOCK: "server"})
    exact.start_time_unix_nano = rounded.time_unix_nano + 200
    (step,) = merge(m for m in (*of(root).moments, *of(exact, scope=OURS).moments) if m.kind is Kind.JOB_OFFERED)
    assert (step.earliest, step.time, step.latest) == (exact.start_time_unix_nano,) * 3


@pytest.mark.parametrize("at", [0, 2**62 + 1, 2**63, 2**64 - 1])
def test_times_that_are_none_tell_nothing_and_the_rest_is_told(at: int) -> None:
    root, connect = job()[:2]
    connect.start_time_unix_nano = at
    root.events[0].time_unix_nano = at
    ours = registered()
    ours.start_time_unix_nano = at
    kinds = {m.kind for m in of(root, connect).moments}
    assert Kind.AGENT_CONNECTING not in kinds
    assert Kind.JOB_OFFERED not in kinds
    assert {Kind.AGENT_CONNECTED, Kind.JOB_RECEIVED} <= kinds
    assert of(ours, scope=OURS).moments == ()


@pytest.mark.parametrize("at", [1, 511, 2**62 - 512])
def test_times_at_the_edge_can_be_kept(at: int) -> None:
    (opened,) = [one for one in job() if one.name == "job_shutdown"]
    opened.start_time_unix_nano = at
    (moment,) = of(opened).moments
    assert -(2**63) <= moment.earliest <= moment.latest < 2**63


@pytest.mark.parametrize("subject", [None, "", 7, True, b"AW_bytes", ["AW_list"], {"AW": "map"}])
def test_a_moment_about_nothing_is_none(subject: Any) -> None:
    assert of(registered(**{keys.SUBJECT: subject}), scope=OURS).moments == ()


@pytest.mark.parametrize("which", [None, "", 7, b"AJ_bytes", ["AJ_list"]])
def test_a_native_span_that_does_not_name_its_job_is_about_the_job_of_its_trace(which: Any) -> None:
    brought = of(span("room_connect", CONNECT, 1, 2, gen_ai__conversation__id=ROOM, lk__job_id=which))
    assert {m.subject for m in brought.moments} == {job_of_trace(TRACE)}
    assert fold(ROOM, brought.moments).jobs == ()
    assert [o.trace_id for o in brought.outgoing] == [TRACE_OF_ROOM]


def test_a_span_that_names_its_job_names_it_for_all_of_its_trace() -> None:
    connect = span("room_connect", CONNECT, 212, 357, ROOT, gen_ai__conversation__id=ROOM)
    (known,) = fold(ROOM, [*of(connect).moments, *of(job()[0]).moments]).jobs
    assert known.sid == JOB
    assert known.time(Kind.AGENT_CONNECTING) == ms(212)


def test_facts_of_a_wrong_type_are_left_out() -> None:
    root = job()[0]
    del root.attributes[:]
    attributes(
        root,
        {
            keys.CONVERSATION_ID: ROOM,
            keys.JOB_ID: JOB,
            keys.DISPATCH_ID: ["AD_list"],
            keys.AGENT_NAME: None,
            keys.WORKER_ID: b"AW_bytes",
            keys.ROOM_NAME: {"a": "map"},
        },
    )
    known = fold(ROOM, of(root).moments).jobs[0]
    assert set(known.facts) == {keys.JOB_ID, keys.JOB_STATUS, keys.AGENT_TRACE}


@pytest.mark.parametrize("name", ["", "worker.registered ", "worker_registered", "nothing.known"])
def test_a_kind_that_is_none_is_no_moment(name: str) -> None:
    ours = registered()
    ours.name = name
    assert of(ours, scope=OURS).moments == ()


@pytest.mark.parametrize("kind", [kind for kind in Kind if "agent" not in kind.info.reported])
def test_what_only_the_server_knows_a_span_does_not_report(kind: Kind) -> None:
    ours = registered(**{keys.SUBJECT: "RM_forged", keys.ROOM_SID: ROOM})
    ours.name = kind.value
    assert of(ours, scope=OURS).moments == ()


@pytest.mark.parametrize(
    ("trace_id", "span_id"),
    [
        (TRACE, b""),
        (TRACE, b"short"),
        (TRACE, b"longer than eight"),
        (TRACE, bytes(8)),
        (b"", CONNECT),
        (bytes(16), CONNECT),
        (TRACE * 2, CONNECT),
    ],
)
def test_a_span_without_ids_of_the_right_length_would_hold_up_the_outbox_and_is_not_exported(
    trace_id: bytes, span_id: bytes
) -> None:
    plain = span("GET /", span_id, 1, 2)
    plain.trace_id = trace_id
    assert of(plain).outgoing == ()


def test_a_job_without_ids_still_tells_its_moments() -> None:
    spans = job()
    for one in spans:
        one.span_id = one.trace_id = one.parent_span_id = b""
    brought = of(*spans)
    assert {m.kind for m in brought.moments} == {m.kind for m in of(*job()).moments}
    assert brought.outgoing == ()


def test_redaction_takes_what_people_said_from_the_spans_of_rooms() -> None:
    root = job()[0]
    attributes(
        root, {"gen_ai.input.messages": "hello", "gen_ai.prompt.variable.name": "ada", "lk.pii.user_input": "hi"}
    )
    event = root.events.add(name="exception", time_unix_nano=ms(1))
    attributes(event, {"exception.message": "ada is not", "exception.stacktrace": "ada", "exception.type": "KeyError"})
    attributes(root.links.add(trace_id=TRACE, span_id=CONNECT), {"lk.pii.x": "ada"})
    root.status.code, root.status.message = Status.STATUS_CODE_ERROR, "ada"
    (outgoing,) = of(root, redact=True).outgoing
    left = sent(outgoing)
    assert b"ada" not in outgoing.body
    assert {item.key for item in left.attributes} == {
        keys.CONVERSATION_ID,
        keys.JOB_ID,
        keys.ROOM_SID,
        keys.DISPATCH_ID,
        keys.AGENT_NAME,
        keys.WORKER_ID,
    }
    assert [item.key for item in left.events[-1].attributes] == ["exception.type"]
    assert left.status.code == Status.STATUS_CODE_ERROR
    assert len(left.events) == len(root.events)


def test_without_redaction_what_people_said_stays() -> None:
    root = job()[0]
    attributes(root, {"gen_ai.input.messages": "hello"})
    (outgoing,) = of(root).outgoing
    assert "gen_ai.input.messages" in {item.key for item in sent(outgoing).attributes}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"\xff", "application/x-protobuf"),
        (b"{}", "application/x-protobuf"),
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b'{"resourceSpans": 7}', "application/json"),
        (b'{"resourceSpans": [null]}', "application/json"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "no hexadecimal"}]}]}]}', "application/json"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": 7}]}]}]}', "application/json"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": -1}]}]}]}', "application/json"),
        (b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}', "application/json"),
        (b'{"resourceSpans": ' + b"[" * 100_000, "application/json"),
        (b"9" * 10_000, "application/json"),
    ],
    ids=lambda what: str(what)[:60],
)
def test_a_body_that_is_no_request_is_malformed(body: bytes, content_type: str) -> None:
    with pytest.raises(MalformedError):
        agent.read(body, content_type)


def test_fields_of_a_newer_protocol_are_ignored() -> None:
    made = json.loads(as_json(request(*job())))
    made["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["future"] = {"x": 1}
    read = agent.read(json.dumps(made).encode(), "application/json")
    assert without_reports(agent.arrival(read).moments) == of(*job()).moments


def test_an_empty_request_brings_nothing() -> None:
    assert agent.arrival(agent.read(b"", "application/x-protobuf")) == Arrival()
    assert agent.arrival(agent.read(b"{}", "application/json")) == Arrival()


def test_waits_of_one_job_are_told_apart() -> None:
    second = span("wait_for_participant", b"\2" * 8, 400, 500, ROOT, **IN_JOB)
    moments = of(span("wait_for_participant", WAITING, 360, 361, ROOT, **IN_JOB), second).moments
    assert {m.occurrence for m in moments} == {WAIT, (b"\2" * 8).hex()}


def test_the_agent_is_in_the_room_under_the_sid_its_connection_told() -> None:
    connected = fold(ROOM, of(*job()).moments).jobs[0].at(Kind.AGENT_CONNECTED)
    assert connected
    assert connected.facts[keys.PARTICIPANT_ID] == AGENT


@pytest.mark.parametrize("room", [{"gen_ai__conversation__id": ROOM}, {}], ids=["of a room", "of none"])
def test_what_was_said_is_redacted_under_whatever_key_and_wherever(room: dict[str, str]) -> None:
    said = span("llm_node", CONNECT, 1, 2, ROOT, **room)
    attributes(said, {"lk.pii.user_transcript": "ada"})
    attributes(said.events.add(name="gen_ai.choice"), {"message": "ada"})
    (outgoing,) = of(said, redact=True).outgoing
    assert b"ada" not in outgoing.body
    assert not sent(outgoing).events


@pytest.mark.parametrize("redact", [False, True])
def test_the_request_stays_as_it_was_received(redact: bool) -> None:
    made = request(*job())
    before = made.SerializeToString(deterministic=True)
    agent.arrival(made, redact=redact)
    assert made.SerializeToString(deterministic=True) == before
