"""A receiver in place of the network, and spans for it."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from tracer.moment import Kind
from tracer.witness import agent

if TYPE_CHECKING:
    import pytest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

ADDRESS = "http://127.0.0.1:7890"
MEGABYTE = 1_000_000


class Receiver:
    """The requests that were sent to it, and the status that it answers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.status = 200
        self.location = ""
        self.got: list[requests.PreparedRequest] = []
        self.proxies: list[object] = []

        def send(_: object, request: requests.PreparedRequest, **how: object) -> requests.Response:
            self.got.append(request)
            self.proxies.append(how.get("proxies"))
            answer = requests.Response()
            answer.status_code = self.status
            answer.raw = io.BytesIO()
            if self.location:
                answer.headers["location"] = self.location
            return answer

        monkeypatch.setattr(requests.Session, "send", send)


def spans(count: int, size: int = MEGABYTE) -> list[ReadableSpan]:
    spoken = TracerProvider(shutdown_on_exit=False).get_tracer("t")
    found: list[ReadableSpan] = []
    for _ in range(count):
        span = spoken.start_span("llm_node", attributes={"chat": "x" * size})
        span.end()
        assert isinstance(span, ReadableSpan)
        found.append(span)
    return found


def bodies(receiver: Receiver) -> list[ExportTraceServiceRequest]:
    return [ExportTraceServiceRequest.FromString(gzip.decompress(bytes(one.body or b""))) for one in receiver.got]  # type: ignore[arg-type]


def sent_to(receiver: Receiver) -> list[Span]:
    """What was sent, without what the requests say of their spans' numbers."""
    sent = [span for request in bodies(receiver) for span in agent.spans(request)]
    return [span for span in sent if span.name != Kind.JOB_SPANS_REPORTED]
