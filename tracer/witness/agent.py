"""What an agent tells: OpenTelemetry spans, livekit-agents' own and the few that ``tracer.instrument`` adds.

Each native span of a job carries the room's SID, so it belongs to the room's trace whatever trace it was
made in. Here it gets the ids that say so: one rule for agents that are instrumented and for those that
merely export. Of the latter, most spans do not name their job: see ``tracer.timeline.trace_jobs``. A span of no room is
passed on as it came.
Source of names and events: livekit-agents 1.8.9, ipc/job_proc_lazy_main.py and voice/agent_session.py.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tracer import keys
from tracer.errors import MalformedError
from tracer.moment import BY_WORKER, Kind, Moment, facts
from tracer.store import Arrival
from tracer.timeline.trace_jobs import job_of_trace
from tracer.witness.fields import LATEST_TIME
from tracer.witness.outgoing import ReceivedSpan, outgoing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.proto.common.v1.common_pb2 import KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tracer.moment import Fact

__all__ = ["PENDING_SPANS", "SCOPE", "arrival", "read"]

WITNESS = "agent"
SCOPE = "livekit-tracer"
"""Instrumentation scope of the spans that ``tracer.instrument`` makes itself: each is one moment, its name the kind."""

LONGEST_MESSAGE = 500
"""Characters of an exception's text that are kept."""
ROUNDING = 512
"""livekit-agents keeps times as float seconds, which are this coarse, ns, in this century."""

_EVENTS = {
    "job_started_on_server": (Kind.JOB_OFFERED, "server"),
    "job_received": (Kind.JOB_RECEIVED, "agent"),
    "job_accepted": (Kind.JOB_ACCEPTED, "agent"),
    "job_assigned": (Kind.JOB_ASSIGNED, "agent"),
    "process_assigned": (Kind.JOB_PROCESS_ASSIGNED, "agent"),
    "entrypoint_started": (Kind.JOB_ENTRYPOINT_STARTED, "agent"),
    "entrypoint_returned": (Kind.JOB_ENTRYPOINT_RETURNED, "agent"),
}
"""Events on ``job_entrypoint``: the moment each is, and on whose clock."""

_ENDS: dict[str, tuple[Kind | None, Kind | None]] = {
    "job_entrypoint": (None, Kind.JOB_ENDED),
    "room_connect": (Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED),
    "wait_for_participant": (Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_PARTICIPANT_READY),
    "session_start": (Kind.SESSION_STARTING, Kind.SESSION_STARTED),
    "session_close": (None, Kind.SESSION_CLOSED),
    "job_shutdown": (Kind.JOB_SHUTDOWN, None),
    "room_disconnect": (None, Kind.AGENT_DISCONNECTED),
}
"""Native spans whose start or end is a moment of the job."""

_NAME_THE_JOB = {"job_entrypoint", "agent_session"}
"""The spans in which livekit-agents itself names the job. A user who flushes in a shutdown callback never sends the
first, which ends later than that."""

PENDING_SPANS = frozenset({*_ENDS, *_NAME_THE_JOB})
"""All that tell a moment: an instrumented agent reports them at their start already, with no end."""

_OWN_FRAME = {keys.SUBJECT, keys.OCCURRENCE, keys.EARLIEST, keys.LATEST, keys.CLOCK, keys.ROOM_SID}
"""Attributes of our own spans that say what moment it is, and not what is known of its subject."""

_ALWAYS_ENDS = {"job_entrypoint", "session_close"}
"""Spans whose end is the moment even when they failed: a job that raised has ended, one that could not connect is
not connected."""

_COMMON = (keys.JOB_ID, keys.DISPATCH_ID, keys.AGENT_NAME, keys.WORKER_ID)
_KEPT = {
    "job_entrypoint": (*_COMMON, keys.ROOM_NAME),
    "agent_session": _COMMON,
    "room_connect": (keys.PARTICIPANT_ID, keys.PARTICIPANT_IDENTITY),
    "wait_for_participant": (keys.PARTICIPANT_ID, keys.PARTICIPANT_IDENTITY),
    "session_start": (keys.INSTRUCTIONS,),
    "job_shutdown": (keys.SHUTDOWN_REASON,),
}
"""Attributes of native spans that become facts of the job."""


def read(body: bytes, content_type: str) -> ExportTraceServiceRequest:
    """The spans of an OTLP/HTTP request, protobuf or JSON. Raises MalformedError when it is neither."""
    try:
        if content_type == "application/json":
            told = _with_base64_ids(json.loads(body))
            return ParseDict(told, ExportTraceServiceRequest(), ignore_unknown_fields=True)
        return ExportTraceServiceRequest.FromString(body)
    except (DecodeError, ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedError(f"body that is no OTLP ExportTraceServiceRequest: {error}") from None


def _with_base64_ids(request: Any) -> Any:
    """OTLP/JSON writes ids in hexadecimal, protobuf's JSON in base64."""
    for group in request.get("resourceSpans", ()):
        for scope in group.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                for holder in (span, *span.get("links", ())):
                    for key in ("traceId", "spanId", "parentSpanId"):
                        if key in holder:
                            holder[key] = b64encode(bytes.fromhex(holder[key])).decode()
    return request


def arrival(request: ExportTraceServiceRequest, *, redact: bool = False) -> Arrival:
    """The moments in a request, and its spans on their way to the backend, each under its room's trace.

    With ``redact`` the spans go without personal data; a moment drops its own, see ``Moment.redacted``.
    """
    received = list(_received(request))
    moments = [moment for one in received for moment in _moments(one)]
    return Arrival(tuple(moments), tuple(outgoing(received, redacted=redact)))


def _received(request: ExportTraceServiceRequest) -> Iterator[ReceivedSpan]:
    """The spans of a request, in order, each with what stands around it."""
    for resource in request.resource_spans:
        host = next((_value(item) for item in resource.resource.attributes if item.key == "host.name"), None)
        for scope in resource.scope_spans:
            for span in scope.spans:
                attributes = {item.key: _value(item) for item in span.attributes}
                is_moment = scope.scope.name == SCOPE
                yield ReceivedSpan(span, scope, resource, attributes, host, _room(attributes), is_moment)


def _moments(one: ReceivedSpan) -> Iterator[Moment]:
    """The moments that a span reports."""
    if one.is_moment:
        yield from _own(one.span, one.room, one.attributes)
    elif one.room:
        yield from _native(one.span, one.room, one.attributes, one.host)


def _value(item: KeyValue) -> Fact | None:
    which = item.value.WhichOneof("value")
    value = getattr(item.value, which) if which else None
    return value if isinstance(value, str | int | float | bool) else None


def _room(told: Mapping[str, Fact | None]) -> str:
    """SID of the room a span belongs to; empty when it says none."""
    for key in (keys.ROOM_SID, keys.CONVERSATION_ID):
        sid = told.get(key)
        if isinstance(sid, str) and sid.startswith("RM_"):
            return sid
    return ""


def _own(span: Span, room: str, told: Mapping[str, Fact | None]) -> Iterator[Moment]:
    """A span that ``tracer.instrument`` made for one moment."""
    subject, at = told.get(keys.SUBJECT), span.start_time_unix_nano
    if span.name not in set(Kind) or not isinstance(subject, str) or not subject or not 0 < at <= LATEST_TIME:
        return
    known = {key: value for key, value in told.items() if key not in _OWN_FRAME}
    earliest, latest = _time(told.get(keys.EARLIEST)) or at, _time(told.get(keys.LATEST)) or at
    if earliest <= at <= latest:
        clock = "server" if told.get(keys.CLOCK) == "server" else "agent"
        occurrence = str(told.get(keys.OCCURRENCE, ""))
        if clock != "server":  # what another process rounded when it told the same must fit in
            earliest, latest = max(earliest - ROUNDING, 1), min(latest + ROUNDING, LATEST_TIME)
        yield Moment(room, Kind(span.name), subject, earliest, latest, at, clock, WITNESS, occurrence, facts(known))


def _native(span: Span, room: str, told: Mapping[str, Fact | None], host: Fact | None) -> Iterator[Moment]:
    """The moments that a span of livekit-agents' own tells; those of a span still open when it was sent included."""
    if span.name not in PENDING_SPANS:
        return
    job = told.get(keys.JOB_ID)
    subject = job if isinstance(job, str) and job else job_of_trace(span.trace_id)
    known = {key: told.get(key) for key in _KEPT.get(span.name, ())}
    if subject == job and span.name in _NAME_THE_JOB:
        known |= {keys.AGENT_TRACE: span.trace_id.hex(), keys.WORKER_HOST: host}
    for kind, at, latest, clock, more in _steps(span, told):
        if 0 < at <= latest <= LATEST_TIME - ROUNDING:
            yield Moment(
                room,
                kind,
                subject,
                at - ROUNDING,
                latest + ROUNDING,
                at,
                clock,
                WITNESS,
                _occurrence(span, kind, told),
                facts({**known, **more}),
            )


def _steps(span: Span, told: Mapping[str, Fact | None]) -> Iterator[tuple[Kind, int, int, str, dict[str, Fact]]]:
    """For each step that a span tells: kind, time, the latest it can have been, whose clock, and facts of its own."""
    began, ended = span.start_time_unix_nano, span.end_time_unix_nano
    start, end = _ENDS.get(span.name, (None, None))
    if span.name == "job_entrypoint":
        for event in span.events:
            if event.name in _EVENTS:
                kind, clock = _EVENTS[event.name]
                running = {keys.JOB_STATUS: "JS_RUNNING"} if kind is Kind.JOB_ENTRYPOINT_STARTED else {}
                yield kind, event.time_unix_nano, event.time_unix_nano, clock, {**running}
        for key, kind in ((keys.SETUP_BEGAN, Kind.PROCESS_STARTED), (keys.SETUP_ENDED, Kind.PROCESS_READY)):
            if at := _time(told.get(key)):
                yield kind, at, at, "agent", {}
    if span.name == "agent_session":  # within it its child session_start begins, which tells more exactly when
        yield Kind.SESSION_STARTING, began, ended, "agent", _linked(span)
    failed = span.status.code == Status.STATUS_CODE_ERROR
    error = _error(span, told) if failed else {}
    if start:
        yield start, began, began, "agent", error
    if end and (not failed or span.name in _ALWAYS_ENDS):
        status = {keys.JOB_STATUS: "JS_FAILED" if failed else "JS_SUCCESS"} if end is Kind.JOB_ENDED else {}
        yield end, ended, ended, "agent", {**status, **error}


def _error(span: Span, told: Mapping[str, Fact | None]) -> dict[str, Fact]:
    """Why a span failed."""
    return {
        keys.ERROR_TYPE: str(told.get(keys.ERROR_TYPE) or "error"),
        **({keys.ERROR_MESSAGE: span.status.message[:LONGEST_MESSAGE]} if span.status.message else {}),
    }


def _linked(span: Span) -> dict[str, Fact]:
    """To whom a session listened first."""
    linked = next((event for event in span.events if event.name == "participant_linked"), None)
    known = {item.key: _value(item) for item in linked.attributes} if linked else {}
    names = {keys.PARTICIPANT_ID: keys.LINKED_ID, keys.PARTICIPANT_IDENTITY: keys.LINKED_IDENTITY}
    return {names[key]: value for key, value in known.items() if key in names and value is not None}


def _time(text: Fact | None) -> int | None:
    """A time that came as text, ns since the epoch; None for whatever is no such time."""
    try:
        at = int(str(text))
    except ValueError:
        return None
    return at if 0 < at <= LATEST_TIME - ROUNDING else None


def _occurrence(span: Span, kind: Kind, told: Mapping[str, Fact | None]) -> str:
    """What there can be several of in a job: workers that were asked, participants waited for, sessions."""
    if kind in BY_WORKER:
        return str(told.get(keys.WORKER_ID) or "")
    if span.name == "wait_for_participant":
        return span.span_id.hex()
    if span.name in ("session_start", "session_close"):  # both are children of their agent_session
        return span.parent_span_id.hex()
    if span.name == "agent_session":
        return span.span_id.hex()
    return ""
