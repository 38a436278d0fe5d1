"""Whether the OpenTelemetry backend accepts a span, and Jaeger returns it."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import CheckName, Diagnosis, State
from tracer.doctor.visit import LIMIT
from tracer.export.answer import Verdict
from tracer.export.backend import Backend
from tracer.export.otlp import to_otlp
from tracer.export.spans import Span
from tracer.reaching import UNREACHED, in_words
from tracer.settings import address, where
from tracer.units import milliseconds

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit
    from tracer.export.answer import Answer
    from tracer.store import Outgoing

__all__ = ["BackendCheck"]

SEND_LIMIT = 5.0
"""Seconds in which the backend must answer."""
WAIT = 4.0
"""Seconds in which Jaeger may return a span: its storages write in batches."""
POLL_EVERY = 0.05
"""Seconds between two polls."""


class BackendCheck:
    """Sends one real span as rooms are sent, and reads its trace back from Jaeger."""

    name = CheckName.BACKEND

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding."""
        backend, jaeger = visit.setup.backend, visit.setup.jaeger
        if backend is None:
            text = "not checked: OTEL_EXPORTER_OTLP_ENDPOINT is not set, so rooms are not exported as traces"
            fix = "for Jaeger, set it to http://127.0.0.1:4318 here and for `tracer serve`"
            return [Diagnosis(self.name, State.SKIPPED, text, fix)]
        at = backend.shown
        if where(backend.url) == where(visit.setup.receiver):
            text = f"spans go to {at}, which is `tracer serve` itself"
            return [Diagnosis(self.name, State.FAILED, text, "set OTEL_EXPORTER_OTLP_ENDPOINT to Jaeger's")]
        to = Backend(replace(backend, patience=SEND_LIMIT))
        span, begun = _span(), time.monotonic()
        try:
            answer = await to.send([span.body])
        finally:
            await to.close()
        if problem := _problem(answer, at):
            return [problem]
        if jaeger is None:
            took = milliseconds((time.monotonic() - begun) * 1000)
            text = f"{at} accepted a span in {took}; set TRACER_JAEGER_URL to check that Jaeger returns it"
            return [Diagnosis(self.name, State.OK, text)]
        return [await self._read_back(visit, at, jaeger, span, begun)]

    async def _read_back(self, visit: Visit, at: str, jaeger: str, span: Outgoing, begun: float) -> Diagnosis:
        trace = span.trace_id.hex()
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


def _span() -> Outgoing:
    # Made directly, as those of rooms are: no sampler and no OTEL_SDK_DISABLED applies to it.
    now = time.time_ns()
    return to_otlp(Span(secrets.randbits(128), secrets.randbits(64), None, "tracer-doctor", "doctor", now, now + 1, ()))


def _problem(answer: Answer, at: str) -> Diagnosis | None:
    """What the backend finds fault with; None when it accepted the span."""
    if answer.verdict is Verdict.ACCEPTED and not answer.rejected:
        return None
    if not answer.status:
        text = f"no OpenTelemetry backend at {at}: {answer.text}"
        fix = "start Jaeger, or set OTEL_EXPORTER_OTLP_ENDPOINT to where it accepts OTLP over HTTP"
    else:
        text = f"{at} accepts no spans: {'rejected: ' if answer.rejected else ''}{answer.text}"
        fix = "OTLP over HTTP is usually on port 4318; OTEL_EXPORTER_OTLP_HEADERS holds a backend's API key"
    return Diagnosis(CheckName.BACKEND, State.FAILED, text, fix)
