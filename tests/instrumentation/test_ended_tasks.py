from __future__ import annotations

import asyncio
import gc
import logging
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from livekit.agents.log import logger
from livekit.agents.utils import log_exceptions
from livekit.agents.voice.audio_recognition import AudioRecognition
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.moments import JOB, ROOM
from tracer import keys
from tracer.instrumentation import ended_tasks
from tracer.instrumentation.ended_tasks import MOST, EndedTasks
from tracer.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Job(SimpleNamespace):
    """A job's context, as far as it is used."""


@pytest.fixture(autouse=True)
def job(monkeypatch: pytest.MonkeyPatch) -> Job:
    made = Job(job=SimpleNamespace(id=JOB, room=SimpleNamespace(sid=ROOM)))
    monkeypatch.setattr(ended_tasks, "current_job", lambda: made)
    return made


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is reported, of whatever ends from now on."""
    spans = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(logger, "filters", [])
    monkeypatch.setattr(logger, "disabled", False)
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    monkeypatch.setattr(AudioRecognition, "_update_stt", updates_stt)
    EndedTasks(provider.get_tracer("test")).listen()
    return spans


def updates_stt(recognition: Any, node: Callable[[], Coroutine[Any, Any, None]] | None) -> str:
    """As livekit-agents: a task of a pipeline runs the node."""
    recognition._stt_pipeline = SimpleNamespace(_pump_task=asyncio.create_task(node())) if node else None
    return "updated"


def told(exported: InMemorySpanExporter) -> list[tuple[object, object, object]]:
    spans = exported.get_finished_spans()
    assert {(span.name, (span.attributes or {})[keys.SUBJECT]) for span in spans} <= {(Kind.SESSION_TASK_ENDED, JOB)}
    return [
        tuple((span.attributes or {}).get(key) for key in (keys.TASK, keys.ERROR_TYPE, keys.ERROR_MESSAGE))  # type: ignore[misc]
        for span in spans
    ]


@log_exceptions(logger=logger)
async def _vad_task() -> None:
    raise RuntimeError("the model is corrupt")


def test_a_task_that_raised_is_reported_by_its_function_and_its_error(exported: InMemorySpanExporter) -> None:
    with pytest.raises(RuntimeError):
        asyncio.run(_vad_task())
    assert told(exported) == [("_vad_task", "RuntimeError", "the model is corrupt")]


def test_every_record_is_logged_as_before(exported: InMemorySpanExporter, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "livekit.agents"):
        for level in (logging.DEBUG, logging.ERROR):
            logger.log(level, "Error in %s", "anything")
            logger.log(level, 12, exc_info=KeyError("a"))
            logger.log(level, "something else", exc_info=KeyError("a"))
        logger.warning("Error in _vad_task", exc_info=KeyError("it goes on"))
    assert len(caplog.records) == 7
    assert told(exported) == []


def test_what_the_agents_code_raises_in_its_turn_has_a_line_of_its_own(exported: InMemorySpanExporter) -> None:
    def _user_turn_completed_task() -> None:
        logger.exception("error occurred during on_user_turn_completed", exc_info=KeyError("customer"))

    _user_turn_completed_task()
    assert told(exported) == [("_user_turn_completed_task", "KeyError", "'customer'")]


def test_a_realtime_models_reply_that_did_not_come_is_a_failure_of_the_model(exported: InMemorySpanExporter) -> None:
    for _ in range(2 * MOST):
        try:
            raise ValueError("generate_reply timed out.")
        except ValueError as error:
            logger.error("failed to generate a reply%s: %s", "", str(error))
    spans = exported.get_finished_spans()
    known = [dict(span.attributes or {}) for span in spans]
    assert {span.name for span in spans} == {Kind.MODEL_FAILED}
    assert (known[0][keys.SPAN_NAME], known[0][keys.ERROR_TYPE], len(known)) == ("realtime_session", "ValueError", MOST)


def ran(node: Callable[[], Coroutine[Any, Any, None]]) -> list[object]:
    """What is reported of a session that runs this node, and what it tells asyncio's exception handler."""
    unseen: list[object] = []

    async def session() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: unseen.append(what.get("exception")))
        recognition = SimpleNamespace()
        assert AudioRecognition._update_stt(recognition, node) == "updated"  # type: ignore[arg-type, func-returns-value]
        task = recognition._stt_pipeline._pump_task
        await asyncio.sleep(0)
        assert AudioRecognition._update_stt(recognition, None) == "updated"  # type: ignore[arg-type, func-returns-value]
        await asyncio.wait([task], timeout=0.01)
        if not task.done():
            task.cancel()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del task, recognition
        gc.collect()  # of a task that nobody has any more, asyncio says what it raised

    asyncio.run(session())
    return unseen


def test_an_stt_node_that_returns_is_reported_without_an_error(exported: InMemorySpanExporter) -> None:
    async def _stt_task() -> None:
        """Nothing to hear."""

    assert ran(_stt_task) == []
    assert told(exported) == [("stt_node", None, None)]


def test_one_that_raises_is_reported_once_and_asyncio_warns_of_it_as_before(exported: InMemorySpanExporter) -> None:
    @log_exceptions(logger=logger)
    async def _stt_pump() -> None:
        raise ValueError("no key")

    unseen = ran(_stt_pump)
    assert told(exported) == [("stt_node", "ValueError", "no key")]
    assert [type(error) for error in unseen] == [ValueError]


def test_one_that_is_cancelled_ended_with_its_session(exported: InMemorySpanExporter) -> None:
    async def _stt_pump() -> None:
        await asyncio.Event().wait()

    assert ran(_stt_pump) == []
    assert told(exported) == []


def test_of_one_job_no_more_than_some_are_reported(exported: InMemorySpanExporter) -> None:
    for _ in range(MOST + 5):
        logger.exception("Error in _tts_task", exc_info=KeyError("a"))
    assert len(told(exported)) == MOST


def test_outside_of_a_job_nothing_is_reported(exported: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ended_tasks, "current_job", lambda: None)
    logger.exception("Error in _tts_task", exc_info=KeyError("a"))
    assert told(exported) == []


def test_a_thread_without_an_event_loop_is_reported_too(exported: InMemorySpanExporter) -> None:
    def logs() -> None:
        logger.exception("Error in _decode_task", exc_info=KeyError("a"))

    thread = threading.Thread(target=logs)
    thread.start()
    thread.join()
    assert told(exported) == [("_decode_task", "KeyError", "'a'")]
