"""Whether Jaeger, or whatever OpenTelemetry backend there is, takes a span and gives it back."""

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

from tracer.doctor.diagnosis import Diagnosis, State
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
"""Seconds in which a span may come back: Jaeger's storages write in batches."""
LOOK_EVERY = 0.05


class BackendCheck:
    """Sends one real span by OpenTelemetry's exporter and asks Jaeger for its trace."""

    name = "backend"

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding."""
        backend, jaeger = visit.setup.backend, visit.setup.jaeger
        if backend is None:
            text = "not looked at: OTEL_EXPORTER_OTLP_ENDPOINT is not set, rooms become no traces"
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
            fix = "start Jaeger, or set OTEL_EXPORTER_OTLP_ENDPOINT to where it takes OTLP over HTTP"
            return [Diagnosis(self.name, State.FAILED, text, fix)]
        span = _span()
        begun = time.monotonic()
        refused = await asyncio.to_thread(_send, span)
        if refused is not None:
            text = f"{at} takes no spans{refused}"
            fix = "OTLP over HTTP has port 4318 as a rule; OTEL_EXPORTER_OTLP_HEADERS holds a backend's key"
            return [Diagnosis(self.name, State.FAILED, text, fix)]
        if jaeger is None:
            took = milliseconds((time.monotonic() - begun) * 1000)
            text = f"{at} took a span in {took}; set TRACER_JAEGER_URL to see whether Jaeger gives it back"
            return [Diagnosis(self.name, State.OK, text)]
        return [await self._read_back(visit, at, jaeger, span, begun)]

    async def _read_back(self, visit: Visit, at: str, jaeger: str, span: ReadableSpan, begun: float) -> Diagnosis:
        context = span.get_span_context()
        trace = f"{context.trace_id if context else 0:032x}"
        why = "it does not have it"
        while (elapsed := time.monotonic() - begun) < WAIT:
            try:
                async with visit.session.get(f"{jaeger.rstrip('/')}/api/traces/{trace}") as answer:
                    if answer.status == 200 and trace in await answer.text():
                        took = milliseconds((time.monotonic() - begun) * 1000)
                        text = f"a span sent to {at} came back from Jaeger at {address(jaeger)} in {took}"
                        return Diagnosis(self.name, State.OK, text)
                    why = f"it answers {answer.status}" if answer.status != 404 else "it does not have it"
            except UNREACHED as error:
                why = in_words(error, LIMIT)
            await asyncio.sleep(LOOK_EVERY)
        text = f"{at} took a span, and Jaeger at {address(jaeger)} gave none back within {elapsed:.0f} s: {why}"
        fix = "set TRACER_JAEGER_URL to the pages of the Jaeger that takes the spans, as http://127.0.0.1:16686"
        return Diagnosis(self.name, State.FAILED, text, fix)


def _span() -> ReadableSpan:
    # Made by hand, as those of rooms are: no sampler and no OTEL_SDK_DISABLED has a say in it.
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
    """Takes the status of the answer from what the exporter logs: it tells nobody else."""

    def __init__(self) -> None:
        super().__init__()
        self.said = ""

    def emit(self, record: logging.LogRecord) -> None:
        if code := re.search(r"code: (\d{3})", record.getMessage()):
            self.said = f": it answers {code[1]}"


def _send(span: ReadableSpan) -> str | None:
    """Why the backend did not take it, as the end of a sentence; None when it did."""
    log = logging.getLogger(OTLPSpanExporter.__module__)
    status = _Status()
    log.addHandler(status)
    log.propagate = False
    exporter = OTLPSpanExporter(timeout=SEND_LIMIT)
    try:
        taken = exporter.export([span]) is SpanExportResult.SUCCESS
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]
        log.removeHandler(status)
        log.propagate = True
    return None if taken else status.said
