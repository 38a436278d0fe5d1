"""`tracer serve` as one coroutine: receiver, observer and exporter around one store, until told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tracer.errors import ConfigurationError
from tracer.export import Exporter, endpoint
from tracer.receiver import Receiver
from tracer.recording import Recorder
from tracer.store.sqlite import SqliteStore
from tracer.witness.observer import Observer

if TYPE_CHECKING:
    from tracer.settings import LiveKit

__all__ = ["Options", "serve"]

log = logging.getLogger("tracer")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    host: str
    port: int
    store: str
    observe: bool
    redact: bool
    record: Path | None = None


async def serve(server: LiveKit, options: Options) -> None:
    """Until SIGTERM or SIGINT; then what was accepted is finished. Raises TracerError when it cannot start."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for chatty in ("opentelemetry", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    if "://" in options.store:
        raise ConfigurationError(f"--store {options.store!r}: only a path to a SQLite file is supported so far")
    with closing(SqliteStore(Path(options.store))) as store:
        target = endpoint()
        if target:
            _refuse_self(target, options)
        exporter = Exporter(store) if target else None
        observer = Observer(server) if server.url and options.observe else None
        receiver = Receiver(
            store,
            server,
            exporter=exporter,
            redact=options.redact,
            recorder=Recorder(options.record) if options.record else None,
            on_room=observer.wake if observer else lambda: None,
        )
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        port = await receiver.start(options.host, options.port)
        log.info("listening on http://%s:%d, keeping moments in %s", options.host, port, options.store)
        if target:
            log.info("exporting to %s", target)
        observing = asyncio.create_task(observer.run(receiver.keep_observed)) if observer else None
        await stopped.wait()
        log.info("stopping")
        if observing:
            observing.cancel()
            await asyncio.gather(observing, return_exceptions=True)
        await receiver.stop()


def _refuse_self(target: str, options: Options) -> None:
    """Spans exported to the receiver itself would go round for ever."""
    parts = urlsplit(target)
    local = {"localhost", "127.0.0.1", "::1", "0.0.0.0", options.host}  # noqa: S104  looked for, not bound
    if options.port and parts.port == options.port and parts.hostname in local:
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is {target}, which is tracer itself: point it at Jaeger's, as http://127.0.0.1:4318"
        )
