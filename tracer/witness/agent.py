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
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from tracer import ids, keys
from tracer.errors import MalformedError, TooLargeError
from tracer.moment import NS_PER_S, Kind, Moment, facts
from tracer.store import Arrival, Outgoing
from tracer.witness.fields import LATEST_TIME
from tracer.witness.native import PENDING_SPANS, ROUNDING, native_moments
from tracer.witness.values import as_time, attributes_of, value_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tracer.moment import Fact

__all__ = ["PENDING_SPANS", "SCOPE", "arrival", "read"]

WITNESS = "agent"
LOST_WITHIN = 600 * NS_PER_S
"""A connection that was back at a time was lost no longer before, ns."""
SCOPE = "livekit-tracer"
"""Instrumentation scope of the spans that ``tracer.instrument`` makes itself: each is one moment, its name the kind."""

LARGEST_OUTGOING = 64 * 1024 * 1024
"""Bytes that the spans of one request may take, each with its resource, which in the request they share."""
_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8

_OWN_FRAME = {keys.SUBJECT, keys.OCCURRENCE, keys.EARLIEST, keys.LATEST, keys.CLOCK, keys.ROOM_SID}
"""Attributes of our own spans that say what moment it is, and not what is known of its subject."""


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

    With ``redact`` the spans of rooms go without personal data; a moment drops its own, see ``Moment.redacted``.
    """
    moments: list[Moment] = []
    outgoing: list[Outgoing] = []
    size = 0
    for group in request.resource_spans:
        host = next((value_of(item) for item in group.resource.attributes if item.key == "host.name"), None)
        for scope in group.scope_spans:
            for span in scope.spans:
                told = attributes_of(span.attributes)
                room = _room(told)
                ours = scope.scope.name == SCOPE
                if ours:
                    moments.extend(_own(span, room, told))
                elif room:
                    moments.extend(native_moments(span, room, told, host))
                    _adopt(span, room, told)
                job = told.get(keys.JOB_ID) if room else None
                open_job = job if isinstance(job, str) and not span.end_time_unix_nano else ""
                if ours or not _has_ids(span) or not (span.end_time_unix_nano or open_job):
                    continue
                if redact:
                    _redact(span)
                alone = ResourceSpans(resource=group.resource, schema_url=group.schema_url)
                holder = alone.scope_spans.add(scope=scope.scope, schema_url=scope.schema_url)
                holder.spans.append(span)
                body = alone.SerializeToString()
                size += len(body)
                if size > LARGEST_OUTGOING:
                    raise TooLargeError(f"spans that unfold to more than {LARGEST_OUTGOING} bytes")
                outgoing.append(Outgoing(span.trace_id, span.span_id, body, open_job))
    return Arrival(tuple(moments), tuple(outgoing))


def _has_ids(span: Span) -> bool:
    """Whether its ids are OpenTelemetry's: no backend takes others, and one such span would hold up all behind it."""
    fit = len(span.trace_id) == _TRACE_ID_BYTES and len(span.span_id) == _SPAN_ID_BYTES
    return fit and any(span.trace_id) and any(span.span_id)


def _redact(span: Span) -> None:
    for event in [event for event in span.events if event.name in _GEN_AI_EVENTS]:
        span.events.remove(event)
    holders: list[Any] = [span, *span.events, *span.links]  # whose protobuf types have no base in common
    for holder in holders:
        kept = [item for item in holder.attributes if not _is_content(item.key)]
        del holder.attributes[:]
        holder.attributes.extend(kept)
    span.status.message = ""


def _is_content(key: str) -> bool:
    """Whether livekit-agents itself drops it on redaction (telemetry/pii.py).

    That is data marked ``pii``, the conversation in GenAI's own keys, and free text of exceptions.
    """
    return (
        keys.is_personal(key)
        or key in _GEN_AI_CONTENT
        or key.startswith("gen_ai.prompt.variable.")
        or key in ("exception.message", "exception.stacktrace")
    )


_GEN_AI_EVENTS = {
    "gen_ai.system.message",
    "gen_ai.user.message",
    "gen_ai.assistant.message",
    "gen_ai.tool.message",
    "gen_ai.choice",
    "gen_ai.client.inference.operation.details",
}
"""Events that hold what was said under keys of any name: livekit-agents drops them whole."""

_GEN_AI_CONTENT = {
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.tool.description",
    "gen_ai.tool.definitions",
    "gen_ai.retrieval.query.text",
    "gen_ai.retrieval.documents",
    "gen_ai.memory.query.text",
    "gen_ai.memory.records",
    "gen_ai.evaluation.explanation",
}


def _room(told: Mapping[str, Fact | None]) -> str:
    """SID of the room a span belongs to; empty when it says none."""
    for key in (keys.ROOM_SID, keys.CONVERSATION_ID):
        sid = told.get(key)
        if isinstance(sid, str) and sid.startswith("RM_"):
            return sid
    return ""


def _adopt(span: Span, room: str, told: Mapping[str, Fact | None]) -> None:
    """Move a span into its room's trace; the root of a job's own trace goes under the job."""
    span.trace_id = ids.trace_id(room).to_bytes(16)
    if not span.parent_span_id:
        job = told.get(keys.JOB_ID)
        parent = ids.span_id("job", str(job)) if job else ids.span_id("room", room)
        span.parent_span_id = parent.to_bytes(8)


def _own(span: Span, room: str, told: Mapping[str, Fact | None]) -> Iterator[Moment]:
    """A span that ``tracer.instrument`` made for one moment."""
    subject, at = told.get(keys.SUBJECT), span.start_time_unix_nano
    if span.name not in set(Kind) or not isinstance(subject, str) or not subject or not 0 < at <= LATEST_TIME:
        return
    known = {key: value for key, value in told.items() if key not in _OWN_FRAME}
    earliest, latest = as_time(told.get(keys.EARLIEST)) or at, as_time(told.get(keys.LATEST)) or at
    if earliest <= at <= latest:
        clock = "server" if told.get(keys.CLOCK) == "server" else "agent"
        occurrence = str(told.get(keys.OCCURRENCE, ""))
        if clock != "server":  # what another process rounded when it told the same must fit in
            earliest, latest = max(earliest - ROUNDING, 1), min(latest + ROUNDING, LATEST_TIME)
        kind = Kind(span.name)
        if kind is Kind.WORKER_CLOSED and known.get(keys.WORKER_ID) not in (None, subject):
            # So an older tracer reported a worker that was back under another id: it had lost its connection before.
            kind, earliest, occurrence = (
                Kind.WORKER_DISCONNECTED,
                max(at - LOST_WITHIN, 1),
                f"back as {known[keys.WORKER_ID]}",
            )
        yield Moment(room, kind, subject, earliest, latest, at, clock, WITNESS, occurrence, facts(known))
