"""`tracer serve` and `tracer observe`: witnesses and exporter around one store, until told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracer.errors import ConfigurationError
from tracer.export.exporter import Exporter, endpoint
from tracer.service.receiver import Receiver
from tracer.service.recording import Recorder
from tracer.service.summarizer import Summarizer
from tracer.service.write_queue import WriteQueue
from tracer.settings import HERE, address, where
from tracer.store.sqlite import SqliteStore
from tracer.witness.observer import Observer

if TYPE_CHECKING:
    from tracer.settings import LiveKit

__all__ = ["ServeOptions", "observe", "serve"]

log = logging.getLogger("tracer")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """What the command line says."""

    store: str
    host: str = "127.0.0.1"
    port: int = 7890
    observe: bool = True
    redact: bool = False
    record: Path | None = None


async def serve(server: LiveKit, options: ServeOptions) -> None:
    """Until SIGTERM or SIGINT; then what was accepted is finished. Raises TracerError when it cannot start."""
    _log_to_stderr()
    if options.redact and options.record:
        raise ConfigurationError("--record writes down what --redact keeps out: use one of them")
    with closing(_store(options)) as store:
        target = endpoint()
        if target:
            _refuse_self(target, options)
        observer = Observer(server) if server.url and options.observe else None
        receiver = Receiver(
            store,
            server,
            exporter=Exporter(store) if target else None,
            redact=options.redact,
            recorder=Recorder(options.record) if options.record else None,
            on_room=observer.wake if observer else lambda _: None,
        )
        stopped = _stopped()
        port = await receiver.start(options.host, options.port)
        log.info("listening on http://%s:%d, keeping moments in %s", options.host, port, options.store)
        if target:
            log.info("exporting to %s", address(target))
        beside = [asyncio.create_task(Summarizer(store).run())]
        if observer:
            beside.append(asyncio.create_task(observer.run(receiver.keep_observed)))
        await stopped.wait()
        log.info("stopping")
        await _ended(*beside)
        await receiver.stop()


async def observe(server: LiveKit, options: ServeOptions) -> None:
    """Only ask the server's API, until SIGTERM or SIGINT. Raises TracerError when it cannot start."""
    _log_to_stderr()
    if not server.url:
        raise ConfigurationError("LIVEKIT_URL not set: it is the server to observe, as wss://my-project.livekit.cloud")
    with closing(_store(options)) as store:
        keeper = WriteQueue(store, redact=options.redact)
        exporter = Exporter(store) if endpoint() else None
        stopped = _stopped()
        beside = (Observer(server).run(keeper.keep), Summarizer(store).run())
        tasks = [asyncio.create_task(task) for task in (keeper.run(), *beside)]
        if exporter:
            tasks.append(asyncio.create_task(exporter.run()))
            log.info("exporting to %s", endpoint())
        log.info("observing %s, keeping moments in %s", server.url, options.store)
        await stopped.wait()
        log.info("stopping")
        await _ended(*tasks[1:])  # the keeper last: what was seen is kept
        await _ended(tasks[0])
        if exporter:
            await exporter.finish()


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for chatty in ("opentelemetry", "urllib3"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)


def _store(options: ServeOptions) -> SqliteStore:
    if "://" in options.store:
        raise ConfigurationError(f"--store {options.store!r}: only a path to a SQLite file is supported so far")
    return SqliteStore(Path(options.store))


def _stopped() -> asyncio.Event:
    """Set by SIGTERM and SIGINT."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _refuse_self(target: str, options: ServeOptions) -> None:
    """Spans exported to the receiver itself would go round for ever."""
    host, port = where(target)
    if port == options.port and host in (HERE, options.host):
        raise ConfigurationError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT leads to port {port} of this machine, which is tracer itself: point it at"
            " Jaeger's, as http://127.0.0.1:4318"
        )
