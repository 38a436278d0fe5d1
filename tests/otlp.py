"""OTLP requests as an agent's exporter sends them."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.moments import AGENT, DISPATCH, JOB, ROOM, SESSION, WAIT, WORKER, ms
from tracer import keys
from tracer.moment import Kind
from tracer.witness.agent import SCOPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue

    from tracer.moment import Moment

TRACE = bytes(range(1, 17))
"""The trace an agent made its spans in, when nobody told it of the room's."""
ROOT = b"rootroot"
CONNECT = b"connects"
WAITING = bytes.fromhex(WAIT)
START = b"starting"


def put(value: AnyValue, what: Any) -> None:
    """Set an attribute's value to what Python has for it; None leaves it without one."""
    if isinstance(what, bool):
        value.bool_value = what
    elif isinstance(what, int):
        value.int_value = what
    elif isinstance(what, float):
        value.double_value = what
    elif isinstance(what, str):
        value.string_value = what
    elif isinstance(what, bytes):
        value.bytes_value = what
    elif isinstance(what, list):
        value.array_value.SetInParent()
        for item in what:
            put(value.array_value.values.add(), item)
    elif isinstance(what, dict):
        value.kvlist_value.SetInParent()
        for key, item in what.items():
            put(value.kvlist_value.values.add(key=key).value, item)


def attributes(holder: Any, told: Mapping[str, Any]) -> None:
    """Add attributes to a span, an event, a link, a resource or a scope."""
    for key, what in told.items():
        put(holder.attributes.add(key=key).value, what)


def span(name: str, span_id: bytes, start: float, end: float | None, parent: bytes = b"", **told: Any) -> Span:
    """A span of a job; a key's dots are written as two underscores. Without an end it is still open."""
    made = Span(
        trace_id=TRACE,
        span_id=span_id,
        parent_span_id=parent,
        name=name,
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=ms(start),
        end_time_unix_nano=0 if end is None else ms(end),
    )
    attributes(made, {key.replace("__", "."): what for key, what in told.items()})
    return made


def request(*spans: Span, scope: str = "livekit-agents", service: str = "my-agent") -> ExportTraceServiceRequest:
    """A request that brings these spans."""
    made = ExportTraceServiceRequest()
    group = made.resource_spans.add(schema_url="https://opentelemetry.io/schemas/1.30.0")
    attributes(group.resource, {"service.name": service})
    holder = group.scope_spans.add(spans=spans)
    holder.scope.name, holder.scope.version = scope, "1.8.9"
    return made


def without_reports(moments: Iterable[Moment]) -> tuple[Moment, ...]:
    """The moments, without which spans came: of them there is one in each request."""
    return tuple(moment for moment in moments if moment.kind is not Kind.JOB_SPANS_REPORTED)


def as_json(what: ExportTraceServiceRequest) -> bytes:
    """The request as OTLP/JSON: protobuf's own JSON, but for ids, which are hexadecimal."""
    told = MessageToDict(what, use_integers_for_enums=True)
    for group in told.get("resourceSpans", ()):
        for scope in group.get("scopeSpans", ()):
            for one in scope.get("spans", ()):
                for holder in (one, *one.get("links", ())):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in holder:
                            raw: bytes = b64decode(holder[key])
                            holder[key] = raw.hex()
    return json.dumps(told).encode()


def node_request(*spans: Span) -> ExportTraceServiceRequest:
    """A request as an agent in Node sends it."""
    made = request(*spans)
    attributes(made.resource_spans[0].resource, {"telemetry.sdk.language": "nodejs"})
    return made


def node_job(trace: bytes = TRACE) -> list[Span]:
    """The spans of one job as @livekit/agents 1.9.0 makes them, in the order in which they end: two name the room."""
    session = bytes.fromhex(SESSION)
    in_room = {"gen_ai__conversation__id": ROOM}
    made = [
        span("event_loop_blocked", b"blocked!", 200, 300, ROOT, **{"lk.blocking.duration": 0.1}),
        span("start_agent_activity", START, 363, 392, session, **in_room),
        span("on_enter", b"on_enter", 390, 391, START),
        span("job_entrypoint", ROOT, 207.6, 393, lk__job_id=JOB, lk__agent_name="", lk__pii__room_name="demo"),
        span("llm_node", b"llm_node", 400, 500, session, **{"lk.response.ttft": 0.02, "lk.pii.response.text": "Hi."}),
        span("agent_speaking", b"speaking", 450, 900, session),
        span("user_speaking", b"talking!", 1000, 1900, session, **{"lk.pii.participant_identity": "ada"}),
        span("agent_session", session, 363, 4160, ROOT, **in_room),
    ]
    for one in made:
        one.trace_id = trace
    return made


IN_JOB: dict[str, Any] = {"gen_ai__conversation__id": ROOM, "lk__job_id": JOB}


def job() -> list[Span]:
    """The spans of one job as livekit-agents 1.8.9 makes them and ``tracer.instrument`` stamps them."""
    root = span(
        "job_entrypoint",
        ROOT,
        201.4,
        6520,
        **IN_JOB,
        lk__room_sid=ROOM,
        lk__dispatch_id=DISPATCH,
        lk__agent_name="",
        lk__job__worker_id=WORKER,
        lk__pii__room_name="demo",
    )
    for name, at in (
        ("job_started_on_server", 201),
        ("job_received", 201.4),
        ("job_accepted", 202.2),
        ("job_assigned", 202.6),
        ("process_assigned", 202.6),
        ("entrypoint_started", 207.6),
        ("entrypoint_returned", 393),
    ):
        root.events.add(name=name, time_unix_nano=ms(at))
    agent: dict[str, Any] = {"lk__participant_id": AGENT, "lk__pii__participant_identity": "agent-" + JOB}
    session = bytes.fromhex(SESSION)
    made = [
        root,
        span("room_connect", CONNECT, 212, 357, ROOT, **IN_JOB, **agent),
        span("wait_for_participant", WAITING, 360, 360.2, ROOT, **IN_JOB, lk__pii__participant_identity="ada"),
        span("agent_session", session, 363, 4160, ROOT, **IN_JOB),
        span("session_start", START, 363, 392, session, **IN_JOB),
        span("llm_node", b"llm_node", 400, 500, session, **IN_JOB, **{"lk.response.ttft": 0.02}),
        span("session_close", b"closings", 4150, 4160, session, **IN_JOB),
        span("job_shutdown", b"shutdown", 6503, 6519, ROOT, **IN_JOB, lk__shutdown__reason="room disconnected"),
        span("room_disconnect", b"disconne", 6504, 6510, b"shutdown", **IN_JOB),
    ]
    for one in made:
        one.status.code = Status.STATUS_CODE_OK if one is root else Status.STATUS_CODE_UNSET
    return made


def next_job() -> list[Span]:
    """The same as LiveKit's telemetry registry has it (livekit/protocol 1.54.0, otel/model/agents), not instrumented.

    Only the root names the room, by its new name, and only a model's request has the conversation; the job is named by
    the two spans that name it now.
    """
    made = job()
    request_ = span("llm_request", b"request!", 401, 499, b"llm_node", gen_ai__conversation__id=ROOM)
    for one in made[1:]:
        dropped = {"gen_ai.conversation.id", *([] if one.name == "agent_session" else ["lk.job_id"])}
        kept = [item for item in one.attributes if item.key not in dropped]
        del one.attributes[:]
        one.attributes.extend(kept)
    root = made[0]
    kept = [item for item in root.attributes if item.key != "gen_ai.conversation.id"]
    del root.attributes[:]
    root.attributes.extend(kept)
    next(item for item in root.attributes if item.key == "lk.room_sid").key = "lk.room_id"
    return [*made[1:], request_, root]


def registered(**told: Any) -> Span:
    """What ``tracer.instrument`` reports of a worker."""
    return span(
        "worker.registered",
        b"register",
        -5000,
        -5000,
        **{keys.SUBJECT: WORKER, keys.AGENT_NAME: "", keys.WORKER_HOST: "host"} | told,
    )


OURS = SCOPE
