"""Spans as OTLP, which is how the outbox holds them, and back to what OpenTelemetry's exporters accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Status
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, TraceState
from opentelemetry.trace import Status as SpanStatus

from tracer.store import Outgoing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

    from tracer.export.spans import Span

__all__ = ["closed_with_job", "from_otlp", "to_otlp"]

_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8

_KINDS = {kind.value + 1: kind for kind in SpanKind}
"""By OTLP's number; one that is not set, or not known yet, counts as INTERNAL."""
_STATUS_CODES = {Status.STATUS_CODE_ERROR: StatusCode.ERROR, Status.STATUS_CODE_OK: StatusCode.OK}


def to_otlp(span: Span) -> Outgoing:
    """One of tracer's own spans, for the outbox."""
    (resource_spans,) = encode_spans([_own(span)]).resource_spans
    return Outgoing(span.trace_id.to_bytes(16), span.span_id.to_bytes(8), resource_spans.SerializeToString())


def closed_with_job(open_span: Outgoing, job: Span) -> Outgoing:
    """A span that a lost job had begun, ended as an error when the job's own span ends."""
    resource_spans = ResourceSpans.FromString(open_span.body)
    span = resource_spans.scope_spans[0].spans[0]
    span.end_time_unix_nano = max(job.end, span.start_time_unix_nano + 1)
    span.status.code, span.status.message = Status.STATUS_CODE_ERROR, job.error or ""
    return Outgoing(open_span.trace_id, open_span.span_id, resource_spans.SerializeToString())


def from_otlp(body: bytes) -> ReadableSpan:
    """A span from the outbox. Whatever an agent sent becomes a span that OpenTelemetry can encode again."""
    resource_spans = ResourceSpans.FromString(body)
    scope = resource_spans.scope_spans[0]
    span = scope.spans[0]
    return ReadableSpan(
        span.name,
        context=_context(span.trace_id, span.span_id, span.trace_state),
        parent=_context(span.trace_id, span.parent_span_id) if len(span.parent_span_id) == _SPAN_ID_BYTES else None,
        resource=Resource(_attributes(resource_spans.resource.attributes), resource_spans.schema_url),
        attributes=_attributes(span.attributes),
        events=[Event(event.name, _attributes(event.attributes), event.time_unix_nano) for event in span.events],
        links=[
            Link(_context(link.trace_id, link.span_id, link.trace_state), _attributes(link.attributes))
            for link in span.links
            if (len(link.trace_id), len(link.span_id)) == (_TRACE_ID_BYTES, _SPAN_ID_BYTES)
        ],
        kind=_KINDS.get(span.kind, SpanKind.INTERNAL),
        status=_status(span),
        start_time=span.start_time_unix_nano,
        end_time=span.end_time_unix_nano,
        instrumentation_scope=InstrumentationScope(
            scope.scope.name, scope.scope.version, scope.schema_url, _attributes(scope.scope.attributes)
        ),
    )


def _own(span: Span) -> ReadableSpan:
    def context(span_id: int) -> SpanContext:
        return SpanContext(span.trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))

    return ReadableSpan(
        span.name,
        context=context(span.span_id),
        parent=None if span.parent_id is None else context(span.parent_id),
        resource=Resource({"service.name": span.service}),
        attributes=dict(span.attributes),
        events=[Event(event.name, dict(event.attributes), event.time) for event in span.events],
        kind=SpanKind.INTERNAL,
        status=SpanStatus(StatusCode.ERROR, span.error) if span.error else SpanStatus(StatusCode.UNSET),
        start_time=span.start,
        end_time=span.end,
        instrumentation_scope=InstrumentationScope("livekit-tracer"),
    )


def _context(trace_id: bytes, span_id: bytes, state: str = "") -> SpanContext:
    return SpanContext(
        int.from_bytes(trace_id),
        int.from_bytes(span_id),
        is_remote=False,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=TraceState.from_header([state]) if state else None,
    )


def _status(span: ProtoSpan) -> SpanStatus:
    code = _STATUS_CODES.get(span.status.code, StatusCode.UNSET)
    return SpanStatus(code, span.status.message if code is StatusCode.ERROR else None)


def _attributes(items: Iterable[KeyValue]) -> dict[str, Any]:
    return {item.key: _value(item.value) for item in items if item.value.WhichOneof("value")}


def _value(value: AnyValue) -> Any:
    """An attribute's value, as OpenTelemetry's encoder accepts it."""
    which = value.WhichOneof("value")
    if which == "array_value":
        return [_value(item) for item in value.array_value.values]
    if which == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    return getattr(value, which) if which else None
