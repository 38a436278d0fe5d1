"""Receiver, agent and callers as processes around one LiveKit server, for the demo and for tests of real calls."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Self

from livekit.api import AccessToken, VideoGrants

from tracer.errors import DemoError, UnknownRoomError
from tracer.moment import Kind
from tracer.servers import Process, answers, child_environment, free_port
from tracer.store import open_reader
from tracer.timeline import fold

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
            environment=child_environment(EXPORT, **environment),
        )
        return self._processes.enter_context(process)

    def serve(self, server: LiveKit, *options: str) -> Process:
        """`tracer serve`, ready to receive."""
        arguments = ["-m", "tracer", "serve", "--port", str(self.port), "--store", self.store, *options]
        receiver = self.start("serve", arguments, **_environment(server))
        receiver.wait_until(lambda: answers(self.port, "/healthz"), START_LIMIT)
        return receiver

    def agent(self, server: LiveKit, file: Path | None = None, **environment: str) -> Process:
        """A worker that runs this agent, instrumented, once it is registered; without a file the sample agent."""
        began = time.time_ns()
        worker = self.start(
            "agent",
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

    def caller(self, server: LiveKit, room: str, identity: str, seconds: float, attributes: dict[str, str]) -> Process:
        """Someone who joins the room, speaks for so many seconds, and leaves."""
        token = (
            AccessToken(server.api_key, server.api_secret)
            .with_identity(identity)
            .with_name(identity.title())
            .with_attributes(attributes)
            .with_grants(VideoGrants(room_join=True, room=room))
        )
        arguments = ["-m", "tracer.demo.caller", str(seconds)]
        return self.start(f"caller-{identity}", arguments, LIVEKIT_URL=server.url, CALLER_TOKEN=token.to_jwt())

    def finish(self, caller: Process, seconds: float) -> None:
        """Wait until a caller who speaks for so many seconds has left. Raises DemoError when the call failed."""
        if not caller.wait(seconds + START_LIMIT) or caller.returncode:
            raise DemoError(f"the caller could not make its call: {' '.join(caller.last_lines())}")

    def timeline(self, room: str) -> Timeline:
        """What the receiver knows of the latest room of this name."""
        with closing(open_reader(self.store)) as reader:
            sid = reader.find(room)
            return fold(sid, reader.moments(sid))

    def is_over(self, room: str, began: int) -> bool:
        """Whether the room that was made after ``began``, ns, has finished, and its jobs with it."""
        try:
            timeline = self.timeline(room)
        except UnknownRoomError:
            return False
        ended = timeline.jobs and all(job.at(Kind.JOB_ENDED, Kind.JOB_REJECTED) for job in timeline.jobs)
        return bool(timeline.zero >= began and timeline.room.finished and ended)


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
