"""The HTTP server: LiveKit's webhooks and agents' spans in, moments to the write queue."""

from __future__ import annotations

import asyncio
import errno
import logging
import time
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from aiohttp import web

from tracer.errors import BadSignatureError, MalformedError, PortInUseError, StoreError, TooLargeError, TracerError
from tracer.service.write_queue import WriteQueue
from tracer.store import Arrival
from tracer.witness import agent, webhook

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tracer.export.exporter import Exporter
    from tracer.service.recording import Recorder
    from tracer.settings import LiveKit
    from tracer.store import Writer

__all__ = ["Receiver"]

log = logging.getLogger("tracer")

LARGE = 64 * 1024
"""Bytes of a request above which it is decoded in a thread."""
LARGEST_BODY = 16 * 1024 * 1024
"""Bytes of a request, unpacked: a webhook has a few thousand, an OTLP batch of 512 spans under a million."""


@dataclass(slots=True)
class Counts:
    """Counters of `/metrics`, since the start."""

    webhooks: int = 0
    webhooks_repeated: int = 0
    webhooks_ignored: int = 0
    webhooks_refused: int = 0
    otlp_requests: int = 0
    otlp_spans: int = 0
    malformed: int = 0
    too_large: int = 0


class Receiver:
    """Accepts webhooks and spans, and answers 200 only when they are on disk."""

    def __init__(
        self,
        store: Writer,
        server: LiveKit,
        *,
        exporter: Exporter | None = None,
        redact: bool = False,
        recorder: Recorder | None = None,
        wanted: Callable[[str], bool] = lambda _: True,
        on_room: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.store = store
        self.server = server
        self.exporter = exporter
        self.redact = redact
        self.recorder = recorder
        self._wanted = wanted
        self.counts = Counts()
        self._on_room = on_room
        self._queue = WriteQueue(store, redact=redact)
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None

    @property
    def app(self) -> web.Application:
        """The four routes."""
        app = web.Application(client_max_size=LARGEST_BODY, middlewares=[self._answer_errors])
        app.router.add_post("/webhook", self._webhook)
        app.router.add_post("/v1/traces", self._traces)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._metrics)
        return app

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chose when it was 0. Raises PortInUseError, TracerError."""
        self._runner = web.AppRunner(
            self.app, access_log=None, handle_signals=False, shutdown_timeout=5, auto_decompress=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(host, port) from None
            raise TracerError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
        self._tasks.append(asyncio.create_task(self._queue.run(), name="write"))
        if self.exporter:
            self._tasks.append(asyncio.create_task(self.exporter.run(), name="export"))
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop accepting, finish what was accepted, export what is ready."""
        if self._runner:
            await self._runner.cleanup()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.exporter:
            await self.exporter.finish()

    async def keep(self, arrival: Arrival) -> bool:
        """Wait until this is on disk; False when it was stored before. Raises StoreError when it cannot be stored."""
        return await self._queue.keep(arrival)

    async def keep_observed(self, arrival: Arrival) -> bool:
        """As ``keep``, for the observer beside this receiver."""
        if self.recorder:
            self.recorder.moments(arrival.moments)
        return await self.keep(arrival)

    @web.middleware
    async def _answer_errors(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPRequestEntityTooLarge:
            self.counts.too_large += 1
            return web.Response(status=413, text=f"body larger than {LARGEST_BODY} bytes\n")
        except TooLargeError as error:
            self.counts.too_large += 1
            return web.Response(status=413, text=f"{error}\n")
        except BadSignatureError as error:
            self.counts.webhooks_refused += 1
            log.warning("webhook refused: %s", error)
            return web.Response(status=401, text=f"{error}\n")
        except MalformedError as error:
            self.counts.malformed += 1
            return web.Response(status=400, text=f"{error}\n")
        except StoreError as error:
            return web.Response(status=503, text=f"{error}\n", headers={"Retry-After": "1"})

    async def _body(self, request: web.Request) -> bytes:
        """The body, unpacked. Never more than LARGEST_BODY of it is in memory."""
        try:
            body = await request.read()
        except web.RequestPayloadError as error:
            raise MalformedError(f"cannot read the body: {error}") from None
        return _decompress(body, request.headers.get("Content-Encoding", ""))

    async def _webhook(self, request: web.Request) -> web.Response:
        arrival = time.time_ns()
        body = await self._body(request)
        event = webhook.read(body, request.headers.get("Authorization", ""), self.server)
        self.counts.webhooks += 1
        moments = tuple(webhook.moments(event, arrival)) if self._wanted(event.room.name) else ()
        if not moments:
            self.counts.webhooks_ignored += 1
            return web.Response()
        self._on_room(event.room.sid)  # before it is on disk, which takes longer than a JOINED can last
        if not await self.keep(Arrival(moments, event_id=event.id)):
            self.counts.webhooks_repeated += 1
        elif self.recorder:
            self.recorder.webhook(body, arrival)
        return web.Response()

    async def _traces(self, request: web.Request) -> web.Response:
        body, kind = await self._body(request), request.content_type
        # A large one takes a second to decode, for which everyone else would wait.
        arrival, spans = (
            await asyncio.to_thread(self._decode, body, kind) if len(body) > LARGE else self._decode(body, kind)
        )
        self.counts.otlp_requests += 1
        self.counts.otlp_spans += spans
        await self.keep(arrival)
        if self.recorder:
            self.recorder.traces(body, kind)
        if kind == "application/json":
            return web.json_response({})
        return web.Response(content_type="application/x-protobuf")

    def _decode(self, body: bytes, kind: str) -> tuple[Arrival, int]:
        """What an OTLP request brought, and how many spans it had."""
        request = agent.read(body, kind)
        arrival = agent.arrival(request, redact=self.redact)
        spans = sum(len(scope.spans) for group in request.resource_spans for scope in group.scope_spans)
        return (arrival if self.exporter else replace(arrival, outgoing=())), spans

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _metrics(self, _: web.Request) -> web.Response:
        lines = []
        for name in Counts.__slots__:
            lines += [f"# TYPE tracer_{name}_total counter", f"tracer_{name}_total {getattr(self.counts, name)}"]
        lines += ["# TYPE tracer_moments_total counter", f"tracer_moments_total {self._queue.moments}"]
        if self.exporter:
            lines += [
                "# TYPE tracer_spans_exported_total counter",
                f"tracer_spans_exported_total {self.exporter.outbox.sent}",
                "# TYPE tracer_spans_refused_total counter",
                f"tracer_spans_refused_total {self.exporter.outbox.refused}",
                "# TYPE tracer_outbox gauge",
                f"tracer_outbox {await asyncio.to_thread(self.store.count_unsent)}",
            ]
        return web.Response(text="\n".join(lines) + "\n")


def _decompress(body: bytes, encoding: str) -> bytes:
    """A body without its Content-Encoding.

    Not aiohttp's own decompression: that continues to the end of what it has refused, and a megabyte can hold a
    gigabyte.
    """
    if encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() not in ("gzip", "deflate"):
        raise MalformedError(f"Content-Encoding {encoding!r} is not supported: use gzip or deflate")
    unpacker = zlib.decompressobj(wbits=47)  # accepts either by its header
    try:
        unpacked = unpacker.decompress(body, LARGEST_BODY + 1)
    except zlib.error as error:
        raise MalformedError(f"cannot decompress the body: {error}") from None
    if len(unpacked) > LARGEST_BODY:
        raise web.HTTPRequestEntityTooLarge(LARGEST_BODY)
    if not unpacker.eof or unpacker.unused_data:
        raise MalformedError("cannot decompress the body: it is cut off, or something follows it")
    return unpacked
