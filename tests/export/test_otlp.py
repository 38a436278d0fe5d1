from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status

from tests.moments import ms
from tests.otlp import CONNECT, ROOT, TRACE, attributes, job, request
from tests.otlp_backend import spans_in
from tracer.export import otlp
from tracer.witness import agent

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


def full() -> ExportTraceServiceRequest:
    """A span with everything a native span can have."""
    made = request(job()[0])
    everything: dict[str, Any] = {
        "text": "ada \N{SNOWMAN}",
        "empty text": "",
        "whole": -(2**63),
        "true": True,
        "fraction": 0.1,
        "bytes": b"\xff\0",
        "list": ["a", 1, 2.5, True, b"\xff", None, [1, [2]], {"k": "v"}],
        "map": {"a": 1, "b": {"c": [1, 2]}, "d": None},
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
    span.flags, span.dropped_attributes_count = 0x100, 3
    return made


def test_a_native_span_goes_through_the_outbox_as_it_is() -> None:
    (outgoing,) = agent.arrival(full()).outgoing
    assert list(otlp.request([outgoing.body]).resource_spans) == [ResourceSpans.FromString(outgoing.body)]


def test_what_spans_share_stands_in_a_request_once() -> None:
    sent = [agent.arrival(request(*job(), service=service)) for service in ("one", "other", "one")]
    made = otlp.request(item.body for arrival in sent for item in arrival.outgoing)
    assert [len(group.scope_spans) for group in made.resource_spans] == [1, 1]
    assert [len(spans_in(group)) for group in made.resource_spans] == [2 * len(job()), len(job())]


@pytest.mark.parametrize(
    "change",
    [
        {"parent_span_id": b"longer than eight"},
        {"parent_span_id": b"short"},
        {"links": [Span.Link()]},
        {"links": [Span.Link(trace_id=TRACE * 2, span_id=ROOT * 2)]},
    ],
    ids=str,
)
def test_an_id_that_no_backend_accepts_is_left_out(change: dict[str, Any]) -> None:
    made = Span(trace_id=TRACE, span_id=CONNECT, name="GET /", start_time_unix_nano=ms(1), end_time_unix_nano=ms(2))
    good = Span.Link(trace_id=TRACE, span_id=ROOT)
    made.links.append(good)
    made.MergeFrom(Span(**change))
    (outgoing,) = agent.arrival(request(made, scope="someone")).outgoing
    ((sent,),) = map(spans_in, otlp.request([outgoing.body]).resource_spans)
    assert (sent.span_id, sent.parent_span_id, list(sent.links)) == (CONNECT, b"", [good])
