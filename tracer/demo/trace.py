"""Where the trace of the demo's room goes with --jaeger: to a Jaeger with pages to look at it, or into a file."""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import ExitStack
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracer import ids
from tracer.errors import BinaryMissingError
from tracer.export.otlp import as_json
from tracer.local_servers import Jaeger, answers, find_jaeger_with_pages
from tracer.view.link import trace_link
from tracer.view.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["JaegerTrace", "TraceFile", "destination"]

UPLOAD = "open it with “Upload” on the search page of any Jaeger 2"


class JaegerTrace:
    """A Jaeger that shows the trace."""

    def __init__(self, jaeger: Jaeger) -> None:
        self.jaeger = jaeger
        self.endpoint = jaeger.otlp_endpoint

    def arrived(self, room: str) -> bool:
        """Whether the room's own span is there, which comes when the room is over; by the room's SID."""
        whole = f'"spanID":"{_whole(room)}"'.encode()
        return answers(self.jaeger.query_port, f"/api/traces/{ids.trace_id(room):032x}", lambda body: whole in body)

    def link(self, trace_id: str) -> str:
        """How to look at it."""
        return f"in Jaeger: {trace_link(trace_id, self.jaeger.query_url)}"


class TraceFile:
    """Takes what a backend would get, OTLP over HTTP on loopback, and writes one trace of it."""

    def __init__(self) -> None:
        self._groups: list[dict[str, Any]] = []
        """``resourceSpans`` of OTLP/JSON."""
        taken = self._groups

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                taken.extend(as_json(ExportTraceServiceRequest.FromString(body)).get("resourceSpans", []))
                self.send_response(HTTPStatus.OK)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def arrived(self, room: str) -> bool:
        """Whether the room's own span is there, which comes when the room is over; by the room's SID."""
        whole = _whole(room)
        return any(span["spanId"] == whole for group in list(self._groups) for span in _spans(group))

    def write(self, trace_id: str, store: Path) -> str:
        """Write it beside the store, as OTLP in JSON, and say how to look at it."""
        path = store.with_name(f"{store.stem}-trace.json")
        path.touch(mode=0o600)
        path.write_text(json.dumps({"resourceSpans": self._of(trace_id)}), encoding="utf-8")
        return f"trace: {path}   {UPLOAD}"

    def _of(self, trace_id: str) -> list[dict[str, Any]]:
        return [group for group in list(self._groups) if any(span["traceId"] == trace_id for span in _spans(group))]


def destination(stack: ExitStack, folder: Path, say: Callable[[str], None]) -> JaegerTrace | TraceFile:
    """A Jaeger with pages where one is to be had without building it; a build would have none."""
    try:
        with progress() as pulling:
            program = find_jaeger_with_pages(pulling)
        with ExitStack() as starting:
            say(f"starting Jaeger, {program.how}")
            jaeger = starting.enter_context(Jaeger(program, folder))
            if not jaeger.has_pages():
                raise BinaryMissingError(f"{program.path} was built without its web pages")
            stack.enter_context(starting.pop_all())
            return JaegerTrace(jaeger)
    except BinaryMissingError as reason:
        say(f"{reason}. The trace will be written to a file instead.")
        return stack.enter_context(TraceFile())


def _whole(room: str) -> str:
    """The id of a room's own span, in hexadecimal."""
    return f"{ids.span_id('room', room):016x}"


def _spans(group: dict[str, Any]) -> list[dict[str, Any]]:
    return [span for scope in group.get("scopeSpans", ()) for span in scope.get("spans", ())]
