"""What a span costs on its way from the store to a backend: CPU of each step, without what receives the requests.

    python -m tests.bench.through [REQUESTS] [--profile]

A backlog of so many requests of a recorded call's agent, 17 spans each with fresh ids, is in a store; then it is read
into moments, made into traces and sent, one step after the other, as `tracer serve` does it beside its requests.
"""

from __future__ import annotations

import asyncio
import cProfile
import gc
import pstats
import resource
import sys
import tempfile
import time
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.load import spans_of
from tests.bench.sink import Sink
from tracer.export.backend import Backend
from tracer.export.exporter import Exporter
from tracer.export.target import Target
from tracer.service.write_queue import read_some
from tracer.store.sqlite import SqliteStore
from tracer.witness import agent, evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

SPANS = 17
"""In a request: those of a call's agent."""


class Steps:
    """What each step took."""

    def __init__(self, spans: int, *, profiled: bool) -> None:
        self.spans = spans
        self.profiled = profiled

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Print what is done within took, µs of CPU and of time for each span."""
        profile = cProfile.Profile() if self.profiled else None
        began, used = time.perf_counter(), time.process_time()
        if profile:
            profile.enable()
        try:
            yield
        finally:
            if profile:
                profile.disable()
            used, took = time.process_time() - used, time.perf_counter() - began
            print(f"{name:<40} {used / self.spans * 1e6:7.1f} µs CPU {took / self.spans * 1e6:7.1f} µs", flush=True)
            if profile:
                pstats.Stats(profile).sort_stats("tottime").print_stats(28)


def main(requests: int, *, profiled: bool) -> None:
    """Print a line for each step."""
    gc.set_threshold(100_000, 50, 50)  # as `tracer` has it
    steps = Steps(requests * SPANS, profiled=profiled)
    kind = "application/x-protobuf"
    with tempfile.TemporaryDirectory() as folder, closing(SqliteStore(Path(folder) / "t.db")) as store, Sink() as sink:
        exporter = Exporter(store, Backend(Target(f"{sink.endpoint}/v1/traces", sink.endpoint)))
        for body in islice(spans_of(SPANS), requests):
            store.add(evidence.of_spans(agent.read(body, kind), body, kind, time.time_ns()))
        with steps.step("evidence read into moments"):
            while read_some(store):
                pass
        with steps.step("moments folded, spans queued"):
            now = 0.0
            while store.rooms_to_export(1):
                exporter.fill(now := now + 2.0)

        async def send() -> None:
            assert await exporter.outbox.send() is None
            await exporter.outbox.backend.close()

        with steps.step("spans sent"):
            asyncio.run(send())
        print(f"{sink.spans / steps.spans:.2f} spans at the backend for each that came")
        print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB at most")


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if argument.isdigit()]
    main(int(given[0]) if given else 1000, profiled="--profile" in sys.argv)
