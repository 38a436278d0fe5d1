"""Spans as OTLP: how the outbox holds them, and the request that takes them to the backend."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, SpanFlags, Status
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

from tracer.store import Outgoing
from tracer.witness.outgoing import leave_out_wrong_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.export.spans import Span
    from tracer.moment import Fact

__all__ = ["as_json", "closed_with_job", "request", "to_otlp"]

_SCOPE = InstrumentationScope(name="livekit-tracer")
_IDS = ("traceId", "spanId", "parentSpanId")
_TRACE_ID_BYTES, _SPAN_ID_BYTES = 16, 8


def to_otlp(span: Span) -> Outgoing:
    """One of tracer's own spans, for the outbox."""
    trace_id, span_id = span.trace_id.to_bytes(_TRACE_ID_BYTES), span.span_id.to_bytes(_SPAN_ID_BYTES)
    made = ProtoSpan(
        trace_id=trace_id,
        span_id=span_id,
        parent_span_id=b"" if span.parent_id is None else span.parent_id.to_bytes(_SPAN_ID_BYTES),
        flags=SpanFlags.SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK,
        name=span.name,
        kind=ProtoSpan.SPAN_KIND_INTERNAL,
        start_time_unix_nano=span.start,
        end_time_unix_nano=span.end,
        attributes=_attributes(span.attributes),
        events=[
            ProtoSpan.Event(name=event.name, time_unix_nano=event.time, attributes=_attributes(event.attributes))
            for event in span.events
        ],
        status=Status(code=Status.STATUS_CODE_ERROR, message=span.error) if span.error else None,
    )
    alone = ResourceSpans(
        resource=Resource(attributes=_attributes([("service.name", span.service)])),
        scope_spans=[ScopeSpans(scope=_SCOPE, spans=[made])],
    )
    return Outgoing(trace_id, span_id, alone.SerializeToString())


def closed_with_job(open_span: Outgoing, job: Span) -> Outgoing:
    """A span that a lost job had begun, ended as an error when the job's own span ends."""
    resource_spans = ResourceSpans.FromString(open_span.body)
    span = resource_spans.scope_spans[0].spans[0]
    span.end_time_unix_nano = max(job.end, span.start_time_unix_nano + 1)
    span.status.code, span.status.message = Status.STATUS_CODE_ERROR, job.error or ""
    return Outgoing(open_span.trace_id, open_span.span_id, resource_spans.SerializeToString())


def request(bodies: Iterable[bytes]) -> ExportTraceServiceRequest:
    """Spans from the outbox, each a serialized ``ResourceSpans``; what they share stands in the request once."""
    made = ExportTraceServiceRequest()
    resources: dict[tuple[bytes, str], ResourceSpans] = {}
    scopes: dict[tuple[bytes, str, bytes, str], ScopeSpans] = {}
    for body in bodies:
        alone = ResourceSpans.FromString(body)
        (scope,) = alone.scope_spans
        of = (alone.resource.SerializeToString(), alone.schema_url)
        within = (*of, scope.scope.SerializeToString(), scope.schema_url)
        if of not in resources:
            resources[of] = made.resource_spans.add(resource=alone.resource, schema_url=alone.schema_url)
        if within not in scopes:
            scopes[within] = resources[of].scope_spans.add(scope=scope.scope, schema_url=scope.schema_url)
        leave_out_wrong_ids(scope.spans[0])
        scopes[within].spans.append(scope.spans[0])
    return made


def as_json(made: ExportTraceServiceRequest) -> dict[str, Any]:
    """A request as OTLP/JSON has it: ids in hexadecimal, where protobuf's JSON has base64, and enums as numbers.

    https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
    """
    told: dict[str, Any] = MessageToDict(made, use_integers_for_enums=True)
    for group in told.get("resourceSpans", ()):
        for scope in group.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                for holder in (span, *span.get("links", ())):
                    holder.update({key: b64decode(holder[key]).hex() for key in _IDS if key in holder})
    return told


def _attributes(facts: Iterable[tuple[str, Fact]]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(fact)) for key, fact in facts]


def _value(fact: Fact) -> AnyValue:
    match fact:
        case bool():
            return AnyValue(bool_value=fact)
        case int():
            return AnyValue(int_value=fact)
        case float():
            return AnyValue(double_value=fact)
        case _:
            return AnyValue(string_value=fact)
