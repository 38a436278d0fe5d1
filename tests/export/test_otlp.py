from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from tests.moments import ms
from tests.otlp import CONNECT, TRACE, attributes, job, request
from tracer.export.otlp import from_otlp
from tracer.witness import agent

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def again(body: bytes) -> ResourceSpans:
    """What a backend gets of a span in the outbox."""
    return encode_spans([from_otlp(body)]).resource_spans[0]


def full() -> ExportTraceServiceRequest:
    """A span with everything a native span can have."""
    made = request(job()[0])
    everything: dict[str, Any] = {
        "text": "ada \N{SNOWMAN}",
        "empty text": "",
        "whole": -(2**63),
        "true": True,
        "false": False,
        "fraction": 0.1,
        "infinite": float("inf"),
        "bytes": b"\xff\0",
        "bytes that are text": b"text",
        "list": ["a", 1, 2.5, True, b"\xff", None, [1, [2]], {"k": "v"}],
        "empty list": [],
        "map": {"a": 1, "b": {"c": [1, 2]}, "d": None},
        "empty map": {},
    }
    (group,) = made.resource_spans
    (scope,) = group.scope_spans
    (span,) = scope.spans
    scope.schema_url = "https://opentelemetry.io/schemas/1.31.0"
    span.kind = Span.SPAN_KIND_CLIENT
    span.trace_state = "vendor=value,other=more"
    span.status.code, span.status.message = Status.STATUS_CODE_ERROR, "it failed"
    attributes(span.events.add(name="an event", time_unix_nano=ms(1)), everything)
    attributes(span.links.add(trace_id=TRACE, span_id=CONNECT, flags=0x100), everything)
    for holder in (span, group.resource, scope.scope):
        attributes(holder, everything)
    span.flags = 0x100
    return made


def without_nothing(what: ResourceSpans) -> ResourceSpans:
    """The same without values that are not set in a map: OpenTelemetry's API has no word for them."""

    def clean(items: Any) -> None:
        for item in items:
            if item.value.HasField("kvlist_value"):
                kept = [one for one in item.value.kvlist_value.values if one.value.WhichOneof("value")]
                del item.value.kvlist_value.values[:]
                item.value.kvlist_value.values.extend(kept)

    span = what.scope_spans[0].spans[0]
    holders: list[Any] = [what.resource, what.scope_spans[0].scope, span, *span.events, *span.links]
    for holder in holders:
        clean(holder.attributes)
    return what


def test_a_native_span_goes_through_the_outbox_without_loss() -> None:
    (outgoing,) = agent.arrival(full()).outgoing
    assert again(outgoing.body) == without_nothing(ResourceSpans.FromString(outgoing.body))


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5])
def test_every_kind_of_span_stays_what_it_is(kind: Span.SpanKind.ValueType) -> None:
    made = full().resource_spans[0]
    made.scope_spans[0].spans[0].kind = kind
    assert again(made.SerializeToString()).scope_spans[0].spans[0].kind == kind


@pytest.mark.parametrize("code", [Status.STATUS_CODE_UNSET, Status.STATUS_CODE_OK, Status.STATUS_CODE_ERROR])
def test_every_status_stays_what_it_is(code: Status.StatusCode.ValueType) -> None:
    made = full().resource_spans[0]
    made.scope_spans[0].spans[0].status.code = code
    made.scope_spans[0].spans[0].status.message = "why" if code == Status.STATUS_CODE_ERROR else ""
    assert again(made.SerializeToString()).scope_spans[0].spans[0].status == made.scope_spans[0].spans[0].status
