"""The demo: a call from beginning to end, and what is to be said of it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import tempfile
import time
from contextlib import ExitStack, closing
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from livekit.api import ListRoomsRequest, LiveKitAPI, TwirpError
from rich.text import Text

from tracer.demo.answers import answers
from tracer.demo.stage import Stage
from tracer.errors import BinaryMissingError, ConfigurationError
from tracer.servers import LiveKitServer, find_livekit_server, free_port
from tracer.settings import LiveKit
from tracer.view.console import console
from tracer.view.terminal import TimelineView

if TYPE_CHECKING:
    from tracer.timeline import Timeline

__all__ = ["run"]

CALLER = "ada"
CALL_SECONDS = 3.0
DEPARTURE_TIMEOUT = 2
"""Seconds; LiveKit's default of 20 would keep people waiting for the end."""
END_LIMIT = 60.0
"""Seconds from the caller's leaving to the end of room and job; a server of one's own may keep a room for 20."""


async def run(store: Path, record: Path | None) -> None:
    """One call, shown. Raises DemoError when it cannot be made; nothing it started is left behind."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracer-demo-")))
        stage = Stage(folder, store, free_port())
        try:
            server, room = await _server(stack, stage)
        except BinaryMissingError as reason:
            _say(str(reason))
            _show(await _replay(stage))
            return
        stack.enter_context(stage)
        _call(stage, server, room, record)
        _show(stage.timeline(room))


def _end(*_: object) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end the demo alike, with everything cleaned up."""
    raise KeyboardInterrupt


def _say(text: str) -> None:
    console().print(Text(text, style="dim"))


async def _server(stack: ExitStack, stage: Stage) -> tuple[LiveKit, str]:
    """A server to call on, and a name for the room."""
    if os.environ.get("LIVEKIT_URL"):
        server = LiveKit.from_env()
        await _reach(server)
        _say(f"calling on {server.url}, your server")
        return server, f"tracer-demo-{secrets.token_hex(3)}"
    program = find_livekit_server(_say)
    _say(f"starting livekit-server, {program.how}")
    webhook = f"http://127.0.0.1:{stage.port}/webhook"
    running = LiveKitServer(program, folder=stage.folder, webhooks=[webhook], departure_timeout=DEPARTURE_TIMEOUT)
    return stack.enter_context(running).settings, "demo"


async def _reach(server: LiveKit) -> None:
    """Raises ConfigurationError when the user's server is not there or does not know the key."""
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        try:
            await livekit.room.list_rooms(ListRoomsRequest(names=["tracer-demo"]))
        except TwirpError as error:
            raise ConfigurationError(
                f"LIVEKIT_URL is {server.url}, which refuses the key {server.api_key!r} ({error.code})"
            ) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConfigurationError(
                f"LIVEKIT_URL is {server.url}, which does not answer ({error}): unset it to call on a server made for it"
            ) from None


def _call(stage: Stage, server: LiveKit, room: str, record: Path | None) -> None:
    _say("starting tracer serve")
    receiver = stage.serve(server, *(["--record", str(record.absolute())] if record else []))
    _say("starting the agent")
    stage.agent(server)
    _say(f"{CALLER} calls")
    began = time.time_ns()
    stage.finish(stage.caller(server, room, CALLER, CALL_SECONDS, {"tier": "gold"}), CALL_SECONDS)
    _say(f"{CALLER} has left; waiting for the room to close")
    receiver.wait_until(lambda: stage.is_over(room, began), END_LIMIT, what="told of the end of the call")


async def _replay(stage: Stage) -> Timeline:
    """The recorded call, through a receiver of its own."""
    from tracer.receiver import Receiver
    from tracer.recording import replay
    from tracer.store.sqlite import SqliteStore

    _say("Without a server there is no call: this is a recording of a real one, played through the same receiver.")
    server = LiveKit("", "demo", secrets.token_hex(32))
    lines = resources.files("tracer.demo").joinpath("call.jsonl").read_text(encoding="utf-8").splitlines()
    with closing(SqliteStore(Path(stage.store))) as store:
        receiver = Receiver(store, server)
        port = await receiver.start("127.0.0.1", 0)
        try:
            await replay(lines, f"http://127.0.0.1:{port}", server, receiver.keep)
        finally:
            await receiver.stop()
    webhooks = (json.loads(line).get("webhook") for line in lines)
    return stage.timeline(next(event["room"]["sid"] for event in webhooks if event))


def _show(timeline: Timeline) -> None:
    out = console()
    out.print()
    out.print(TimelineView(timeline))
    for question, answer in answers(timeline):
        out.print()
        out.print(Text(question, style="bold"))
        out.print(Text(answer))
    out.print()
    _say(f"again: tracer timeline {timeline.room.name}   as JSON: --format json   all rooms: tracer rooms")
