"""A task of the agent's own that nobody awaits."""

from __future__ import annotations

import asyncio
import gc
import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.moments import JOB, ROOM
from tracer import keys
from tracer.instrumentation.own_tasks import MOST, OwnTasks
from tracer.kinds import Kind

if TYPE_CHECKING:
    import pytest

ASYNCIO = logging.getLogger("asyncio")
LIVEKIT_AGENTS = logging.getLogger("livekit.agents")


class Job(SimpleNamespace):
    """A job's context, as far as it is used; of a class, to which there can be weak references."""

    __hash__ = object.__hash__  # type: ignore[assignment]  # as of any other object


def job() -> Any:
    return Job(job=SimpleNamespace(id=JOB, room=SimpleNamespace(sid=ROOM)))


def listening(jobs: list[Any], monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is reported from now on, while these jobs run."""
    exported = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exported))
    for logger in (ASYNCIO, LIVEKIT_AGENTS):
        monkeypatch.setattr(logger, "filters", [])
        monkeypatch.setattr(logger, "disabled", False)
    own = OwnTasks(provider.get_tracer("test"))
    own.listen()
    for one in jobs:
        own.began(one)
    return exported


def reported(jobs: list[Any], monkeypatch: pytest.MonkeyPatch, *, times: int = 1, kept: bool = False) -> list[Any]:
    """Task, error and message of what is reported when a greeting of these jobs' raises, so many times."""
    exported = listening(jobs, monkeypatch)
    keeps = []

    async def greet() -> None:
        raise KeyError("name")

    async def entrypoint() -> None:
        for _ in range(times):
            task = asyncio.create_task(greet())
            await asyncio.wait([task])
            if kept:
                keeps.append(task)
            del task
        gc.collect()

    asyncio.run(entrypoint())
    spans = exported.get_finished_spans()
    assert {(span.name, (span.attributes or {})[keys.SUBJECT]) for span in spans} <= {(Kind.AGENT_TASK_RAISED, JOB)}
    known = [
        tuple((span.attributes or {}).get(key) for key in (keys.TASK, keys.ERROR_TYPE, keys.ERROR_MESSAGE))
        for span in spans
    ]
    for task in keeps:
        task.exception()
    return known


def test_what_nobody_awaits_is_reported_with_its_function_and_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    [(task, error, message)] = reported([job()], monkeypatch)
    assert (str(task).rpartition(".")[2], error, message) == ("greet", "KeyError", "'name'")


def test_no_more_than_so_many_are(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(reported([job()], monkeypatch, times=2 * MOST)) == MOST


def test_of_two_jobs_in_one_process_nobody_knows_whose_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = job(), job()
    assert reported([first, second], monkeypatch) == reported([], monkeypatch) == []


def test_of_a_task_that_is_kept_asyncio_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reported([job()], monkeypatch, kept=True) == []


def test_what_else_asyncio_logs_is_none_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    there = job()
    reported([there], monkeypatch)
    caplog.clear()
    ASYNCIO.error("Task exception was never retrieved")
    ASYNCIO.error("Task was destroyed but it is pending!", exc_info=KeyError("a"))
    ASYNCIO.error(12, exc_info=KeyError("a"))
    assert len(caplog.records) == 3


def test_what_a_participants_entrypoint_raises_livekit_agents_writes_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    there = job()
    exported = listening([there], monkeypatch)
    # As livekit-agents 1.8.9 writes it (job.py, _participant_available): without the identity it is reported.
    LIVEKIT_AGENTS.error("error in participant entrypoint serve for 'ada'", exc_info=KeyError("customer"))
    LIVEKIT_AGENTS.error("Error in _vad_task", exc_info=KeyError("customer"))
    [span] = exported.get_finished_spans()
    known = span.attributes or {}
    assert (span.name, known[keys.TASK], known[keys.ERROR_TYPE]) == (Kind.AGENT_TASK_RAISED, "serve", "KeyError")
    assert "ada" not in str(known)
