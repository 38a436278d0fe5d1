"""Sends what waits in the store's outbox to an OpenTelemetry backend, by OpenTelemetry's own OTLP exporter."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.export import SpanExportResult

from tracer.export.otlp import from_otlp

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from tracer.store import Writer

__all__ = ["Outbox"]

log = logging.getLogger("tracer")

BATCH = 512
"""Spans in one request."""
LARGEST_BATCH = 4 * 1024 * 1024
"""Bytes of spans in one request, unless it is one span: the collector refuses 20 MiB, and so slowly that it looks as if
it were away."""
REFUSED_WITHIN = 0.5
"""Seconds in which a backend refuses; OpenTelemetry's exporter tries longer where none answers."""
FEW = 3
"""Spans refused in a row that show a backend which accepts none."""


class Outbox:
    """Empties the outbox into the backend, each span once."""

    def __init__(self, store: Writer, exporter: SpanExporter) -> None:
        self.store = store
        self.exporter = exporter
        self.sent = 0
        """Spans that the backend accepted since the start."""
        self.failed = 0
        """Times that it accepted nothing."""
        self._sending = threading.Lock()

    def send(self) -> bool:
        """Send all that waits; False as soon as the backend does not accept it."""
        with self._sending:  # at the end of the process, the last try waits for the one that is under way
            while batch := _within_limit(self.store.unsent(BATCH)):
                begun = time.monotonic()
                if self._export(batch):
                    continue
                # A backend that is away is noticed after some tries; one that answers at once refuses a span.
                if time.monotonic() - begun > REFUSED_WITHIN or not self._send_one_by_one(batch):
                    self.failed += 1
                    return False
            return True

    def _export(self, batch: list[tuple[int, bytes]]) -> bool:
        if self.exporter.export([from_otlp(body) for _, body in batch]) is not SpanExportResult.SUCCESS:
            return False
        self.store.sent(number for number, _ in batch)
        self.sent += len(batch)
        return True

    def _send_one_by_one(self, batch: list[tuple[int, bytes]]) -> bool:
        """Find the spans that the backend refuses and drop them; False when it accepts none of the first few."""
        refused: list[tuple[int, bytes]] = []
        for tried, item in enumerate(batch, 1):
            if not self._export([item]):
                refused.append(item)
            if len(refused) == tried and tried in (FEW, len(batch)):
                return False
        for number, body in refused:
            log.error("the backend refuses span %r: the span is dropped", from_otlp(body).name)
            self.store.sent([number])
        return True


def _within_limit(batch: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """The first of these, as many as one request may hold."""
    size = 0
    for count, (_, body) in enumerate(batch):
        size += len(body)
        if count and size > LARGEST_BATCH:
            return batch[:count]
    return batch
