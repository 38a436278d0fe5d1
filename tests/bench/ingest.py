"""How many spans and webhooks a second are acknowledged, beside peers in one run, and how many reach a backend?

    python -m tests.bench.ingest [SECONDS]

The same bodies of a recorded call, with fresh ids, are sent on 32 connections to `tracer serve`, to Jaeger with Badger
and in memory, and to VictoriaTraces where a `victoria-traces` is on the PATH, one after the other; to `tracer serve`
three times more at half of what it took, of which the middle counts. `tracer serve` has all on disk when it answers.
Writes the table of docs/benchmarks.md and its plot.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from tests.bench.load import Figures, post, send, spans_of, webhooks
from tests.bench.plot import plot
from tests.bench.sink import Sink
from tests.signed import KEY, SECRET
from tests.soak.options import Report
from tests.soak.page import write
from tracer.local_servers import Jaeger, find_jaeger, free_port
from tracer.local_servers.process import Process, answers, child_environment
from tracer.store import open_reader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
PLOT = PAGE.parent / "pictures" / "benchmarks.svg"
OURS = "tracer serve"
VICTORIA = "VictoriaTraces (on disk within a second)"
CONNECTIONS = 32
SHAPES = (17, 510, 1)
"""Spans in a request."""
MOST = {17: 8000, 510: 500, 1: 20_000, 0: 10_000}
"""Requests that are made for each second, by their spans; 0: webhooks. More than anyone takes."""
DRAINED = 10.0
"""Seconds without a span at the backend after which all that will come has come."""
HALVES = 3
"""Runs at half of the load: in one of them somebody else may have used the disk."""
QUIET = 1.0
"""Seconds without work for a disk after which it has done what it was asked for."""


def peak(process: Process) -> int:
    """The largest resident size a process has had, MiB (Linux)."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


def cpu(pids: Sequence[int | None]) -> float:
    """Seconds of CPU that processes have had, with those that they started (Linux)."""
    ticks = 0
    for pid in pids:
        for task in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = task.read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(task.parent.name) == pid or int(fields[1]) == pid:
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def settle() -> None:
    """Wait until the disks are idle: a large store that was deleted can keep one busy for seconds (Linux)."""
    os.sync()
    before, last, began = "", time.perf_counter(), time.perf_counter()
    while time.perf_counter() < last + QUIET and time.perf_counter() < began + DRAINED:
        now = Path("/proc/diskstats").read_text()
        if now != before:
            before, last = now, time.perf_counter()
        time.sleep(0.1)


@contextmanager
def running(process: Process, port: int, ready: str) -> Iterator[tuple[Process, int]]:
    """A server, from when it answers at this path."""
    process.start()
    try:
        process.wait_until(lambda: answers(port, ready))
        yield process, port
    finally:
        process.stop()


def served(folder: Path, **env: str) -> AbstractContextManager[tuple[Process, int]]:
    """`tracer serve` with a fresh store."""
    port = free_port()
    command = [sys.executable, "-m", "tracer", "serve", "--port", str(port), "--store", str(folder / "tracer.db")]
    keys = {"LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}
    process = Process("tracer", command, folder=folder, environment=child_environment() | keys | env)
    return running(process, port, "/healthz")


class JaegerOnDisk(Jaeger):
    """A Jaeger that keeps its traces in Badger."""

    def _configuration(self, otlp_port: int, grpc_port: int) -> dict[str, object]:
        configuration = super()._configuration(otlp_port, grpc_port)
        folder = tempfile.mkdtemp(prefix="badger-")
        configuration["extensions"]["jaeger_storage"] = {  # type: ignore[index]
            "backends": {
                "memory": {
                    "badger": {
                        "directories": {"keys": f"{folder}/keys", "values": f"{folder}/values"},
                        "ephemeral": False,
                    }
                }
            }
        }
        return configuration


@contextmanager
def jaeger(kind: type[Jaeger], folder: Path) -> Iterator[tuple[Process, int]]:
    """A Jaeger of this kind."""
    server = kind(find_jaeger(print), folder)
    server.start()
    try:
        yield server, int(server.otlp_endpoint.rpartition(":")[2])
    finally:
        server.stop()


def victoria_traces(folder: Path) -> AbstractContextManager[tuple[Process, int]]:
    """VictoriaTraces with a fresh store, which takes spans of any time."""
    port = free_port()
    options = {"storageDataPath": folder, "httpListenAddr": f"127.0.0.1:{port}", "retentionPeriod": "10y"}
    command = ["victoria-traces", *(f"-{name}={value}" for name, value in options.items())]
    return running(Process("victoria-traces", command, folder=folder, environment=child_environment()), port, "/health")


class Row(NamedTuple):
    """What one server made of one load."""

    server: str
    body: str
    a_second: float
    """Spans or webhooks acknowledged a second."""
    p99: float
    """99 of 100 requests were acknowledged within this, ms."""
    half: float | None
    """The same at half of this load, ms, in the middle one of some runs; None where it was not measured."""
    peak: int
    """MiB."""

    def cells(self) -> str:
        """A row of the table."""
        half = "" if self.half is None else f"{self.half:.0f} ms"
        return f"| {self.body} | {self.server} | {self.a_second:,.0f} | {self.p99:.0f} ms | {half} | {self.peak} MiB |"


SERVERS: dict[str, Callable[[Path], AbstractContextManager[tuple[Process, int]]]] = {
    OURS: served,
    "Jaeger, Badger (on disk)": lambda folder: jaeger(JaegerOnDisk, folder),
    "Jaeger, memory": lambda folder: jaeger(Jaeger, folder),
}
if shutil.which("victoria-traces"):
    SERVERS[VICTORIA] = victoria_traces


def measured(name: str, body: str, requests: list[bytes], each: int, seconds: float) -> Row:
    """One server under one load, and ours under half of it too."""

    def under(rate: float) -> tuple[Figures, int]:
        settle()
        with tempfile.TemporaryDirectory() as folder, SERVERS[name](Path(folder)) as (process, port):
            figures = asyncio.run(send(port, requests, connections=CONNECTIONS, seconds=seconds, rate=rate))
            return figures, peak(process)

    full, most = under(0.0)
    half = None
    if name == OURS:
        half = median(under(full.requests / full.seconds / 2)[0].p99 for _ in range(HALVES))
    row = Row(name, body, each * full.requests / full.seconds, full.p99, half, most)
    print(row.cells() + (f" {full.refused} refused" if full.refused else ""), flush=True)
    return row


def to_a_backend(seconds: float) -> str:
    """How many spans a second reach a backend behind `tracer serve`, which takes whatever comes."""
    requests = [
        post("/v1/traces", body, Content_Type="application/x-protobuf")
        for body in islice(spans_of(17), int(MOST[17] * seconds))
    ]
    settle()
    with (
        Sink() as sink,
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder), OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint) as (process, port),
    ):
        began, before = time.perf_counter(), cpu([process.pid])
        figures = asyncio.run(send(port, requests, connections=CONNECTIONS, seconds=seconds))
        early = arrived = sink.spans
        last = time.perf_counter()
        while time.perf_counter() < last + DRAINED:
            time.sleep(0.2)
            if sink.spans > arrived:
                arrived, last = sink.spans, time.perf_counter()
        with closing(open_reader(str(Path(folder) / "tracer.db"))) as reader:
            while reader.unread():
                time.sleep(0.2)
        used = (cpu([process.pid]) - before) / (17 * figures.requests)
        most = peak(process)
    return (
        f"With a backend behind it `tracer serve` acknowledged {17 * figures.requests / figures.seconds:,.0f} spans/s"
        f" for {seconds:g} s (p99 {figures.p99:.0f} ms). {early:,} spans were at the backend by then, and"
        f" {arrived:,} after {last - began:.0f} s: {arrived / (last - began):,.0f} a second, with {most} MiB at most."
        f" Acknowledged, sent on, and read into moments, a span takes {1e6 * used:.0f} µs of CPU."
    )


def main(seconds: float, only: str) -> None:
    """Measure, print, and write the page where all was measured."""
    rows = []
    for count in SHAPES:
        requests = [
            post("/v1/traces", body, Content_Type="application/x-protobuf")
            for body in islice(spans_of(count), int(MOST[count] * seconds))
        ]
        body = f"{count} span{'s' * (count > 1)} a request, {len(requests[0]) / 1000:.0f} kB"
        for name in SERVERS:
            if only in name:
                took = b"POST /insert/opentelemetry/v1/traces " if name == VICTORIA else b"POST /v1/traces "
                there = [one.replace(b"POST /v1/traces ", took, 1) for one in requests]
                rows.append(measured(name, body, there, count, seconds))
    requests = [
        post("/webhook", body, Authorization=signed, Content_Type="application/webhook+json")
        for body, signed in islice(webhooks(), int(MOST[0] * seconds))
    ]
    rows.append(measured(OURS, f"signed webhooks, {len(requests[0]) / 1000:.1f} kB", requests, 1, seconds))
    passed_on = to_a_backend(seconds)
    print(passed_on)
    if only:
        return
    table = [
        "| body | server | acknowledged a second | p99 | p99 at half of it | memory at most |",
        "|---|---|---|---|---|---|",
    ]
    text = "\n".join([*table, *(row.cells() for row in rows), "", passed_on])
    write("receiver", Report(text, right=True), PAGE)
    PLOT.write_text(plot([(row.body, row.server, row.a_second) for row in rows]), encoding="utf-8")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, sys.argv[2] if len(sys.argv) > 2 else "")
