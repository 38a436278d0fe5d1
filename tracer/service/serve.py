"""`tracer serve` and `tracer observe`: witnesses and exporter around one store, until stopped."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.errors import ConfigurationError, MalformedError, StoreError
from tracer.export.backend import Backend
from tracer.export.exporter import Exporter
from tracer.export.span_names import SpanNames
from tracer.export.target import Target
from tracer.service.announcer import Announcer
from tracer.service.background import in_background
from tracer.service.fleet import Fleet
from tracer.service.listening import Listening
from tracer.service.metrics import Metrics
from tracer.service.page import Page, PageOptions
from tracer.service.passing import SIGNALS
from tracer.service.receiver import Receiver
from tracer.service.recording import Recorder
from tracer.service.retention import Limits, Retention
from tracer.service.senders import is_loopback
from tracer.service.stop_signal import stop_event
from tracer.service.summarizer import Summarizer
from tracer.service.write_queue import WriteQueue
from tracer.settings import HERE, address, ingest_token, otlp_endpoint, read_token, where
from tracer.store import DEMO, Task, open_writer, shown
from tracer.units import NS_PER_S
from tracer.witness import webhook
from tracer.witness.evidence import VERSION
from tracer.witness.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tracer.settings import LiveKit
    from tracer.store import Arrival, Writer

__all__ = ["LOCKED", "ServeOptions", "observe", "serve"]

log = logging.getLogger("tracer")

LOCKED = 0.8
"""Seconds that a write waits for another process: whoever sent it gets 503 within 2 s, the write before it included."""
NONE = "none"
"""Names no store: what comes in is exported, and forgotten."""
PASSING = 3600 * NS_PER_S
"""For how long, ns, a room is then known after the last that came of it, and spans wait for a backend that is away."""
TURN = 1.0
"""Seconds until a process looks again whether it is its turn to poll the server."""
NOT_OBSERVED = (
    "LIVEKIT_URL is not set, so the server's API is not polled: timelines omit JOINED and dispatches, and what lost"
    " webhooks would have reported"
)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What was given on the command line."""

    store: str
    """A location, or ``none``."""
    host: str = "127.0.0.1"
    port: int = 7890
    observe: bool = True
    redact: bool = False
    record: Path | None = None
    only: str = ""
    """Only rooms whose names begin with this are stored; when empty, all but those of `tracer demo`."""
    jaeger_url: str = ""
    """Where the page links each room's trace to; empty: nowhere."""
    limits: Limits = field(default_factory=Limits)
    """How much is kept."""
    span_names: SpanNames = SpanNames.FEW

    def wanted(self, room: str) -> bool:
        """Whether a room of this name is stored."""
        return room.startswith(self.only) if self.only else not room.startswith(DEMO)


async def serve(server: LiveKit, options: ServeOptions, stopping: Callable[[], object] = lambda: None) -> None:
    """Until SIGTERM or SIGINT; then calls ``stopping`` and finishes what was accepted.

    Raises TracerError when it cannot start.
    """
    if options.redact and options.record:
        raise ConfigurationError("--record would write the personal data that --redact leaves out: use one of them")
    _refuse_names_of_the_redacted(options)
    _refuse_to_export_to_itself(options)
    token = _ingest_token(options)
    with _stored(options) as options, closing(open_writer(options.store, wait=LOCKED)) as store:  # noqa: PLR1704
        observer = Observer(server, options.wanted) if server.url and options.observe else None
        newest = store.newest()
        announcer, fleet = Announcer(since=newest, redact=options.redact), Fleet(since=newest)
        receiver = Receiver(
            store,
            server,
            announcer=announcer,
            exporter=_exporter(store, options),
            redact=options.redact,
            ingest_token=token,
            recorder=Recorder(options.record) if options.record else None,
            page=Page(options.store, PageOptions(read_token(), options.redact, options.jaeger_url)),
            metrics=Metrics(options.store, token=read_token(), fleet=fleet),
            wanted=options.wanted,
            on_event=observer.heard if observer else None,
        )
        store.read_again(VERSION)
        stopped = stop_event()
        port = await receiver.start(options.host, options.port)
        log.info("listening on http://%s:%d, storing moments in %s", options.host, port, shown(options.store))
        if options.observe and not server.url:
            log.info("%s", NOT_OBSERVED)
        tasks = [
            in_background(Listening(store).run(), "note that tracer listens"),
            in_background(Summarizer(store, announcer, fleet).run(), "sum up rooms"),
            in_background(Retention(store, options.limits).run(), "forget old rooms"),
        ]
        if observer:
            tasks.append(in_background(_observed(store, observer, receiver.keep_observed), "poll the server's API"))
            if store.shared:
                tasks.append(in_background(_heard(store, observer), "hear what other receivers are told"))
        await stopped.wait()
        log.info("stopping")
        stopping()
        await asyncio.gather(_cancel(*tasks), receiver.stop())


async def observe(server: LiveKit, options: ServeOptions, stopping: Callable[[], object] = lambda: None) -> None:
    """Only poll the server's API, until SIGTERM or SIGINT; then calls ``stopping``.

    Raises TracerError when it cannot start.
    """
    if not server.url:
        raise ConfigurationError("LIVEKIT_URL not set: it is the server to observe, as wss://my-project.livekit.cloud")
    _refuse_names_of_the_redacted(options)
    with _stored(options) as options, closing(open_writer(options.store)) as store:  # noqa: PLR1704
        announcer = Announcer(since=store.newest(), redact=options.redact, webhooks=False)
        queue = WriteQueue(store, redact=options.redact, on_read=lambda arrival: announcer.arrived(arrival.moments))
        exporter = _exporter(store, options)
        stopped = stop_event()
        writing = in_background(queue.run(), "store what comes in")

        tasks = [
            in_background(_observed(store, Observer(server, options.wanted), queue.keep), "poll the server's API"),
            in_background(Listening(store).run(), "note that tracer listens"),
            in_background(Summarizer(store, announcer).run(), "sum up rooms"),
            in_background(Retention(store, options.limits).run(), "forget old rooms"),
        ]
        if exporter:
            tasks.append(in_background(exporter.run(), "export"))
        log.info("observing %s, storing moments in %s", address(server.url), shown(options.store))
        await stopped.wait()
        log.info("stopping")
        stopping()
        await _cancel(*tasks)
        await _cancel(writing)  # last: what was observed is stored
        if exporter:
            await exporter.finish()


async def _observed(store: Writer, observer: Observer, keep: Callable[[Arrival], Awaitable[bool]]) -> None:
    """Poll the server while this process is the one that does; another takes over when it ends."""
    while True:
        if await _is_ours(store, observer):
            polling = asyncio.create_task(observer.run(keep))
            try:
                while await _is_ours(store, observer):
                    await asyncio.wait({polling}, timeout=TURN)
                    if polling.done():
                        polling.result()
            finally:
                await _cancel(polling)
        await asyncio.sleep(TURN)


async def _is_ours(store: Writer, observer: Observer) -> bool:
    """Whether this process is the one that polls; not while the store is away, which has the say."""
    with suppress(StoreError):
        return await asyncio.to_thread(store.may, Task.OBSERVE, observer.server.url)
    return False


async def _heard(store: Writer, observer: Observer) -> None:
    """Have the observer hear the webhooks that other receivers got."""
    while True:
        try:
            bodies = await asyncio.to_thread(store.heard, TURN)
        except StoreError:  # which whoever writes says
            await asyncio.sleep(TURN)
            continue
        for body in bodies:
            with suppress(MalformedError):
                observer.heard(webhook.parse(body))


@contextmanager
def _stored(options: ServeOptions) -> Iterator[ServeOptions]:
    """The options, with ``none`` as a file that is deleted at the end, and in which nothing is kept for long.

    Raises ConfigurationError where nothing would be left of what comes in.
    """
    if options.store != NONE:
        yield options
        return
    if otlp_endpoint("traces") is None:
        raise ConfigurationError(
            "--store none keeps nothing, and OTEL_EXPORTER_OTLP_ENDPOINT is not set: name a backend, or a file"
        )
    with tempfile.TemporaryDirectory(prefix="tracer-") as folder:
        limits = replace(options.limits, age=min(options.limits.age or PASSING, PASSING))
        yield replace(options, store=str(Path(folder) / "tracer.db"), limits=limits)


def _exporter(store: Writer, options: ServeOptions) -> Exporter | None:
    """The exporter to where ``OTEL_EXPORTER_OTLP_ENDPOINT`` points; None when that is not set."""
    target = Target.from_env()
    if target is None:
        return None
    log.info("exporting to %s", target.shown)
    return Exporter(store, Backend(target), options.span_names, redact=options.redact)


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _ingest_token(options: ServeOptions) -> str:
    """What agents have to send; beyond loopback it is required, for whoever has it can write into every room."""
    token = ingest_token()
    if not token and not is_loopback(options.host):
        raise ConfigurationError(
            f"--host {options.host} lets everyone who reaches port {options.port} report on every room: set"
            " TRACER_INGEST_TOKEN to a secret of your own, here and for the agents"
        )
    return token


def _refuse_names_of_the_redacted(options: ServeOptions) -> None:
    """Rooms of before can be in the store, with their names."""
    if options.redact and options.span_names is SpanNames.FULL:
        raise ConfigurationError(
            "--span-names full puts names and identities into the names of spans, and --redact leaves them out: use one"
            " of them"
        )


def _refuse_to_export_to_itself(options: ServeOptions) -> None:
    """What is sent to the receiver itself would go round for ever."""
    for signal in ("traces", *SIGNALS):
        target = otlp_endpoint(signal)
        if target is None:
            continue
        host, port = where(target)
        if port == options.port and host in (HERE, options.host):
            raise ConfigurationError(
                f"OTEL_EXPORTER_OTLP_ENDPOINT points at port {port} of this machine, which is tracer itself: set it to"
                " Jaeger's address, as http://127.0.0.1:4318"
            )
