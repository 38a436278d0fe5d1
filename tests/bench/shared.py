"""What receivers that share a PostgreSQL take together, and what a call costs there: the sizing table's figures.

    python -m tests.bench.shared [SECONDS]

All of it on one machine: receivers, database, which commits to disk, and load.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.ingest import CONNECTIONS, cpu
from tests.bench.load import Figures, post, send, spans_of
from tests.postgresql import Postgres
from tests.signed import KEY, SECRET
from tracer.local_servers import free_port
from tracer.local_servers.process import Process, answers, child_environment
from tracer.store import open_reader

if TYPE_CHECKING:
    from collections.abc import Sequence

SPANS = 17
"""In a request: those of a call's agent."""
DRAINED = 600.0
"""Seconds in which all that was acknowledged has to be read."""


async def together(ports: Sequence[int], requests: list[bytes], seconds: float) -> list[Figures]:
    """Each receiver gets its part of the requests and of the connections."""
    each = len(ports)
    return await asyncio.gather(
        *(
            send(port, requests[number::each], connections=CONNECTIONS // each, seconds=seconds)
            for number, port in enumerate(ports)
        )
    )


def measure(receivers: int, seconds: float) -> None:
    requests = [
        post("/v1/traces", body, Content_Type="application/x-protobuf")
        for body in islice(spans_of(SPANS), int(1500 * seconds))
    ]
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        database = stack.enter_context(Postgres(durable=True))
        ports, processes = [], []
        for number in range(receivers):
            port, place = free_port(), Path(folder) / str(number)
            place.mkdir()
            command = [sys.executable, "-m", "tracer", "serve", "--port", str(port), "--store", database.location]
            keys = {"LIVEKIT_API_KEY": KEY, "LIVEKIT_API_SECRET": SECRET}
            process = Process("tracer", command, folder=place, environment=child_environment() | keys)
            stack.enter_context(process)
            process.wait_until(lambda port=port: answers(port, "/healthz"))  # type: ignore[misc]
            ports.append(port)
            processes.append(process)
        pids = [process.pid for process in processes]
        with closing(open_reader(database.location)) as reader:
            before, used, began = cpu(pids), reader.used(), cpu([database.pid])
            figures = asyncio.run(together(ports, requests, seconds))
            done = sum(one.requests for one in figures)
            rate = sum(one.requests / one.seconds for one in figures)
            start, unread = time.monotonic(), reader.unread()
            while reader.unread():
                assert time.monotonic() - start < DRAINED
                time.sleep(0.2)
            waited = time.monotonic() - start
            took, ours, theirs = seconds + waited, cpu(pids) - before, cpu([database.pid]) - began
            size = (reader.used() - used) / done
            p99, refused = max(one.p99 for one in figures), sum(one.refused for one in figures)
            print(
                f"{receivers} receivers: {SPANS * rate:,.0f} spans/s acknowledged, p99 {p99:.0f} ms, refused {refused}"
            )
            print(f"  {unread:,} of {done:,} requests were read later: {SPANS * done / took:,.0f} spans/s, all read")
            print(
                f"  each: {1000 * ours / done:.2f} ms CPU of receivers, {1000 * theirs / done:.2f} ms of the database,"
                f" {size:,.0f} bytes",
                flush=True,
            )


def main(seconds: float) -> None:
    """Print a line for one, two and three receivers."""
    print(f"{os.cpu_count()} cores, {CONNECTIONS} connections, {seconds:g} s each; {time.strftime('%Y-%m-%d')}")
    for receivers in (1, 2, 3):
        measure(receivers, seconds)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0)
