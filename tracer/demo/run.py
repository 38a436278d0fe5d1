"""The demo: everything a call needs, started in order and ended in any case."""

from __future__ import annotations

import os
import secrets
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from tracer.demo.answers import answers
from tracer.errors import BinaryMissingError, DemoError, UnknownRoomError
from tracer.moment import Kind
from tracer.servers import LiveKitServer, Process, child_environment, find_livekit_server, free_port
from tracer.servers import answers as answers_http
from tracer.settings import LiveKit
from tracer.store import open_reader
from tracer.timeline import fold
from tracer.view.console import console
from tracer.view.terminal import TimelineView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline import Timeline

__all__ = ["run"]

EXPORT = tuple(
    f"OTEL_EXPORTER_OTLP_{name}" for name in ("ENDPOINT", "HEADERS", "TRACES_ENDPOINT", "TRACES_HEADERS", "CERTIFICATE")
)
"""With these set, the call goes to Jaeger too."""
CALLER = "ada"
CALL_SECONDS = 3.0
DEPARTURE_TIMEOUT = 2
"""Seconds; LiveKit's default of 20 would keep people waiting for the end."""
START_LIMIT = 60.0
"""Seconds a server or the agent may take to start: livekit-agents takes long to import on a small machine."""
END_LIMIT = 60.0
"""Seconds from the caller's leaving to the end of room and job; a server of one's own may keep a room for 20."""


async def run(store: str, record: Path | None) -> None:
    """One call, shown. Raises DemoError when it cannot be made; nothing it started is left behind."""
    store = str(Path(store).absolute())
    _end_with_the_terminal()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracer-demo-")))
        port = free_port()
        try:
            server, room = _server(stack, folder, port)
        except BinaryMissingError as reason:
            _say(str(reason))
            await _replay(store)
            return
        _call(stack, folder, server, room, port, store, record)
        _show(store, room)


def _end_with_the_terminal() -> None:
    """SIGTERM and a closed terminal end the demo as Ctrl-C does, with everything cleaned up."""

    def end(*_: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def _say(text: str) -> None:
    console().print(Text(text, style="dim"))


def _server(stack: ExitStack, folder: Path, receiver_port: int) -> tuple[LiveKit, str]:
    """A server to call on, and the name of the room."""
    if os.environ.get("LIVEKIT_URL"):
        server = LiveKit.from_env()
        _say(f"calling on {server.url}, your server; times without a webhook are those of looks at its API")
        return server, f"tracer-demo-{secrets.token_hex(3)}"
    program = find_livekit_server(_say)
    _say(f"starting livekit-server ({program.how})")
    webhook = f"http://127.0.0.1:{receiver_port}/webhook"
    running = LiveKitServer(program, folder=folder, webhooks=[webhook], departure_timeout=DEPARTURE_TIMEOUT)
    return stack.enter_context(running).settings, "demo"


def _call(
    stack: ExitStack, folder: Path, server: LiveKit, room: str, port: int, store: str, record: Path | None
) -> None:
    from livekit.api import AccessToken, VideoGrants

    keys = {"LIVEKIT_URL": server.url, "LIVEKIT_API_KEY": server.api_key, "LIVEKIT_API_SECRET": server.api_secret}

    def start(name: str, arguments: list[str], environment: dict[str, str]) -> Process:
        environment = child_environment(EXPORT, **environment)
        command = [sys.executable, *arguments]
        return stack.enter_context(Process(name, command, folder=folder, environment=environment))

    recording = ["--record", str(record.absolute())] if record else []
    _say("starting tracer serve")
    receiver = start("serve", ["-m", "tracer", "serve", "--port", str(port), "--store", store, *recording], keys)
    receiver.wait_until(lambda: answers_http(port, "/healthz"), START_LIMIT)

    _say("starting the agent")
    began = time.time_ns()
    agent_file = _agent_file()
    worker = start(
        "agent",
        [str(Path(__file__).parent / "worker.py"), str(agent_file), "start"],
        {**keys, "TRACER_ENDPOINT": f"http://127.0.0.1:{port}", "AGENT_PORT": str(free_port())},
    )
    with closing(open_reader(store)) as reader:
        worker.wait_until(
            lambda: any(m.kind is Kind.WORKER_REGISTERED and m.time >= began for m in reader.moments("")),
            START_LIMIT,
            what="registered with the server",
        )

        _say(f"{CALLER} calls")
        token = (
            AccessToken(server.api_key, server.api_secret)
            .with_identity(CALLER)
            .with_name("Ada")
            .with_attributes({"tier": "gold"})
            .with_grants(VideoGrants(room_join=True, room=room))
        )
        caller = start(
            "caller",
            ["-m", "tracer.demo.caller", str(CALL_SECONDS)],
            {"LIVEKIT_URL": server.url, "CALLER_TOKEN": token.to_jwt()},
        )
        if not caller.wait(CALL_SECONDS + START_LIMIT) or caller.returncode:
            raise DemoError(f"the caller could not make its call: {' '.join(caller.last_lines())}")
        _say(f"{CALLER} has left; waiting for the room to close")
        receiver.wait_until(lambda: _is_over(store, room, began), END_LIMIT, what="told of the end of the call")


def _agent_file() -> Path:
    """The sample agent: beside the package in a checkout, within it when installed."""
    for path in (Path(__file__).parents[2] / "agent" / "agent.py", Path(__file__).parent / "agent.py"):
        if path.exists():
            return path
    raise DemoError("the sample agent is missing from this installation: install livekit-tracer again")


def _timeline(store: str, room: str) -> Timeline:
    with closing(open_reader(store)) as reader:
        sid = reader.find(room)
        return fold(sid, reader.moments(sid))


def _is_over(store: str, room: str, began: int) -> bool:
    try:
        timeline = _timeline(store, room)
    except UnknownRoomError:
        return False
    ended = timeline.jobs and all(job.at(Kind.JOB_ENDED, Kind.JOB_REJECTED) for job in timeline.jobs)
    return bool(timeline.zero >= began and timeline.room.finished and ended)


async def _replay(store: str) -> None:
    """The recorded call, through a receiver of its own."""
    from tracer.receiver import Receiver
    from tracer.recording import replay
    from tracer.store.sqlite import SqliteStore

    _say("Without a server there is no call: this is a recording of a real one, played through the same receiver.\n")
    server = LiveKit("", "demo", secrets.token_hex(32))
    with closing(SqliteStore(Path(store))) as kept:
        receiver = Receiver(kept, server)
        port = await receiver.start("127.0.0.1", 0)
        try:
            lines = resources.files("tracer.demo").joinpath("call.jsonl").read_text(encoding="utf-8").splitlines()
            await replay(lines, f"http://127.0.0.1:{port}", server, receiver.keep)
        finally:
            await receiver.stop()
        recorded = next(room for room in _rooms_in(lines))
    _show(store, recorded)


def _rooms_in(lines: list[str]) -> Iterator[str]:
    import json

    for line in lines:
        if sid := json.loads(line).get("webhook", {}).get("room", {}).get("sid"):
            yield str(sid)


def _show(store: str, room: str) -> None:
    timeline = _timeline(store, room)
    out = console()
    out.print()
    out.print(TimelineView(timeline))
    for question, answer in answers(timeline):
        out.print()
        out.print(Text(question, style="bold"))
        out.print(Text(answer))
    out.print()
    _say(f"again: tracer timeline {timeline.room.name}   as JSON: --format json   all rooms: tracer rooms")
