"""How many spans and webhooks a second are acknowledged, beside peers in one run?

    python -m tests.bench.ingest [SECONDS]

The same bodies of a recorded call, with fresh ids, are sent on 32 connections to `tracer serve`, to Jaeger with Badger
and to Jaeger in memory, one after the other. `tracer serve` has all on disk when it answers.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.load import Figures, post, send, spans_of, webhooks
from tests.signed import KEY, SECRET
from tracer.local_servers import Jaeger, find_jaeger, free_port
from tracer.local_servers.process import Process, answers, child_environment
from tracer.store import open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 32
SHAPES = (17, 510, 1)
"""Spans in a request."""
MOST = {17: 3000, 510: 100, 1: 4000}
"""Requests that are made for each second: more than anyone takes."""


def peak(process: Process) -> int:
    """The largest resident size a process has had, MiB (Linux)."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    return 0


@contextmanager
def served(folder: Path, **env: str) -> Iterator[tuple[Process, int]]:
    """`tracer serve` with a fresh store."""
    port = free_port()
    command = [sys.executable, "-m", "tracer", "serve", "--port", str(port), "--store", str(folder / "tracer.db")]
    keys = {"LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}
    process = Process("tracer", command, folder=folder, environment=child_environment() | keys | env)
    process.start()
    try:
        process.wait_until(lambda: answers(port, "/healthz"))
        yield process, port
    finally:
        process.stop()


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


def shown(what: str, figures: Figures, each: int, process: Process) -> None:
    """A line of the table."""
    print(
        f"{what:34} {each * figures.requests / figures.seconds:>9,.0f}/s  p50 {figures.p50:6.1f} ms  p99"
        f" {figures.p99:6.1f} ms  refused {figures.refused}  {peak(process)} MiB",
        flush=True,
    )


def main(seconds: float, only: str) -> None:
    """Print the table."""
    print(f"{os.cpu_count()} cores, {CONNECTIONS} connections, {seconds:g} s each; {time.strftime('%Y-%m-%d')}")
    for count in SHAPES:
        requests = [
            post("/v1/traces", body, Content_Type="application/x-protobuf")
            for body in islice(spans_of(count), int(MOST[count] * seconds))
        ]
        print(f"\n{count} spans a request, {len(requests[0]):,} bytes")
        for name in ("tracer serve", "Jaeger, Badger", "Jaeger, memory"):
            if only and only not in name:
                continue
            with tempfile.TemporaryDirectory() as folder:
                place = Path(folder)
                server = (
                    served(place)
                    if name == "tracer serve"
                    else jaeger(JaegerOnDisk if "Badger" in name else Jaeger, place)
                )
                with server as (process, port):
                    figures = asyncio.run(send(port, requests, connections=CONNECTIONS, seconds=seconds))
                    shown(name, figures, count, process)
                    if name == "tracer serve":
                        with closing(open_reader(str(place / "tracer.db"))) as reader:
                            print(f"{'':34} {reader.unread()} requests not read yet")
    requests = [
        post("/webhook", body, Authorization=signed, Content_Type="application/webhook+json")
        for body, signed in islice(webhooks(), int(3000 * seconds))
    ]
    print(f"\nsigned webhooks, {len(requests[0]):,} bytes")
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)) as (process, port):
        shown("tracer serve", asyncio.run(send(port, requests, connections=CONNECTIONS, seconds=seconds)), 1, process)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, sys.argv[2] if len(sys.argv) > 2 else "")
