from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest
from livekit.agents import AgentServer

import tracer
from tracer.zero_code import LiveKitAgentsInstrumentor

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = AgentServer.run


@pytest.fixture
def instrumentor() -> Iterator[LiveKitAgentsInstrumentor]:
    made = LiveKitAgentsInstrumentor()
    made.instrument()
    yield made
    if made.is_instrumented_by_opentelemetry:
        made.uninstrument()


def test_opentelemetry_finds_it_by_its_entry_point() -> None:
    [found] = entry_points(group="opentelemetry_instrumentor", name="livekit_tracer")
    assert found.load() is LiveKitAgentsInstrumentor


def test_it_is_what_it_was_when_it_is_undone(instrumentor: LiveKitAgentsInstrumentor) -> None:
    assert AgentServer.run is not RUN
    instrumentor.uninstrument()
    assert AgentServer.run is RUN


def test_twice_is_once(instrumentor: LiveKitAgentsInstrumentor) -> None:
    once = AgentServer.run
    instrumentor._instrument()
    assert AgentServer.run is once


def test_it_depends_on_the_livekit_agents_there_is(instrumentor: LiveKitAgentsInstrumentor) -> None:
    assert instrumentor.is_instrumented_by_opentelemetry, "no conflict of versions"


def test_an_import_after_it_was_undone_changes_nothing() -> None:
    made = LiveKitAgentsInstrumentor()
    made.instrument()
    made.uninstrument()
    made._instrument_servers(tracer)
    assert AgentServer.run is RUN
