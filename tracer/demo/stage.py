"""Receiver, agent and callers as processes around one LiveKit server, for the demo and for tests of real calls."""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tracer.errors import DemoError
from tracer.local_servers import Process, answers, child_environment, free_port
from tracer.moment import Kind
from tracer.store import open_reader
from tracer.store.load import read_timeline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tracer.settings import LiveKit
    from tracer.timeline.timeline import Timeline

__all__ = ["Stage"]

START_LIMIT = 300.0
"""Seconds a process may take to start: a worker and the process that its jobs come from import livekit-agents one after
the other, which is 4 s of one core, and a minute or two where many others want it."""


class Stage:
    """Starts processes and, when left, ends them in reverse order."""

    def __init__(self, folder: Path, store: Path, port: int, *, lost: Sequence[str] = ()) -> None:
        self.folder = folder
        self.store = str(store.absolute())
        self.webhook_port = port
        """Where the server sends its webhooks."""
        self.lost = tuple(lost)
        """Webhooks that are lost between server and receiver."""
        self.port = free_port() if lost else port
        """Where the receiver listens."""
        self.export: dict[str, str] = {}
        """Variables of the receiver that set where it exports to: the user's own backend gets nothing."""
        self.start_limit = START_LIMIT
        """Seconds a process may take to start."""
        self.report: Callable[[str], None] | None = None
        """Gets a sentence now and then while a process takes long to start."""
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
            environment=child_environment(PYTHONWARNINGS="ignore:The HMAC key is") | environment,
        )
        return self._processes.enter_context(process)

    def serve(self, server: LiveKit, *options: str) -> Process:
        """`tracer serve`, ready to receive."""
        arguments = ["-m", "tracer", "serve", "--port", str(self.port), "--store", self.store, *options]
        receiver = self.start("serve", arguments, **_environment(server), **self.export)
        receiver.wait_until(lambda: answers(self.port, "/healthz"), self.start_limit, report=self.report)
        if self.lost:
            ports = [str(self.webhook_port), str(self.port)]
            proxy = self.start("webhooks", ["-m", "tracer.demo.lossy", *ports, *self.lost])
            proxy.wait_until(lambda: answers(self.webhook_port, "/healthz"), self.start_limit)
        return receiver

    def agent(self, server: LiveKit, file: Path | None = None, *, name: str = "agent", **environment: str) -> Process:
        """A worker that runs this agent, instrumented, once it is registered; without a file the sample agent."""
        worker = self._worker(server, file, name, environment)
        worker.wait_until(
            lambda: self.worker_reported(Kind.WORKER_REGISTERED, worker),
            self.start_limit,
            what="registered with the server",
            report=self.report,
        )
        return worker

    def stranger(self, server: LiveKit, file: Path | None, *, name: str, **environment: str) -> Process:
        """A worker that runs this agent, not instrumented, once it is registered: only its log shows that."""
        worker = self._worker(server, file, name, environment)
        worker.wait_until(
            lambda: bool(_ids(worker)),
            self.start_limit,
            what="registered with the server",
            report=self.report,
        )
        return worker

    def _worker(self, server: LiveKit, file: Path | None, name: str, environment: Mapping[str, str]) -> Process:
        return self.start(
            name,
            [str(Path(__file__).parent / "worker.py"), str(file or sample_agent()), "start"],
            **_environment(server),
            TRACER_ENDPOINT=f"http://127.0.0.1:{self.port}",
            AGENT_PORT=str(free_port()),
            **environment,
        )

    def worker_reported(self, kind: Kind, *workers: Process) -> bool:
        """Whether one of these workers has reported this of itself: others may report to the same store."""
        ids = {one for worker in workers for one in _ids(worker)}
        if not ids:
            return False
        with closing(open_reader(self.store)) as reader:
            return any(moment.kind is kind and moment.subject in ids for moment in reader.moments(""))

    def caller(self, identity: str, url: str, token: str, seconds: float, *options: str) -> Process:
        """Someone who joins with this token, speaks for so many seconds, and leaves; or as ``options`` say."""
        arguments = ["-m", "tracer.demo.caller", str(seconds), *options]
        return self.start(f"caller-{identity}", arguments, LIVEKIT_URL=url, CALLER_TOKEN=token)

    def timeline(self, room: str) -> Timeline:
        """What the receiver knows of the latest room of this name, or of the one with this SID."""
        return read_timeline(self.store, room)


def _ids(worker: Process) -> list[str]:
    """The ids that the server gave a worker, one each time it registered: only its log tells which are its own."""
    with worker.log.open(encoding="utf-8", errors="replace") as log:
        registered = [json.loads(line) for line in log if '"registered worker"' in line and line.endswith("}\n")]
    return [str(entry["id"]) for entry in registered]


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
