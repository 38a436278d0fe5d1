"""The processes under test: `tracer serve` and a backend, started, killed and started again at the same address."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
import sys
import time
from contextlib import closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.signed import KEY, SECRET
from tracer.errors import DemoError
from tracer.local_servers import Process, answers, child_environment
from tracer.store import open_writer

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["START", "BackendProcess", "Receiver", "Stop", "all_sent", "until"]

ROOT = Path(__file__).parents[2]
START = 30.0
"""Seconds a process may take to start or stop, those apart in which others had the cores."""


class Stop(NamedTuple):
    """How long a process took to end after it was asked to."""

    seconds: float
    waited: float
    """Seconds of them in which its main thread could have run, and others had the cores."""

    @property
    def own(self) -> float:
        """Seconds that it would have taken on a machine of its own."""
        return self.seconds - self.waited

    def __str__(self) -> str:
        """For the report."""
        waited = f" (in {self.waited:.1f} s of them others had the cores)" if self.waited >= WORTH_A_WORD else ""
        return f"{self.seconds:.1f} s{waited}"


WORTH_A_WORD = 0.5


def waited(pid: int | None) -> float:
    """Seconds in which a process's main thread could have run and had no core, since its start; 0 without Linux.

    https://www.kernel.org/doc/html/latest/scheduler/sched-stats.html
    """
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9
    return 0.0


class _Killable(Process):
    port = 0

    def kill(self) -> None:
        """End it as the kernel does when memory is short."""
        if self.pid is not None and self.running:
            os.killpg(self.pid, signal.SIGKILL)
            self.wait(START)

    async def ready(self) -> None:
        """Wait until it answers. Raises DemoError where it ends first, or does not within START."""
        began = time.monotonic()
        while not await asyncio.to_thread(self.is_ready):
            if not self.running or time.monotonic() - began - waited(self.pid) > START:
                raise DemoError(f"{self.name} did not start: {' '.join(self.last_lines(3))}")
            await asyncio.sleep(0.02)

    def listens(self) -> bool:
        """Whether somebody accepts a connection at its port."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=2):
            return True
        return False

    def is_ready(self) -> bool:
        raise NotImplementedError


class Receiver(_Killable):
    """`tracer serve` on loopback, without an observer: what it stores came by HTTP."""

    def __init__(self, folder: Path, store: Path | str, *, export_to: str = "", files: int = 0) -> None:
        """``files``: how many it may have open at one time; 0: as many as this process."""
        self.port, self.store = _port(), store
        command = [sys.executable, "-m", "tracer", "serve", "--port", str(self.port), "--store", str(store)]
        if files:
            command = ["sh", "-c", f'ulimit -n {files}; exec "$0" "$@"', *command]
        environment = child_environment(LIVEKIT_API_KEY=KEY, LIVEKIT_API_SECRET=SECRET)
        if export_to:
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = export_to
        super().__init__("serve", command, folder=folder, environment=environment)
        self.address = f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        return answers(self.port, "/healthz")

    def terminate(self) -> Stop:
        """Ask it to end, as Docker does. Raises DemoError after START."""
        assert self.pid is not None
        pid, began, before = self.pid, time.monotonic(), waited(self.pid)
        stop = Stop(0.0, 0.0)
        os.kill(pid, signal.SIGTERM)
        while not self.wait(0.01):
            stop = Stop(time.monotonic() - began, max(stop.waited, waited(pid) - before))
            if stop.own > START:
                raise DemoError(f"{self.name} did not stop within {START:g} s")
        return stop._replace(seconds=time.monotonic() - began)

    def gauge(self, name: str) -> int:
        """One of its metrics, by its name without ``tracer_`` and ``_total``; -1 where it does not answer."""
        with suppress(OSError, HTTPException), closing(HTTPConnection("127.0.0.1", self.port, timeout=10)) as asking:
            asking.request("GET", "/metrics")
            for line in asking.getresponse().read().decode().splitlines():
                key, _, value = line.partition(" ")
                if key in (f"tracer_{name}", f"tracer_{name}_total"):
                    return int(float(value))
        return -1

    def largest(self) -> float:
        """MiB of memory that it has had at its largest, since its start."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8")
        return int(text.partition("VmHWM:")[2].split()[0]) / 1024

    def tracebacks(self) -> int:
        """How many are in its log."""
        return self.log.read_text(encoding="utf-8", errors="replace").count("Traceback") if self.log.exists() else 0


class BackendProcess(_Killable):
    """An OpenTelemetry backend that writes into a ledger what it accepts."""

    def __init__(self, folder: Path, ledger: Path) -> None:
        self.port = _port()
        command = [sys.executable, "-m", "tests.chaos.backend", str(self.port), str(ledger)]
        super().__init__("backend", command, folder=folder, environment=child_environment(PYTHONPATH=str(ROOT)))
        self.address = f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        return self.listens()


def _port() -> int:
    """A free port of those that the system gives to no connection: while a killed receiver is away, it stays free."""
    for port in random.sample(range(10_000, 30_000), 100):
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise DemoError("no free port")


def all_sent(store: Path | str) -> bool:
    """Whether all that came into a store was read, and nothing of it is still to be exported."""
    with closing(open_writer(str(store))) as opened:
        return not (opened.unread() or opened.rooms_to_export(1) or opened.count_unsent())


async def until(condition: Callable[[], bool], limit: float, what: str) -> float:
    """Wait for what must come true; returns the seconds it took. Raises DemoError after ``limit`` seconds."""
    began = time.monotonic()
    while not await asyncio.to_thread(condition):
        if time.monotonic() - began > limit:
            raise DemoError(f"not {what} within {limit:g} s")
        await asyncio.sleep(0.05)
    return time.monotonic() - began
