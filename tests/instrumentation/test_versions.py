from __future__ import annotations

import logging
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING

import pytest
from livekit.agents import AgentServer

import tracer
from tracer.instrumentation import versions

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have this version be installed; without one, none is."""

    def version(of: str) -> None:
        def found(_: str) -> str:
            if not of:
                raise PackageNotFoundError
            return of

        monkeypatch.setattr(versions, "version", found)

    return version


@pytest.mark.parametrize(
    ("of", "says"),
    [
        ("1.2.18", "livekit-agents 1.2.18 is installed, and 1.3 or newer is needed"),
        ("0.12.21", "livekit-agents 0.12.21 is installed"),
        ("", "livekit-agents is not installed here"),
        ("nonsense", "livekit-agents nonsense is installed"),
    ],
)
def test_what_is_not_supported_is_one_line_and_the_agent_is_as_it_was(
    installed: Callable[[str], None], caplog: pytest.LogCaptureFixture, of: str, says: str
) -> None:
    server: AgentServer = AgentServer()
    run = server.run
    installed(of)
    tracer.instrument(server)
    assert server.run == run
    [record] = [record for record in caplog.records if record.name == "tracer"]
    assert record.getMessage().startswith("tracer is off: " + says)
    assert not record.exc_info


@pytest.mark.parametrize(
    ("of", "level", "says"),
    [
        ("1.8.10rc1", None, ""),
        ("1.8.2", None, ""),
        ("1.8.1", "INFO", "does not report when a job was assigned"),
        ("1.4.6", "INFO", "does not report the deployment of a worker (from 1.5.0 on); when a job"),
        ("1.9.0", "WARNING", "is newer than 1.8, the newest that tracer was tested with"),
    ],
)
def test_what_a_version_does_not_report_is_one_line(
    installed: Callable[[str], None], caplog: pytest.LogCaptureFixture, of: str, level: str | None, says: str
) -> None:
    installed(of)
    with caplog.at_level(logging.INFO, logger="tracer"):
        versions.log_what_is_not_reported()
    found = [(record.levelname, says in record.getMessage()) for record in caplog.records if record.name == "tracer"]
    assert found == ([(level, True)] if level else [])
