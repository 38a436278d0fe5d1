"""An OpenTelemetry backend of a user's: keeps what is exported to it, and answers as one does."""

from __future__ import annotations

import gzip
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["Backend", "backend"]

UNTIMELY = {"event_loop_blocked", "publish_audio_output", "wait_for_audio_track"}
"""Spans that differ with the machine's load: the agent deletes its room at once, which can cut them off."""


@dataclass
class Backend:
    """One user's, at an address on loopback."""

    address: str = ""
    spans: list[Span] = field(default_factory=list)

    def names(self) -> set[str]:
        return {span.name for span in self.spans}

    def shape(self) -> set[tuple[str, ...]]:
        """What there is, without ids and times: each span by its name, its attributes' keys and those above it.

        A parent that is not here is shown as such, and so is a span that came twice.
        """
        by_id = {span.span_id: span for span in self.spans}
        found: list[tuple[str, ...]] = []
        for span in self.spans:
            if span.name in UNTIMELY:
                continue
            path, above = [span.name], span
            while above.parent_span_id:
                if above.parent_span_id not in by_id:
                    path.append("missing")
                    break
                above = by_id[above.parent_span_id]
                path.append(above.name)
            keys = sorted(
                f"{one.key}={one.value.bool_value}" if one.key == "found none" else one.key for one in span.attributes
            )
            found.append((*path, f"{len({s.trace_id for s in (span, above)})} trace", *keys))
        return set(found)


@contextmanager
def backend() -> Iterator[Backend]:
    """A backend for as long as it is needed."""
    one = Backend()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if "gzip" in self.headers.get("Content-Encoding", ""):
                body = gzip.decompress(body)
            if self.path.endswith("/v1/traces"):
                request = ExportTraceServiceRequest.FromString(body)
                one.spans += [s for group in request.resource_spans for scope in group.scope_spans for s in scope.spans]
            self.answer()

        def do_GET(self) -> None:
            self.answer()

        def answer(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        one.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield one
        server.shutdown()
        thread.join()
