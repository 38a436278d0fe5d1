"""Receiver, agent and callers as processes around one LiveKit server, for the demo and for tests of real calls."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tracer.errors import DemoError
from tracer.moment import Kind
from tracer.reading import read_timeline
from tracer.servers import Process, answers, child_environment, free_port
from tracer.store import open_reader

if TYPE_CHECKING:
    from tracer.settings import LiveKit
    from tracer.timeline import Timeline

__all__ = ["Stage"]

START_LIMIT = 60.0
"""Seconds a process may take to start: livekit-agents takes long to import on a small machine."""
EXPORT = tuple(
    f"OTEL_EXPORTER_OTLP_{name}"
    for name in ("ENDPOINT", "HEADERS", "TRACES_ENDPOINT", "TRACES_HEADERS", "CERTIFICATE", "TIMEOUT", "COMPRESSION")
)
"""With these set, the receiver exports as it would for the user."""


class Stage:
    """Starts processes and, when left, ends them in reverse order."""

    def __init__(self, folder: Path, store: Path, port: int) -> None:
        self.folder = folder
        self.store = str(store.absolute())
        self.port = port
        """Where the receiver listens."""
        self.export: dict[str, str] = {}
        """What the receiver is told of where to export to, beyond the user's own variables."""
        self._processes = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.close()

    def start(self, name: str, arguments: list[str], **environment: str) -> Process:
        """A Python program with these arguments and not much of our own environment."""
        process = Process(
            name,
            [sys.executable, *arguments],
            folder=self.folder,
            environment=child_environment(EXPORT) | environment,
        )
        return self._processes.enter_context(process)

    def serve(self, server: LiveKit, *options: str) -> Process:
        """`tracer serve`, ready to receive."""
        arguments = ["-m", "tracer", "serve", "--port", str(self.port), "--store", self.store, *options]
        receiver = self.start("serve", arguments, **_environment(server), **self.export)
        receiver.wait_until(lambda: answers(self.port, "/healthz"), START_LIMIT)
        return receiver

    def agent(self, server: LiveKit, file: Path | None = None, *, name: str = "agent", **environment: str) -> Process:
        """A worker that runs this agent, instrumented, once it is registered; without a file the sample agent."""
        began = time.time_ns()
        worker = self.start(
            name,
            [str(Path(__file__).parent / "worker.py"), str(file or sample_agent()), "start"],
            **_environment(server),
            TRACER_ENDPOINT=f"http://127.0.0.1:{self.port}",
            AGENT_PORT=str(free_port()),
            **environment,
        )
        with closing(open_reader(self.store)) as reader:
            worker.wait_until(
                lambda: any(m.kind is Kind.WORKER_REGISTERED and m.time >= began for m in reader.moments("")),
                START_LIMIT,
                what="registered with the server",
            )
        return worker

    def caller(self, identity: str, url: str, token: str, seconds: float, *, silent: bool = False) -> Process:
        """Someone who joins with this token, speaks for so many seconds unless ``silent``, and leaves."""
        arguments = ["-m", "tracer.demo.caller", str(seconds), *(["silent"] if silent else [])]
        return self.start(f"caller-{identity}", arguments, LIVEKIT_URL=url, CALLER_TOKEN=token)

    def timeline(self, room: str) -> Timeline:
        """What the receiver knows of the latest room of this name."""
        return read_timeline(self.store, room)


def _environment(server: LiveKit) -> dict[str, str]:
    return {
        "LIVEKIT_URL": server.url,
        "LIVEKIT_API_KEY": server.api_key,
        "LIVEKIT_API_SECRET": server.api_secret,
    }


def sample_agent() -> Path:
    """The sample agent: beside the package in a checkout, within it when installed."""
    for path in (Path(__file__).parents[2] / "agent" / "agent.py", Path(__file__).parent / "agent.py"):
        if path.exists():
            return path
    raise DemoError("the sample agent is missing from this installation: install livekit-tracer again")
