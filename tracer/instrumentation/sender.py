"""Sends spans to the receiver, and keeps a bounded number while it is away."""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tracer.answers.of_requests import BoundedSession
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.reported_span import ReportedSpan
from tracer.instrumentation.span_numbers import SpanNumber, SpanNumbers
from tracer.settings import HERE, address, ingest_token, where

if TYPE_CHECKING:
    from collections.abc import Sequence

    import requests
    from opentelemetry.sdk.trace import ReadableSpan

__all__ = ["Sender"]

log = logging.getLogger("tracer")

TIMEOUT_S = 5.0
"""One request to the receiver, its retries included."""
BACKLOG = 4096
"""Spans kept while the receiver is away; then the oldest are dropped."""
LARGEST_REQUEST = 8 * 1024 * 1024
"""Bytes of spans in one request: the receiver accepts twice as many, and would refuse more again and again."""


class Sender(SpanExporter):
    """OpenTelemetry's OTLP exporter with a backlog for a receiver that is away."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._session = _Session(endpoint)
        self._exporter = OTLPSpanExporter(
            endpoint=endpoint.rstrip("/") + "/v1/traces",
            timeout=TIMEOUT_S,
            compression=Compression.Gzip,
            session=self._session,
        )
        self._backlog: deque[_Kept] = deque(maxlen=BACKLOG)
        self._numbers = SpanNumbers()
        self._sending_thread: int | None = None
        self.answers = True
        """Whether the receiver accepted the last request."""
        logging.getLogger(OTLPSpanExporter.__module__).addFilter(self._is_not_ours)

    def _is_not_ours(self, record: logging.LogRecord) -> bool:
        """OpenTelemetry logs each try that fails; of this receiver, one line in all is enough."""
        return record.thread != self._sending_thread

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send these and what could not be sent before."""
        return guarded(self._export, spans) or SpanExportResult.FAILURE

    def _export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        # A span that began and ended in one batch is sent once. An end in the next batch may never be sent.
        ended = {span.span_id for span in spans if isinstance(span, ReportedSpan) and not span.is_start}
        for span in spans:
            if not (isinstance(span, ReportedSpan) and span.is_start and span.span_id in ended):
                guarded(self._append, span)
        while batch := self._oldest():
            self._sending_thread = threading.get_ident()
            try:
                result = self._exporter.export(self._with_numbers(batch))
            finally:
                self._sending_thread = None
            if result is not SpanExportResult.SUCCESS:
                if self.answers:
                    log.warning(
                        "tracer: cannot report to %s%s; the agent is not affected, and spans will be retried",
                        address(self._endpoint),
                        ", which asks for its TRACER_INGEST_TOKEN" if self._session.refused else "",
                    )
                self.answers = False
                return result
            for _ in batch:
                self._backlog.popleft()
            self.answers = True
        return SpanExportResult.SUCCESS

    def _append(self, span: ReadableSpan) -> None:
        """Put it at the end of the backlog; a span that cannot be encoded or sent holds up no other."""
        snapshot = span.snapshot() if isinstance(span, ReportedSpan) else span
        number = guarded(self._numbers.next, snapshot)
        size = encode_spans([snapshot]).ByteSize()
        if size <= LARGEST_REQUEST:
            self._backlog.append(_Kept(snapshot, size, number))

    def _oldest(self) -> list[_Kept]:
        """The oldest spans, as many as one request may hold."""
        size, batch = 0, []
        for kept in self._backlog:
            size += kept.size
            if size > LARGEST_REQUEST:
                break
            batch.append(kept)
        return batch

    def _with_numbers(self, batch: list[_Kept]) -> list[ReadableSpan]:
        """The spans of a request, and what it says of their numbers."""
        said = guarded(self._numbers.spans, [(kept.span, kept.number) for kept in batch])
        return [*(kept.span for kept in batch), *(said or ())]

    def shutdown(self) -> None:
        """Close the connection; nothing is sent any more."""
        guarded(self._exporter.shutdown)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A span that is to be sent."""

    span: ReadableSpan
    size: int
    """Bytes: what is more than one request may hold is sent in several."""
    number: SpanNumber | None
    """One that is dropped, or cannot be encoded, has had its number."""


class _Session(BoundedSession):
    """Sends nothing that is meant for the user's backend, such as the key in ``OTEL_EXPORTER_OTLP_HEADERS``."""

    allowed = ("content-type", "content-encoding", "user-agent", "accept-encoding")

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self.refused = False
        """Whether the receiver asked for another token than this one's."""
        self._token = ingest_token()
        self.trust_env = where(endpoint)[0] != HERE  # a proxy would take "localhost" for itself

    def send(self, request: requests.PreparedRequest, **how: Any) -> requests.Response:
        answer = super().send(request, **{**how, "allow_redirects": False})
        if HTTPStatus.MULTIPLE_CHOICES <= answer.status_code < HTTPStatus.BAD_REQUEST:  # OpenTelemetry's success
            answer.status_code = HTTPStatus.BAD_REQUEST
        self.refused = answer.status_code == HTTPStatus.UNAUTHORIZED
        return answer

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        request.headers = {name: value for name, value in request.headers.items() if name.lower() in self.allowed}
        if self._token:
            request.headers["authorization"] = f"Bearer {self._token}"
        return super().prepare_request(request)
