"""The demo: a scenario from beginning to end, its timeline and its answer."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import shutil
import signal
import sys
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from livekit.api import ListRoomsRequest, LiveKitAPI, TwirpError
from rich.text import Text

from tracer.demo.failures import FAILURES
from tracer.demo.play import Play
from tracer.demo.scenarios import SCENARIOS
from tracer.demo.stage import Stage
from tracer.errors import BinaryMissingError, ConfigurationError
from tracer.local_servers import Jaeger, LiveKitServer, find_jaeger, find_livekit_server, free_port
from tracer.settings import LiveKit
from tracer.view.console import console
from tracer.view.link import trace_link
from tracer.view.terminal import TimelineView
from tracer.view.why import WhyView
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.demo.scenario import Scenario
    from tracer.timeline.timeline import Timeline

__all__ = ["DemoOptions", "run"]

DEPARTURE_TIMEOUT = 2
"""Seconds; LiveKit's default of 20 would keep people waiting for the end."""
ALL = SCENARIOS | FAILURES
"""Every scenario by name."""
RECORDED = "automatic"
"""The scenario of which there is a recording."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What was given on the command line."""

    store: Path
    server: str | None = None
    """URL of a server of the user's own; without it one is started."""
    keep: bool = False
    jaeger: bool = False
    record: Path | None = None


async def run(scenario: Scenario, options: DemoOptions) -> None:
    """One call, shown. Raises DemoError when it cannot be made; nothing it started is left behind."""
    for number in (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])):
        signal.signal(number, _end)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracer-demo-")))
        if scenario.lost and options.server:
            raise ConfigurationError(f"{scenario.name} drops webhooks of its own server: run it without --server")
        stage = Stage(folder, options.store, free_port(), lost=scenario.lost)
        _say(scenario.question + "\n")
        try:
            server, room = await _server(stack, stage, options)
        except BinaryMissingError as reason:
            if scenario.name != RECORDED:
                raise
            _say(str(reason))
            _show(scenario, _replay(stage))
            return
        jaeger = _jaeger(stack, stage) if options.jaeger else None
        stack.enter_context(stage)
        timeline = await _call(stage, scenario, server, room, options.record)
        _show(scenario, timeline, jaeger)
        if options.keep or jaeger:
            await _keep(stage, server)


def _end(*_: object) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end the demo alike, with everything cleaned up."""
    raise KeyboardInterrupt


def _say(text: str, *, whole: bool = False) -> None:
    """Print what is going on; ``whole`` lines are not broken, so that they can be copied."""
    console().print(Text(text, style="dim"), soft_wrap=whole)


async def _server(stack: ExitStack, stage: Stage, options: DemoOptions) -> tuple[LiveKit, str]:
    """A server, and a name for the room."""
    if options.server:
        server = LiveKit.from_env(options.server)
        await _reach(server)
        _say(f"using your server, {server.url}")
        return server, f"tracer-demo-{secrets.token_hex(3)}"
    program = find_livekit_server(_say)
    _say(f"starting livekit-server, {program.how}")
    webhook = f"http://127.0.0.1:{stage.webhook_port}/webhook"
    running = LiveKitServer(program, folder=stage.folder, webhooks=[webhook], departure_timeout=DEPARTURE_TIMEOUT)
    return stack.enter_context(running).settings, "demo"


async def _reach(server: LiveKit) -> None:
    """Raises ConfigurationError when the user's server does not answer or does not accept the key."""
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        try:
            await livekit.room.list_rooms(ListRoomsRequest(names=["tracer-demo"]))
        except TwirpError as error:
            raise ConfigurationError(
                f"LIVEKIT_URL is {server.url}, which rejects the key {server.api_key!r} ({error.status})"
            ) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ConfigurationError(
                f"LIVEKIT_URL is {server.url}, which does not answer ({error}); unset it to have a server started"
            ) from None


def _jaeger(stack: ExitStack, stage: Stage) -> Jaeger:
    program = find_jaeger(_say)
    _say(f"starting Jaeger, {program.how}")
    jaeger = stack.enter_context(Jaeger(program, stage.folder))
    stage.export["OTEL_EXPORTER_OTLP_ENDPOINT"] = jaeger.otlp_endpoint
    return jaeger


async def _call(stage: Stage, scenario: Scenario, server: LiveKit, room: str, record: Path | None) -> Timeline:
    _say("starting tracer serve")
    stage.serve(server, *(["--record", str(record)] if record else []))
    async with LiveKitAPI(server.url, server.api_key, server.api_secret) as livekit:
        play = Play(stage, server, livekit, room, _say)
        for worker in scenario.workers:
            play.start(worker)
        await scenario.play(play)
        _say("waiting for the room to close")
        return await play.ended()


def _replay(stage: Stage) -> Timeline:
    """The recorded call, kept in the demo's store."""
    from tracer.service.replay import arrivals, replay
    from tracer.store import open_writer

    _say("Without a server, this is a recording of a real call.")
    with (
        resources.as_file(resources.files("tracer.demo").joinpath("call.jsonl")) as path,
        closing(open_writer(stage.store)) as store,
    ):
        replay([path], store)
        room = next(moment.room for arrival in arrivals(path) for moment in arrival.moments if moment.room)
    return stage.timeline(room)


def _show(scenario: Scenario, timeline: Timeline, jaeger: Jaeger | None = None) -> None:
    out = console()
    out.print()
    out.print(TimelineView(timeline))
    out.print()
    out.print(Text(scenario.question, style="bold"))
    for sentence in scenario.answer(timeline):
        out.print(Text(sentence))
    if scenario.cause:
        out.print(WhyView(timeline, explain(timeline)))
    out.print()
    tracer, room = _called(), timeline.room.sid if timeline.later else timeline.room.name
    if scenario.cause:
        _say(f"why: {tracer} why {room}   check its order: {tracer} check {room}")
    _say(f"again: {tracer} timeline {room}   as JSON: --format json   all rooms: {tracer} rooms")
    if jaeger:
        _say(f"in Jaeger: {trace_link(timeline.trace_id, jaeger.query_url)}", whole=True)


def _called() -> str:
    """How the user calls this program: it need not be on the PATH, as after `make demo`."""
    if shutil.which("tracer"):
        return "tracer"
    called = Path(sys.argv[0])
    return "python -m tracer" if called.name == "__main__.py" else shlex.quote(str(called))


async def _keep(stage: Stage, server: LiveKit) -> None:
    """Leave everything running until Ctrl-C, and say how to look at it."""
    env = stage.folder / "demo.env"
    env.touch(mode=0o600)
    env.write_text(
        f"LIVEKIT_URL={server.url}\nLIVEKIT_API_KEY={server.api_key}\nLIVEKIT_API_SECRET={server.api_secret}\n"
        f"TRACER_STORE={stage.store}\nTRACER_ENDPOINT=http://127.0.0.1:{stage.port}\n"
    )
    _say(f"Everything keeps running: LiveKit at {server.url}, the receiver at http://127.0.0.1:{stage.port}.")
    _say(f"Keys and addresses: set -a; . {env}", whole=True)
    _say("Logs are in the same folder. Ctrl-C stops everything.")
    await asyncio.Event().wait()


def named(name: str) -> Scenario:
    """The scenario of this name. Raises ConfigurationError that offers the nearest."""
    from difflib import get_close_matches

    if name in ALL:
        return ALL[name]
    near = get_close_matches(name, ALL, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else "`tracer demo --list` names them"
    raise ConfigurationError(f"no scenario {name!r}: {hint}")
