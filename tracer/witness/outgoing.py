"""An agent's spans on their way to the backend: each alone, in its room's trace, and redacted where that is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans

from tracer import ids, keys
from tracer.errors import TooLargeError
from tracer.store import Outgoing
from tracer.witness.redaction import redact
from tracer.witness.values import attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

    from tracer.moment import Fact

__all__ = [
    "ReceivedSpan",
    "alone",
    "in_room",
    "is_exported",
    "is_trace_id",
    "leave_out_wrong_ids",
    "move_to_room",
    "outgoing",
    "packed",
    "refuse_too_large",
]

LARGEST_OUTGOING = 64 * 1024 * 1024
"""Bytes that the spans of one request may take, each with its resource, which in the request they share."""
_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8


@dataclass(slots=True)  # not frozen: that takes three times as long, for each span
class ReceivedSpan:
    """A span as it stands in a request, with what stands around it in the request."""

    span: Span
    scope: ScopeSpans
    resource: ResourceSpans
    attributes: Mapping[str, Fact | None]
    """The span's own, decoded; None for a value that no fact can have."""
    host: Fact | None
    """``host.name`` of its resource."""
    room: str
    """SID of its room; empty when it belongs to none."""
    is_moment: bool
    """Whether ``tracer.instrument`` made it for one moment."""
    unplaced: str = ""
    """Its trace, as ``room_of_trace`` has it, where it names no room and is of an agent's own trace."""
    is_node: bool = False
    """Whether it was made by OpenTelemetry for Node."""

    @property
    def open_job(self) -> str:
        """Id of its job while the span has not ended; empty when it has, and when it names no job."""
        job = self.attributes.get(keys.JOB_ID)
        return job if self.room and isinstance(job, str) and not self.span.end_time_unix_nano else ""


def refuse_too_large(request: ExportTraceServiceRequest, size: int) -> None:
    """Raises TooLargeError when the spans of a request of this size, bytes, would take too much as they are sent."""
    if size * size <= 8 * LARGEST_OUTGOING:  # a quarter of it spans of two bytes, half of it what they share
        return
    for group in request.resource_spans:
        shared = group.resource.ByteSize()
        size += sum(len(scope.spans) * (shared + scope.scope.ByteSize()) for scope in group.scope_spans)
    if size > LARGEST_OUTGOING:
        raise TooLargeError(f"spans take more than {LARGEST_OUTGOING} bytes, each with its resource")


def outgoing(received: Iterable[ReceivedSpan], *, redacted: bool) -> Iterator[Outgoing]:
    """The spans that are exported, in order. The request stays as it is."""
    return (packed(one, redacted=redacted) for one in received if is_exported(one))


def is_exported(one: ReceivedSpan) -> bool:
    """Not what is a moment only, nor an open span that no job would close, nor one whose ids no backend accepts."""
    has_end = one.span.end_time_unix_nano or one.open_job
    has_trace_id = one.room or is_trace_id(one.span.trace_id)  # a room's span gets the room's
    return bool(not one.is_moment and has_end and has_trace_id and _is_id(one.span.span_id, _SPAN_ID_BYTES))


def is_trace_id(value: bytes) -> bool:
    """Whether this can be a trace's id: OpenTelemetry accepts none of another length, nor one of zeros."""
    return _is_id(value, _TRACE_ID_BYTES)


def _is_id(value: bytes, length: int) -> bool:
    return len(value) == length and value != bytes(length)


def alone(span: Span, scope: ScopeSpans, resource: ResourceSpans) -> ResourceSpans:
    """A copy of the span, alone in its scope and resource."""
    made = ResourceSpans(resource=resource.resource, schema_url=resource.schema_url)
    made.scope_spans.add(scope=scope.scope, schema_url=scope.schema_url).spans.append(span)
    return made


def packed(one: ReceivedSpan, *, redacted: bool) -> Outgoing:
    """A copy of the span, alone, as it is exported."""
    made = alone(one.span, one.scope, one.resource)
    span = made.scope_spans[0].spans[0]
    if one.room:
        move_to_room(span, one.room, one.attributes)
    if redacted:
        redact(span)
    return Outgoing(span.trace_id, span.span_id, made.SerializeToString(), one.open_job, one.unplaced)


def in_room(body: bytes, room: str) -> Outgoing:
    """A span that named no room, from the outbox, in the trace of the room that its own trace turned out to be of."""
    made = ResourceSpans.FromString(body)
    span = made.scope_spans[0].spans[0]
    move_to_room(span, room, attributes_of(span.attributes))
    return Outgoing(span.trace_id, span.span_id, made.SerializeToString())


def move_to_room(span: Span, room: str, attributes: Mapping[str, Fact | None]) -> None:
    """Put a span into its room's trace; the root of a job's own trace becomes a child of the job."""
    span.trace_id = ids.trace_id(room).to_bytes(_TRACE_ID_BYTES)
    if not span.parent_span_id:
        job = attributes.get(keys.JOB_ID)
        parent = ids.span_id("job", str(job)) if job else ids.span_id("room", room)
        span.parent_span_id = parent.to_bytes(_SPAN_ID_BYTES)


def leave_out_wrong_ids(span: Span) -> None:
    """For an id of a wrong length a backend refuses the whole request; the span's own were looked at when it came."""
    if span.parent_span_id and len(span.parent_span_id) != _SPAN_ID_BYTES:
        span.ClearField("parent_span_id")
    if not span.links:
        return
    good = [link for link in span.links if (len(link.trace_id), len(link.span_id)) == (_TRACE_ID_BYTES, _SPAN_ID_BYTES)]
    if len(good) < len(span.links):
        del span.links[:]
        span.links.extend(good)
