"""What an agent reports: OpenTelemetry spans, livekit-agents' own and the few that ``tracer.instrument`` adds.

Each native span of a job carries the room's SID, so it belongs to the room's trace whatever trace it was
made in. Here it gets the ids that show it: one rule for agents that are instrumented and for those that
merely export. Of the latter, most spans do not name their job: see ``tracer.timeline.trace_jobs``. A span of no room is
passed on as it came.
Source of names and events: livekit-agents 1.8.9, ipc/job_proc_lazy_main.py and voice/agent_session.py.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracer import keys
from tracer.errors import MalformedError
from tracer.moment import Kind, Moment, facts
from tracer.store import Arrival
from tracer.timeline.trace_jobs import room_of_trace
from tracer.units import NS_PER_S
from tracer.witness.elements import refuse_too_many
from tracer.witness.fields import LATEST_TIME
from tracer.witness.native import LONGEST_MESSAGE, PENDING_SPANS, ROUNDING, TOLD_AT_ONCE, native_moments
from tracer.witness.node import node_moments
from tracer.witness.outgoing import ReceivedSpan, is_trace_id, outgoing
from tracer.witness.span_reports import span_reports
from tracer.witness.values import as_time, attributes_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

    from tracer.moment import Fact

__all__ = [
    "AGENTS_SCOPE",
    "LONGEST_MESSAGE",
    "PENDING_SPANS",
    "PLACES_IT",
    "SCOPE",
    "TOLD_AT_ONCE",
    "Extent",
    "arrival",
    "by_room",
    "extent",
    "read",
    "received",
    "rooms",
    "spans",
]

WITNESS = "agent"
LOST_WITHIN = 600 * NS_PER_S
"""A connection that was back at a time was lost no longer before, ns."""
AGENTS_SCOPE = "livekit-agents"
"""Instrumentation scope of the spans that LiveKit's agents make, in Python and in Node. What else their
process makes in the same trace belongs to it."""
SCOPE = "livekit-tracer"
"""Instrumentation scope of the spans that ``tracer.instrument`` makes itself: each is one moment, its name the kind."""

ROOM_ID = "lk.room_id"
"""What LiveKit's telemetry registry (livekit/protocol 1.54.0, otel/) calls ``lk.room_sid`` from now on."""

_ITS_OWN = frozenset(kind.value for kind in Kind if WITNESS in kind.info.reported)
"""Kinds that an agent may report: not that a room was created, or that somebody joined it. Anyone can send a span."""
PLACES_IT = frozenset({keys.ROOM_SID, ROOM_ID, keys.CONVERSATION_ID, keys.JOB_ID})
"""The attributes by which a span has its place in a trace."""
_OWN_FRAME = {keys.SUBJECT, keys.OCCURRENCE, keys.EARLIEST, keys.LATEST, keys.CLOCK, keys.ROOM_SID}
"""Attributes of our own spans that identify the moment, and are not what is known of its subject."""
_OF_WORKER = (keys.AGENT_NAME, keys.WORKER_ID, keys.WORKER_HOST)


def read(body: bytes, content_type: str) -> ExportTraceServiceRequest:
    """The spans of an OTLP/HTTP request, protobuf or JSON. Raises MalformedError when it is neither, TooLargeError."""
    refuse_too_many(body, content_type)
    try:
        if content_type == "application/json":
            decoded = _with_base64_ids(json.loads(body))
            return ParseDict(decoded, ExportTraceServiceRequest(), ignore_unknown_fields=True)
        return ExportTraceServiceRequest.FromString(body)
    except (DecodeError, ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise MalformedError(f"body is not an OTLP ExportTraceServiceRequest: {error}") from None


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


def spans(request: ExportTraceServiceRequest) -> Iterator[Span]:
    """All spans of a request."""
    return (span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans)


class Extent(NamedTuple):
    """How much a request holds, and of when."""

    spans: int
    latest: int
    """When the first span of a scope began, ns since the epoch: the latest of all scopes. Those of one are by one
    clock."""


def extent(groups: Iterable[ResourceSpans]) -> Extent:
    """The extent of these, in one pass."""
    count = latest = 0
    for group in groups:
        for scope in group.scope_spans:
            if spans := scope.spans:
                count += len(spans)
                latest = max(latest, spans[0].start_time_unix_nano)
    return Extent(count, latest)


def arrival(request: ExportTraceServiceRequest, *, redact: bool = False, exported: bool = True) -> Arrival:
    """The moments in a request and, where ``exported``, its spans on their way to the backend, in their room's trace.

    With ``redact`` the spans go without personal data; a moment drops its own, see ``Moment.redacted``.
    """
    found = list(received(request))
    moments = [*(moment for one in found for moment in _moments(one)), *span_reports(found)]
    named = dict.fromkeys((one.span.trace_id, one.room) for one in found if _names_room(one))
    traces = tuple((room_of_trace(trace), room) for trace, room in named)
    return Arrival(tuple(moments), tuple(outgoing(found, redacted=redact)) if exported else (), traces=traces)


def rooms(request: ExportTraceServiceRequest) -> list[str]:
    """The rooms that a request is of, each by its SID; an agent's trace while it names no room; empty for neither."""
    return list(dict.fromkeys(room for room, _ in _with_rooms(request)))


def by_room(request: ExportTraceServiceRequest) -> dict[str, ExportTraceServiceRequest]:
    """The same spans as a request for each of its rooms."""
    parts: dict[str, ExportTraceServiceRequest] = {}
    last: dict[str, tuple[ResourceSpans, ScopeSpans]] = {}
    for room, one in _with_rooms(request):
        part = parts.setdefault(room, ExportTraceServiceRequest())
        resource, scope = last.get(room, (None, None))
        if resource is not one.resource:
            part.resource_spans.add(resource=one.resource.resource, schema_url=one.resource.schema_url)
        if scope is not one.scope:
            part.resource_spans[-1].scope_spans.add(scope=one.scope.scope, schema_url=one.scope.schema_url)
        last[room] = one.resource, one.scope
        part.resource_spans[-1].scope_spans[-1].spans.append(one.span)
    return parts


def _with_rooms(request: ExportTraceServiceRequest) -> Iterator[tuple[str, ReceivedSpan]]:
    """Each span with its room; one that names none has the room that others of its trace name, where that is one."""
    found = list(received(request))
    named: defaultdict[str, set[str]] = defaultdict(set)
    for one in found:
        if _names_room(one):
            named[room_of_trace(one.span.trace_id)].add(one.room)
    for one in found:
        others = named[one.unplaced]
        yield one.room or (min(others) if len(others) == 1 else one.unplaced), one


def received(request: ExportTraceServiceRequest, only: Container[str] | None = None) -> Iterator[ReceivedSpan]:
    """The spans of a request, in order, each with what stands around it; with ``only`` some of its attributes."""
    for resource in request.resource_spans:
        about = attributes_of(resource.resource.attributes)
        host, language = about.get("host.name"), about.get(keys.SDK_LANGUAGE)
        named = {
            span.trace_id for scope in resource.scope_spans if scope.scope.name == AGENTS_SCOPE for span in scope.spans
        }
        traces = set(filter(is_trace_id, named))
        for scope in resource.scope_spans:
            is_moment = scope.scope.name == SCOPE
            for span in scope.spans:
                attributes = attributes_of(span.attributes, only)
                # A process that serves one job can name the room once for all it sends.
                room = _room(attributes) or (_room(about) if span.trace_id in traces else "")
                unplaced = room_of_trace(span.trace_id) if not (room or is_moment) and span.trace_id in traces else ""
                yield ReceivedSpan(
                    span, scope, resource, attributes, host, room, is_moment, unplaced, is_node=language == "nodejs"
                )


def _names_room(one: ReceivedSpan) -> bool:
    """Whether it is an agent's span by which the room of its whole trace is known."""
    return bool(one.room) and one.scope.scope.name == AGENTS_SCOPE and is_trace_id(one.span.trace_id)


def _moments(one: ReceivedSpan) -> Iterator[Moment]:
    """The moments that a span reports."""
    if one.is_moment:
        yield from _own(one.span, one.room, one.attributes)
    elif room := one.room or (one.unplaced if one.scope.scope.name == AGENTS_SCOPE else ""):
        told = node_moments if one.is_node else native_moments
        yield from told(one.span, room, one.attributes, one.host)


def _room(attributes: Mapping[str, Fact | None]) -> str:
    """SID of the room a span belongs to; empty when it names none."""
    for key in (keys.ROOM_SID, ROOM_ID, keys.CONVERSATION_ID):
        sid = attributes.get(key)
        if isinstance(sid, str) and sid.startswith("RM_"):
            return sid
    return ""


def _own(span: Span, room: str, attributes: Mapping[str, Fact | None]) -> Iterator[Moment]:
    """A span that ``tracer.instrument`` made for one moment."""
    subject, at = attributes.get(keys.SUBJECT), span.start_time_unix_nano
    if span.name not in _ITS_OWN or not isinstance(subject, str) or not subject or not 0 < at <= LATEST_TIME:
        return
    known = {key: value for key, value in attributes.items() if key not in _OWN_FRAME}
    earliest, latest = as_time(attributes.get(keys.EARLIEST)) or at, as_time(attributes.get(keys.LATEST)) or at
    if earliest <= at <= latest:
        clock = "server" if attributes.get(keys.CLOCK) == "server" else "agent"
        occurrence = str(attributes.get(keys.OCCURRENCE, ""))
        if clock != "server":  # what another process rounded when it reported the same must fit in
            earliest, latest = max(earliest - ROUNDING, 1), min(latest + ROUNDING, LATEST_TIME)
        kind = Kind(span.name)
        if kind is Kind.WORKER_CLOSED and known.get(keys.WORKER_ID) not in (None, subject):
            # So an older tracer reported a worker that was back under another id: it had lost its connection before.
            kind, occurrence = Kind.WORKER_DISCONNECTED, f"back as {known[keys.WORKER_ID]}"
            earliest = max(at - LOST_WITHIN, 1)
        yield Moment(room, kind, subject, earliest, latest, at, clock, WITNESS, occurrence, facts(known))
        if kind is Kind.JOB_RECEIVED and occurrence:  # what is known of the worker then holds for every room
            about = facts({key: known.get(key) for key in _OF_WORKER})
            yield Moment("", Kind.WORKER_OFFERED, occurrence, earliest, latest, at, clock, WITNESS, subject, about)
