"""An OTLP/HTTP backend that answers as a test wants, on a port of its own."""

from __future__ import annotations

import asyncio
import gzip
import threading
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.receiving import LIMIT
from tracer.export.backend import Backend
from tracer.export.exporter import Exporter
from tracer.export.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Self

    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

    from tracer.export.answer import Answer
    from tracer.store import Writer

PROTOBUF = {"Content-Type": "application/x-protobuf"}
_UNPACK: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "deflate": zlib.decompress}


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int = 200
    body: bytes | Iterable[bytes] = b""
    """Several parts are sent without saying how many will come."""
    headers: Mapping[str, str] = field(default_factory=lambda: PROTOBUF)
    after: float = 0.0
    """Seconds before the answer."""
    hangs_up: bool = False
    """The connection is closed instead."""


ACCEPTED = Reply()
Spans = list["Span"]


class OtlpBackend:
    """A real HTTP server. ``answer`` says what it replies to a request's spans."""

    def __init__(self, answer: Callable[[Spans], Reply] = lambda _: ACCEPTED, port: int = 0) -> None:
        self.answer = answer
        self.requests: list[ExportTraceServiceRequest] = []
        """Every request in order, those that were refused too."""
        self.headers: list[Mapping[str, str]] = []
        """Their headers."""
        self.connections = 0
        self.got: Spans = []
        """Spans in requests that it accepted, in order."""
        self.stopped = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.port = self._server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def target(self, **how: Any) -> Target:
        return Target(f"{self.endpoint}/v1/traces", self.endpoint, **how)

    def backend(self, **how: Any) -> Backend:
        return Backend(self.target(**how))

    def exporter(self, store: Writer, **how: Any) -> Exporter:
        return Exporter(store, self.backend(**how))

    @property
    def groups(self) -> list[ResourceSpans]:
        """Resources in all requests, in order."""
        return [group for sent in self.requests for group in sent.resource_spans]

    def copies(self) -> int:
        """The most often that one span came, accepted or not."""
        ids = [span.span_id for sent in self.requests for span in spans_of(sent)]
        return max(map(ids.count, ids), default=0)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        backend = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                backend.connections += 1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                unpack = _UNPACK.get(self.headers.get("Content-Encoding", ""))
                sent = ExportTraceServiceRequest.FromString(unpack(body) if unpack else body)
                backend.requests.append(sent)
                backend.headers.append(dict(self.headers))
                reply = backend.answer(spans_of(sent))
                backend.stopped.wait(reply.after)
                if reply.status == 200 and not reply.hangs_up:
                    backend.got += spans_of(sent)
                if reply.hangs_up:
                    self.close_connection = True
                    return
                try:
                    self._answer(reply)
                except OSError:  # whoever asked no longer listens
                    self.close_connection = True

            def _answer(self, reply: Reply) -> None:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                whole = isinstance(reply.body, bytes)
                if isinstance(reply.body, bytes):
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                for part in [reply.body] if isinstance(reply.body, bytes) else reply.body:
                    if backend.stopped.is_set():
                        break
                    self.wfile.write(part)
                self.close_connection = not whole

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def spans_of(sent: ExportTraceServiceRequest) -> Spans:
    return [span for group in sent.resource_spans for span in spans_in(group)]


def spans_in(group: ResourceSpans) -> Spans:
    return [span for scope in group.scope_spans for span in scope.spans]


def facts_of(attributes: Iterable[KeyValue]) -> dict[str, str | int | float | bool]:
    def value(of: AnyValue) -> Any:
        which = of.WhichOneof("value")
        return getattr(of, which) if which else None

    return {item.key: value(item.value) for item in attributes}


def send(exporter: Exporter) -> Answer | None:
    """Send what is in the outbox."""

    async def main() -> Answer | None:
        try:
            async with asyncio.timeout(3 * LIMIT):
                return await exporter.outbox.send()
        finally:
            await exporter.outbox.backend.close()

    return asyncio.run(main())
