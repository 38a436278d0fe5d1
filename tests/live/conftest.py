"""A LiveKit server and a Jaeger for the session, on ports nobody has. Built once, kept in the user's cache."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from tracer.errors import BinaryMissingError
from tracer.servers import (
    LiveKitServer,
    Process,
    answers,
    child_environment,
    find_livekit_server,
    free_port,
    free_ports,
)
from tracer.servers.build import build_with_go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Program = TypeVar("Program")

JAEGER = "github.com/jaegertracing/jaeger/cmd/jaeger"
JAEGER_VERSION = "v1.76.0"
"""Of the Go module; the program calls itself 2.13.0."""


class Jaeger(Process):
    """Jaeger on loopback, which keeps its traces in memory."""

    def __init__(self, program: Path, folder: Path) -> None:
        self.query_port, otlp_port, grpc_port = free_ports(3)
        self.query_url = f"http://127.0.0.1:{self.query_port}"
        self.otlp_endpoint = f"http://127.0.0.1:{otlp_port}"
        config = folder / "jaeger.yaml"
        config.write_text(
            json.dumps(
                {
                    "service": {
                        "extensions": ["jaeger_storage", "jaeger_query"],
                        "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
                        "telemetry": {"metrics": {"level": "none"}},
                    },
                    "extensions": {
                        "jaeger_storage": {"backends": {"memory": {"memory": {"max_traces": 10_000}}}},
                        "jaeger_query": {
                            "storage": {"traces": "memory"},
                            "http": {"endpoint": f"127.0.0.1:{self.query_port}"},
                            "grpc": {"endpoint": f"127.0.0.1:{grpc_port}"},
                        },
                    },
                    "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{otlp_port}"}}}},
                    "exporters": {"jaeger_storage_exporter": {"trace_storage": "memory"}},
                }
            ),
            encoding="utf-8",
        )
        command = [str(program), "--config", str(config)]
        super().__init__("jaeger", command, folder=folder, environment=child_environment())

    def start(self) -> None:
        super().start()
        try:
            self.wait_until(lambda: answers(self.query_port, "/api/services"))
        except BaseException:
            self.stop()
            raise


def find_jaeger(progress: Callable[[str], None]) -> Path:
    if path := shutil.which("jaeger"):
        return Path(path)
    return build_with_go(
        f"jaeger-{JAEGER_VERSION}",
        ["build", "-v", "-buildvcs=false", "-o", "{out}/jaeger", JAEGER],
        "jaeger",
        source=Path(__file__).parent / "jaeger",
        progress=progress,
    )


@pytest.fixture(scope="session")
def progress(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Shows a line at once, for a build takes minutes; pytest keeps what is printed until a test has failed."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    return print if reporter is None else reporter.write_line


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
