"""Whether the OpenTelemetry backend accepts a span, and Jaeger returns it."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from tracer.answers.of_requests import BoundedSession
from tracer.doctor.diagnosis import CheckName, Diagnosis, State
from tracer.doctor.reaching import UNREACHED, in_words
from tracer.doctor.visit import LIMIT
from tracer.settings import address, where
from tracer.units import milliseconds

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit

__all__ = ["BackendCheck"]

SEND_LIMIT = 2.0
"""Seconds for sending one span, OpenTelemetry's own retries included."""
WAIT = 4.0
"""Seconds in which Jaeger may return a span: its storages write in batches."""
POLL_EVERY = 0.05
"""Seconds between two polls."""


class BackendCheck:
    """Sends one real span with OpenTelemetry's exporter and reads its trace back from Jaeger."""

    name = CheckName.BACKEND

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding."""
        backend, jaeger = visit.setup.backend, visit.setup.jaeger
        if backend is None:
            text = "not checked: OTEL_EXPORTER_OTLP_ENDPOINT is not set, so rooms are not exported as traces"
            fix = "for Jaeger, set it to http://127.0.0.1:4318 here and for `tracer serve`"
            return [Diagnosis(self.name, State.SKIPPED, text, fix)]
        at = address(backend)
        if where(backend) == where(visit.setup.receiver):
            text = f"spans go to {at}, which is `tracer serve` itself"
            return [Diagnosis(self.name, State.FAILED, text, "set OTEL_EXPORTER_OTLP_ENDPOINT to Jaeger's")]
        try:
            async with visit.session.get(backend):  # any answer will do; the exporter's own error names no reason
                pass
        except UNREACHED as error:
            text = f"no OpenTelemetry backend at {at}: {in_words(error, LIMIT)}"
            fix = "start Jaeger, or set OTEL_EXPORTER_OTLP_ENDPOINT to where it accepts OTLP over HTTP"
            return [Diagnosis(self.name, State.FAILED, text, fix)]
        span = _span()
        begun = time.monotonic()
        refused = await asyncio.to_thread(_send, span)
        if refused is not None:
            text = f"{at} accepts no spans{refused}"
            fix = "OTLP over HTTP is usually on port 4318; OTEL_EXPORTER_OTLP_HEADERS holds a backend's API key"
            return [Diagnosis(self.name, State.FAILED, text, fix)]
        if jaeger is None:
            took = milliseconds((time.monotonic() - begun) * 1000)
            text = f"{at} accepted a span in {took}; set TRACER_JAEGER_URL to check that Jaeger returns it"
            return [Diagnosis(self.name, State.OK, text)]
        return [await self._read_back(visit, at, jaeger, span, begun)]

    async def _read_back(self, visit: Visit, at: str, jaeger: str, span: ReadableSpan, begun: float) -> Diagnosis:
        context = span.get_span_context()
        trace = f"{context.trace_id if context else 0:032x}"
        why = "trace not found"
        while (elapsed := time.monotonic() - begun) < WAIT:
            try:
                async with visit.session.get(f"{jaeger.rstrip('/')}/api/traces/{trace}") as answer:
                    if answer.status == 200 and trace in await answer.text():
                        took = milliseconds((time.monotonic() - begun) * 1000)
                        text = f"a span sent to {at} came back from Jaeger at {address(jaeger)} in {took}"
                        return Diagnosis(self.name, State.OK, text)
                    why = f"HTTP {answer.status}" if answer.status != 404 else "trace not found"
            except UNREACHED as error:
                why = in_words(error, LIMIT)
            await asyncio.sleep(POLL_EVERY)
        text = f"{at} accepted a span, but Jaeger at {address(jaeger)} did not return it within {elapsed:.0f} s: {why}"
        fix = "set TRACER_JAEGER_URL to the UI of the Jaeger that receives the spans, as http://127.0.0.1:16686"
        return Diagnosis(self.name, State.FAILED, text, fix)


def _span() -> ReadableSpan:
    # Built directly, as those of rooms are: no sampler and no OTEL_SDK_DISABLED applies to it.
    ids, now = RandomIdGenerator(), time.time_ns()
    context = SpanContext(ids.generate_trace_id(), ids.generate_span_id(), False, TraceFlags(TraceFlags.SAMPLED))
    return ReadableSpan(
        "doctor",
        context,
        resource=Resource({"service.name": "tracer-doctor"}),
        instrumentation_scope=InstrumentationScope("livekit-tracer"),
        start_time=now,
        end_time=now,
    )


class _Status(logging.Handler):
    """Reads the status of the answer from what the exporter logs: it reports it nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if code := re.search(r"code: (\d{3})", record.getMessage()):
            self.text = f": HTTP {code[1]}"


def _send(span: ReadableSpan) -> str | None:
    """Why the backend did not accept it, as the end of a sentence; None when it did."""
    log = logging.getLogger(OTLPSpanExporter.__module__)
    status = _Status()
    log.addHandler(status)
    log.propagate = False
    exporter = OTLPSpanExporter(timeout=SEND_LIMIT, session=BoundedSession())
    try:
        accepted = exporter.export([span]) is SpanExportResult.SUCCESS
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]
        log.removeHandler(status)
        log.propagate = True
    return None if accepted else status.text
