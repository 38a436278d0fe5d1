"""The HTTP server: LiveKit's webhooks and agents' spans in, moments to the write queue."""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from tracer.errors import (
    BadSignatureError,
    BadTokenError,
    ForbiddenError,
    MalformedError,
    OverloadedError,
    PortInUseError,
    StoreError,
    TooLargeError,
    TracerError,
    UnsupportedError,
)
from tracer.service import bodies
from tracer.service.answer import Answer, Route, Taken
from tracer.service.background import in_background
from tracer.service.bodies import LARGE, LARGEST_BODY, LARGEST_WEBHOOK, Bodies, decompressed
from tracer.service.connections import KEEPALIVE, Connections
from tracer.service.metrics import Metrics
from tracer.service.not_http import ServerLog
from tracer.service.passing import Passing
from tracer.service.quick import Heads, Quick
from tracer.service.seldom import Seldom
from tracer.service.senders import refuse_strangers, refuse_web_pages
from tracer.service.write_queue import WriteQueue, stored_already
from tracer.store import Arrival
from tracer.witness import agent, evidence, webhook
from tracer.witness.outgoing import refuse_too_large
from tracer.witness.webhook_token import signed_digest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from livekit.protocol.webhook import WebhookEvent
    from prometheus_client import Metric

    from tracer.export.exporter import Exporter
    from tracer.service.announcer import Announcer
    from tracer.service.answer import Take
    from tracer.service.page import Page
    from tracer.service.recording import Recorder
    from tracer.service.senders import Asked
    from tracer.settings import LiveKit
    from tracer.store import Evidence, Writer

__all__ = ["Receiver"]

log = logging.getLogger("tracer")

JSON = "application/json"
OTLP = ("application/x-protobuf", JSON)
"""Content types of OTLP over HTTP."""
_STORED = {kind: Answer(text="{}" if kind == JSON else "", content_type=kind) for kind in OTLP}
"""The answer to spans that are on disk: an empty message of their encoding."""
DECODED_AT_ONCE = 2
"""Large bodies that are decoded at one time: each takes a thread and, unpacked, ten times its size."""
LINGERING = 1.0
"""Seconds in which a client that was refused may still send its body, which is not kept."""
STOPS_WITHIN = 1.0
"""Seconds that requests under way may take when the receiver stops; with the last export it has stopped within 5:
Docker kills after 10."""


@dataclass(slots=True)
class Counts:
    """Counters of `/metrics`, since the start."""

    webhooks: int = 0
    webhooks_repeated: int = 0
    webhooks_ignored: int = 0
    webhooks_refused: int = 0
    unknown: int = 0
    """Events, fields and values in webhooks that this version does not know."""
    otlp_requests: int = 0
    otlp_spans: int = 0
    malformed: int = 0
    too_large: int = 0


_MEANS = {
    "webhooks": "Webhooks that are signed.",
    "webhooks_repeated": "Webhooks that came again: LiveKit sends one again that it takes for lost.",
    "webhooks_ignored": "Webhooks of rooms that are not stored, and of no room.",
    "webhooks_refused": "Webhooks that are not signed with the key pair of this receiver.",
    "unknown": "Events, fields and values in webhooks that this version does not know.",
    "otlp_requests": "Requests with agents' spans.",
    "otlp_spans": "Spans in them.",
    "malformed": "Requests that could not be read.",
    "too_large": "Requests that were too large.",
}


class Receiver:
    """Accepts webhooks and spans, and answers 200 only when they are on disk."""

    def __init__(
        self,
        store: Writer,
        server: LiveKit,
        *,
        announcer: Announcer | None = None,
        exporter: Exporter | None = None,
        redact: bool = False,
        ingest_token: str = "",
        recorder: Recorder | None = None,
        page: Page | None = None,
        metrics: Metrics | None = None,
        wanted: Callable[[str], bool] = lambda _: True,
        on_event: Callable[[WebhookEvent], None] | None = None,
    ) -> None:
        self.store = store
        self.server = server
        self.announcer = announcer
        self.exporter = exporter
        self.redact = redact
        self._ingest_token = ingest_token
        self.recorder = recorder
        self.page = page
        self.metrics = metrics or Metrics()
        self.metrics.add(self)
        self._wanted = wanted
        self.counts = Counts()
        self._on_event = on_event
        self._refusals = Seldom()
        self._passing = Passing(redact=redact)
        self._queue = WriteQueue(
            store,
            redact=redact,
            on_read=self._was_read,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None
        self._server: asyncio.Server | None = None
        self._host = ""
        self._connections: Connections | None = None
        self._bodies = Bodies()
        self._decoding = asyncio.Semaphore(DECODED_AT_ONCE)

    @property
    def routes(self) -> dict[str, Route]:
        """The addresses that get many requests."""
        return {
            "/webhook": Route(self._admit_webhook, LARGEST_WEBHOOK),
            "/v1/traces": Route(self._admit_traces, LARGEST_BODY, always=True),
        }

    @property
    def app(self) -> web.Application:
        """All addresses."""
        app = web.Application(middlewares=[self._answer_errors])
        for path, route in self.routes.items():
            app.router.add_post(path, partial(self._take, route))
        app.router.add_post("/v1/{signal:logs|metrics}", self._others)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._metrics)
        if self.page:
            self.page.add_to(app)
        return app

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which the system chose when it was 0. Raises PortInUseError, TracerError."""
        self._runner = web.AppRunner(
            self.app,
            access_log=None,
            logger=ServerLog(self._refusals),
            handle_signals=False,
            shutdown_timeout=STOPS_WITHIN,
            auto_decompress=False,
            keepalive_timeout=KEEPALIVE,
            lingering_time=LINGERING,
        )
        await self._runner.setup()
        assert self._runner.server  # noqa: S101  it is set up
        self._host = host
        self._connections = Connections(self._runner.server, partial(Quick, Heads(self.routes), self._answer_to))
        if self.page:
            self.page.host = host
        try:
            self._server = await asyncio.get_running_loop().create_server(self._connections.accept, host, port)
        except OSError as error:
            await self._runner.cleanup()
            if error.errno == errno.EADDRINUSE:
                raise PortInUseError(host, port) from None
            raise TracerError(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
        self._tasks.append(in_background(self._queue.run(), "store what comes in"))
        self._tasks.append(in_background(self._connections.run(), "close idle connections"))
        if self.exporter:
            self._tasks.append(in_background(self.exporter.run(), "export"))
        if self.page:
            self._tasks.append(in_background(self.page.run(), "tell the page of changes"))
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop accepting, finish what was accepted, export what is ready."""
        if self._server:
            self._server.close()
        if self.page:
            await self.page.stop()  # before those who listen are waited for
        if self._runner and self._connections:
            await asyncio.gather(self._connections.close(STOPS_WITHIN), self._runner.cleanup())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._passing.close()
        if self.exporter:
            await self.exporter.finish()

    def keep(self, arrival: Arrival) -> asyncio.Future[bool]:
        """Done when this is on disk; False when it was stored before. Raises StoreError when it cannot be stored."""
        return self._queue.keep(arrival)

    async def keep_observed(self, arrival: Arrival) -> bool:
        """As ``keep``, for the observer beside this receiver."""
        if self.recorder:
            self.recorder.moments(arrival.moments)
        return await self.keep(arrival)

    @web.middleware
    async def _answer_errors(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        assert self._connections  # noqa: S101  there is a request
        self._connections.busy(request.protocol)
        try:
            return await handler(request)
        except Exception as error:
            answer = self._answer_to(error)
            if answer is None:
                raise
            return answer.of_aiohttp()
        finally:
            self._connections.idle(request.protocol)

    def _answer_to(self, error: BaseException) -> Answer | None:
        """The answer to a request that cannot be taken; None where that is a fault of tracer's own."""
        headers: tuple[tuple[str, str], ...] = ()
        match error:
            case TimeoutError():
                self.counts.malformed += 1
                return Answer(408, f"no whole body within {bodies.WITHIN:g} s\n")
            case ForbiddenError():
                self._refusals.warn(f"request refused: {error}")
                status = 403
            case UnsupportedError():
                status = 415
            case TooLargeError():
                self.counts.too_large += 1
                status = 413
            case BadSignatureError():
                self.counts.webhooks_refused += 1
                self._refusals.warn(f"webhook refused: {error}")
                status = 401
            case BadTokenError():
                self._refusals.warn(f"request refused: {error}")
                status, headers = 401, (("WWW-Authenticate", "Bearer"),)
            case MalformedError():
                self.counts.malformed += 1
                status = 400
            case StoreError() | OverloadedError():
                status, headers = 503, (("Retry-After", "1"),)
            case _:
                return None
        return Answer(status, f"{error}\n", headers=headers)

    async def _take(self, route: Route, request: web.Request) -> web.Response:
        take, at = route.admit(request), time.time_ns()
        with self._bodies.hold(request.content_length or route.largest):
            body = await self._bodies.read(request, route.largest)
        taken = take(body, at)
        await taken.kept
        return taken.answer.of_aiohttp()

    def _admit_webhook(self, request: Asked) -> Take:
        digest = signed_digest(request.headers.get("Authorization", ""), self.server)
        return partial(self._webhook, digest, request.headers.get("Content-Encoding", ""))

    def _webhook(self, digest: bytes, encoding: str, packed: bytes, arrival: int) -> Taken:
        body = decompressed(packed, encoding, LARGEST_WEBHOOK)
        told = webhook.signed(body, digest)
        self.counts.webhooks += 1
        self.metrics.webhook(told.sent, arrival)
        if not self._wanted(told.name):
            self.counts.webhooks_ignored += 1
            return Taken(stored_already(), Answer())
        if told.is_of_a_room:
            if self._on_event:  # before it is on disk, which takes longer than a JOINED can last
                self._on_event(webhook.parse(body))
            kept = self._keep_evidence([evidence.of_webhook(body, told, arrival)])
        else:
            self.counts.webhooks_ignored += 1
            unknown = webhook.unknown(body, webhook.parse(body))
            kept = self.keep(Arrival(event_id=told.id, unknown=unknown))
        kept.add_done_callback(self._count_repeated)
        if self.recorder:
            kept = asyncio.ensure_future(_recorded(kept, partial(self.recorder.webhook, body, arrival)))
        return Taken(kept, Answer())

    def _count_repeated(self, kept: asyncio.Future[bool]) -> None:
        is_stored = not kept.cancelled() and kept.exception() is None
        self.counts.webhooks_repeated += is_stored and not kept.result()

    def _keep_evidence(self, pieces: Sequence[Evidence]) -> asyncio.Future[bool]:
        """Done when this is on disk; False when it was stored before. With ``redact`` nothing is kept as it came."""
        return asyncio.ensure_future(self._redacted(pieces)) if self.redact else self._queue.keep_evidence(pieces)

    async def _redacted(self, pieces: Sequence[Evidence]) -> bool:
        exported = self.exporter is not None
        return all([await self.keep(evidence.redacted(piece, exported=exported)) for piece in pieces])

    def _was_read(self, arrival: Arrival) -> None:
        self.counts.unknown += len(arrival.unknown)
        if self.announcer:
            self.announcer.arrived(arrival.moments)
        if self.page:
            self.page.heed()

    def _admit(self, request: Asked) -> None:
        refuse_web_pages(request, self._host)
        refuse_strangers(request, self._ingest_token)

    def _admit_traces(self, request: Asked) -> Take:
        self._admit(request)
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind not in OTLP:
            raise UnsupportedError(f"Content-Type must be {' or '.join(OTLP)}")
        return partial(self._traces, kind, request.headers.get("Content-Encoding", ""))

    def _traces(self, kind: str, encoding: str, packed: bytes, arrival: int) -> Taken:
        body = decompressed(packed, encoding)
        if len(body) <= LARGE:
            kept = self._keep_traces(self._decode(body, kind, arrival))
        else:
            kept = asyncio.ensure_future(self._large(body, kind, arrival))
        if self.recorder:
            kept = asyncio.ensure_future(_recorded(kept, partial(self.recorder.traces, body, kind, arrival)))
        return Taken(kept, _STORED[kind])

    async def _large(self, body: bytes, kind: str, arrival: int) -> bool:
        """One that takes a second to decode, for which everyone else would wait."""
        with self._bodies.hold(len(body)):
            async with self._decoding:
                pieces = await asyncio.to_thread(self._decode, body, kind, arrival)
            return await self._keep_traces(pieces)

    def _keep_traces(self, pieces: Sequence[Evidence]) -> asyncio.Future[bool]:
        self.counts.otlp_requests += 1
        self.counts.otlp_spans += sum(piece.spans for piece in pieces)
        return self._keep_evidence(pieces)

    def _decode(self, body: bytes, kind: str, arrival: int) -> list[Evidence]:
        """What an OTLP request brought."""
        request = agent.read(body, kind)
        refuse_too_large(request, len(body))
        extent = agent.extent(request.resource_spans)
        if extent.latest > arrival + evidence.AHEAD:
            self._refusals.warn(
                "spans of an agent are more than a day ahead of this machine's clock: their moments are left out"
            )
        return evidence.of_spans(request, body, kind, arrival, extent.spans)

    async def _others(self, request: web.Request) -> web.Response:
        """Logs and metrics, which only pass through."""
        signal = request.match_info["signal"]
        if why_not := self._passing.reason_not_to(signal):
            return web.Response(status=404, text=f"{why_not}\n")
        self._admit(request)
        with self._bodies.hold(request.content_length or LARGEST_BODY):
            body = await self._bodies.read(request, LARGEST_BODY)
            return await self._passing.on(signal, body, request.headers)

    async def _healthz(self, _: web.Request) -> web.Response:
        await self._queue.check()
        return web.Response(text="ok\n")

    async def _metrics(self, request: web.Request) -> web.Response:
        return await self.metrics.answer(request, self._host)

    def collect(self) -> Iterator[Metric]:
        """What this receiver counted since its start, and what waits in it; as prometheus_client asks a collector."""
        for name in Counts.__slots__:
            yield CounterMetricFamily(f"tracer_{name}", _MEANS[name], value=getattr(self.counts, name))
        yield CounterMetricFamily("tracer_moments", "Moments stored.", value=self._queue.moments)
        yield GaugeMetricFamily("tracer_write_queue", "Requests that wait for the disk.", value=self._queue.waiting)
        if self.exporter:
            outbox = self.exporter.outbox
            yield CounterMetricFamily("tracer_spans_exported", "Spans that the backend accepted.", value=outbox.sent)
            yield CounterMetricFamily("tracer_spans_refused", "Spans that the backend refused.", value=outbox.refused)
            with suppress(StoreError):  # which `/healthz` says
                waiting = self.store.count_unsent()
                yield GaugeMetricFamily("tracer_outbox", "Spans that wait for the backend.", value=waiting)


async def _recorded(kept: asyncio.Future[bool], write: Callable[[], None]) -> bool:
    """The same; what is new is then in the recording, too."""
    is_new = await kept
    if is_new:
        write()
    return is_new
