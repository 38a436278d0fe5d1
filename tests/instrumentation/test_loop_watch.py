from __future__ import annotations

import asyncio
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.moments import JOB, ROOM
from tracer import keys
from tracer.instrumentation.loop_watch import LoopWatch
from tracer.kinds import Kind

LIMIT = 10.0


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracer.instrumentation.loop_watch.EVERY_S", 0.01)
    monkeypatch.setattr("tracer.instrumentation.loop_watch.PATIENCE_S", 0.5)


def watch() -> InMemorySpanExporter:
    """From within a job's event loop."""
    exported = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exported))
    job: Any = SimpleNamespace(job=SimpleNamespace(id=JOB, room=SimpleNamespace(sid=ROOM)))
    LoopWatch(provider.get_tracer("test")).watch(job)
    return exported


def ended() -> bool:
    """Whether no thread watches any more."""
    end = time.monotonic() + LIMIT
    while any(thread.name == "tracer-loop" for thread in threading.enumerate()) and time.monotonic() < end:
        time.sleep(0.01)
    return not any(thread.name == "tracer-loop" for thread in threading.enumerate())


def test_a_loop_that_stands_still_is_reported_once_and_while_it_does() -> None:
    async def blocks() -> tuple[int, Any]:
        exported = watch()
        began, end = time.time_ns(), time.monotonic() + LIMIT
        while not exported.get_finished_spans() and time.monotonic() < end:
            time.sleep(0.01)  # noqa: ASYNC251  this is the fault
        time.sleep(0.1)  # noqa: ASYNC251
        return began, exported.get_finished_spans()

    began, (stalled,) = asyncio.run(blocks())
    about = dict(stalled.attributes or {})
    assert (stalled.name, about[keys.SUBJECT], about[keys.ROOM_SID]) == (Kind.AGENT_STALLED, JOB, ROOM)
    assert abs(stalled.start_time - began) < LIMIT * 1e9
    assert ended()


def test_a_loop_that_runs_is_not_reported_and_one_that_has_ended_is_not_watched() -> None:
    async def runs() -> InMemorySpanExporter:
        exported = watch()
        await asyncio.sleep(0.1)
        return exported

    exported = asyncio.run(runs())
    assert ended()
    assert not exported.get_finished_spans()
