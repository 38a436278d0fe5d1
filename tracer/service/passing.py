"""Logs and metrics of agents: passed on to the OpenTelemetry backend as they came, and not kept.

An agent that exports everything to one endpoint sends them too. Whoever sent them gets the backend's answer, and what
cannot be passed on gets one that OpenTelemetry's exporters do not repeat: they retry after 429, 502, 503 and 504 only
(https://opentelemetry.io/docs/specs/otlp/#failures-1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

from tracer.answers.of_aiohttp import read_bounded
from tracer.export.target import Target
from tracer.reaching import UNREACHED, in_words

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SIGNALS", "Passing"]

SIGNALS = ("logs", "metrics")
"""What is passed on, as OpenTelemetry names it."""
AT_ONCE = 4
"""Requests that are on their way to the backend; each may be as large as a body may be."""
LIMIT = 5.0
"""Seconds for the backend's answer; an agent's exporter waits for 10."""
LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer: a longer one is passed back empty."""
SHOWN = 200
"""Characters of the backend's reason that are passed back."""
_AS_THEY_CAME = ("Content-Type", "Content-Encoding")
_ELSEWHERE = "set OTEL_{}_EXPORTER=none, or send them elsewhere with OTEL_EXPORTER_OTLP_{}_ENDPOINT"


class Passing:
    """Passes requests on. ``redact``: nothing, for what is personal in them is not known."""

    def __init__(self, *, redact: bool = False) -> None:
        self.redact = redact
        self.passed = 0
        """Requests that the backend accepted."""
        self._targets = {signal: Target.from_env(signal) for signal in SIGNALS}
        self._under_way = 0
        self._session: aiohttp.ClientSession | None = None

    def reason_not_to(self, signal: str) -> str | None:
        """Why requests of a signal are not passed on; None when they are."""
        fix = _ELSEWHERE.format(signal.upper(), signal.upper())
        if self._targets[signal] is None:
            return f"tracer takes spans, not {signal}, and has no OTEL_EXPORTER_OTLP_ENDPOINT to pass them on to: {fix}"
        if self.redact:
            return f"tracer serve --redact does not pass {signal} on, which may hold personal data: {fix}"
        return None

    async def on(self, signal: str, body: bytes, headers: Mapping[str, str]) -> web.Response:
        """Send it to the backend; returns what to answer. Only where there is no ``reason_not_to``."""
        target = self._targets[signal]
        assert target  # noqa: S101  else there was a reason
        if self._under_way >= AT_ONCE:
            return _later(f"too many {signal} are on their way to {target.shown}")
        self._under_way += 1
        try:
            return await self._send(signal, target, body, headers)
        except UNREACHED as error:
            return _later(f"{signal} cannot be passed on to {target.shown}: {in_words(error, LIMIT)}")
        finally:
            self._under_way -= 1

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()

    async def _send(self, signal: str, target: Target, body: bytes, headers: Mapping[str, str]) -> web.Response:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=LIMIT),
                auto_decompress=False,
                trust_env=True,
            )
        told = {name: headers[name] for name in _AS_THEY_CAME if name in headers} | dict(target.headers)
        # No Accept-Encoding: what is read of the answer is passed back as it is.
        told["Accept-Encoding"] = "identity"
        async with self._session.post(
            target.url, data=body, headers=told, ssl=target.tls, allow_redirects=False
        ) as answer:
            read = await read_bounded(answer.content, LARGEST_ANSWER) or b""
            if answer.status == 200:
                self.passed += 1
                return web.Response(body=read, content_type=answer.content_type)
            reason = read[:SHOWN].decode("utf-8", "replace").strip()
            text = f"{target.shown} answered HTTP {answer.status} to {signal}: {reason or answer.reason}\n"
            # A redirect would be followed without its headers, or not at all: it is no answer to pass back.
            status = answer.status if answer.status >= 400 else 404
            back = {"Retry-After": answer.headers["Retry-After"]} if "Retry-After" in answer.headers else None
            return web.Response(status=status, text=text, headers=back)


def _later(text: str) -> web.Response:
    return web.Response(status=503, text=f"{text}\n", headers={"Retry-After": "5"})
