"""A LiveKit server and a Jaeger for the session, on ports nobody has. Built once, kept in the user's cache."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

import pytest

from tests.live.programs import BETWEEN_LINES
from tracer.errors import BinaryMissingError
from tracer.local_servers import Jaeger, LiveKitServer, find_jaeger, find_livekit_server, free_port
from tracer.view.progress import now_and_then

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Program = TypeVar("Program")


@pytest.fixture(scope="session")
def progress(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Shows a line at once, for a build takes minutes; pytest keeps what is printed until a test has failed."""
    reporter: pytest.TerminalReporter | None = request.config.pluginmanager.get_plugin("terminalreporter")

    def show(line: str) -> None:
        if reporter is not None:  # a process of pytest-xdist has none
            reporter.ensure_newline()
            reporter.write_line(line)
            reporter.flush()

    return now_and_then(show, BETWEEN_LINES)


@pytest.fixture(scope="session")
def webhook_port() -> int:
    """Where `livekit` sends its webhooks. A test that wants them starts a receiver there."""
    return free_port()


@pytest.fixture(scope="session")
def livekit(
    progress: Callable[[str], None], webhook_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveKitServer]:
    """A running server: `livekit.settings` has its URL and keys."""
    program = had(find_livekit_server, progress)
    webhooks = [f"http://127.0.0.1:{webhook_port}/webhook"]
    with LiveKitServer(program, folder=tmp_path_factory.mktemp("livekit"), webhooks=webhooks) as server:
        yield server


@pytest.fixture(scope="session")
def jaeger(progress: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jaeger]:
    """A running Jaeger: `otlp_endpoint` takes spans, `query_url` gives them back."""
    program = had(find_jaeger, progress)
    with Jaeger(program, tmp_path_factory.mktemp("jaeger")) as server:
        yield server


def had(find: Callable[[Callable[[str], None]], Program], progress: Callable[[str], None]) -> Program:
    """What ``find`` finds. Without it a test is skipped, but fails in CI: nobody would see a skip there."""
    try:
        return find(progress)
    except BinaryMissingError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
