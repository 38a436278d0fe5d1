"""The demo: a scenario from beginning to end, its timeline and its answer."""

from __future__ import annotations

import asyncio
import secrets
import signal
import tempfile
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import aiohttp
from livekit.api import TwirpError

from tracer.answers.of_aiohttp import bounded_api, bounded_session
from tracer.demo.failures import FAILURES
from tracer.demo.play import Play, until
from tracer.demo.scenarios import SCENARIOS
from tracer.demo.shown import say, show
from tracer.demo.stage import Stage
from tracer.demo.theirs import TheirServer
from tracer.demo.trace import JaegerTrace, TraceFile, destination
from tracer.errors import BinaryMissingError, ConfigurationError, DemoError
from tracer.export.span_names import SpanNames
from tracer.local_servers import LiveKitServer, find_livekit_server, free_port
from tracer.reaching import in_words
from tracer.settings import address, demo_dir
from tracer.store import DEMO, Arrival, open_reader, open_writer
from tracer.view.progress import progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracer.demo.scenario import Scenario
    from tracer.settings import LiveKit
    from tracer.timeline.timeline import Timeline

__all__ = ["DemoOptions", "named", "perform", "run"]

LONGEST_ANSWER = 30.0
"""Seconds that the server's API may take for one answer: a busy machine has other things to do."""
DEPARTURE_TIMEOUT = 2
"""Seconds; LiveKit's default of 20 would keep people waiting for the end."""
ALL = SCENARIOS | FAILURES
"""Every scenario by name."""
RECORDED = "automatic"
"""The scenario of which there is a recording."""
ENDING = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Ctrl-C, SIGTERM and a closed terminal end the demo alike, with everything cleaned up."""


MOST_KEPT = 20
"""Calls without a store of the user's that are kept."""
MOST_ROOMS = 100
"""More than any scenario makes."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What was given on the command line."""

    store: Path | None = None
    """Where the call is kept when it is over, without it in a file of its own; until then it has a store of its own."""
    server: str | None = None
    """URL of a server of the user's; without it one is started."""
    agree: Callable[[], None] = lambda: None
    """Asks whether to go on; raises TracerError when not."""
    keep: bool = False
    jaeger: bool = False
    record: Path | None = None
    span_names: SpanNames = SpanNames.FULL


class _Place(NamedTuple):
    """Where the call is made."""

    server: LiveKit
    room: str
    prefix: str = ""
    """Of the agents' names, on a server that others use too."""


def run(scenario: Scenario, options: DemoOptions) -> None:
    """One call, shown. Raises DemoError when it cannot be made; nothing it started is left behind."""
    say(scenario.question + "\n")
    perform(scenario, options, show)


def perform(
    scenario: Scenario,
    options: DemoOptions,
    shown: Callable[[Scenario, Timeline, Path], None],
    before: Callable[[], None] = lambda: None,
) -> None:
    """As ``run``, but ``shown`` shows it, given also the store that it is kept in; the question is not said.

    ``before`` is called when everything has started, just before the call, or before the recorded one is shown.
    """
    for number in ENDING:
        signal.signal(number, _end)
    with ExitStack() as stack:
        try:
            _run(stack, scenario, options, shown, before)
        finally:
            # From here on everything is cleaned up, which takes some seconds at most and is not to be cut short.
            for number in ENDING:
                signal.signal(number, signal.SIG_IGN)


def _end(*_: object) -> None:
    raise KeyboardInterrupt


def _run(
    stack: ExitStack,
    scenario: Scenario,
    options: DemoOptions,
    shown: Callable[[Scenario, Timeline, Path], None],
    before: Callable[[], None],
) -> None:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tracer-demo-")))
    kept = options.store or _new_store(scenario)
    stage = Stage(folder, folder / "demo.db", free_port(), lost=scenario.lost)
    stage.report = say
    try:
        place = _theirs(stack, scenario, options) if options.server else _own(stack, stage)
    except BinaryMissingError as reason:
        if scenario.name != RECORDED:
            raise
        say(str(reason))
        before()
        shown(scenario, _replay(kept), kept)
        return
    trace = destination(stack, folder, say) if options.jaeger else None
    if trace:
        stage.export["OTEL_EXPORTER_OTLP_ENDPOINT"] = trace.endpoint
    over = stack.enter_context(ExitStack())
    stack.enter_context(stage)
    timeline = asyncio.run(_call(stage, scenario, place, options, before))
    _hand_over(stage, kept)
    over.callback(_hand_over, stage, kept)  # once more when all have ended: they report to the last
    shown(scenario, timeline, kept)
    if trace:
        asyncio.run(until(lambda: trace.arrived(timeline.room.sid), "the trace was not exported", say))
        if isinstance(trace, TraceFile):
            over.callback(lambda: say(trace.write(timeline.trace_id, kept), whole=True))
        else:
            say(trace.link(timeline.trace_id), whole=True)
    if options.keep or isinstance(trace, JaegerTrace):
        _keep(stage, place)


def _theirs(stack: ExitStack, scenario: Scenario, options: DemoOptions) -> _Place:
    """The user's server, once they have agreed; its rooms are deleted at the end."""
    if scenario.own_server:
        raise ConfigurationError(
            f"{scenario.name} is not played on a server that others use, for {scenario.own_server}: run it without"
            " --server"
        )
    room = f"{DEMO}{secrets.token_hex(4)}"
    theirs = TheirServer(options.server or "", room)
    theirs.reach()
    say(theirs.plan)
    options.agree()
    stack.callback(theirs.tidy)  # after callers and workers have ended, who could create a room again
    return _Place(theirs.settings, room, room)


def _own(stack: ExitStack, stage: Stage) -> _Place:
    """A server of the demo's own."""
    with progress() as shown:
        program = find_livekit_server(shown)
    say(f"starting livekit-server, {program.how}")
    webhook = f"http://127.0.0.1:{stage.webhook_port}/webhook"
    running = LiveKitServer(program, folder=stage.folder, webhooks=[webhook], departure_timeout=DEPARTURE_TIMEOUT)
    return _Place(stack.enter_context(running).settings, "demo")


async def _call(
    stage: Stage, scenario: Scenario, place: _Place, options: DemoOptions, before: Callable[[], None]
) -> Timeline:
    say("starting tracer serve")
    server = place.server
    recorded = ["--record", str(options.record)] if options.record else []
    # On a server of the demo's own there is nobody else: with --keep any room can be looked at.
    only = ["--only", place.room] if place.prefix else []
    stage.serve(server, *only, "--span-names", options.span_names, *recorded)
    try:
        async with bounded_session(LONGEST_ANSWER) as session:
            livekit = bounded_api(session, server.url, server.api_key, server.api_secret)
            play = Play(stage, server, livekit, place.room, say, prefix=place.prefix)
            for worker in scenario.workers:
                play.start(worker)
            before()
            await scenario.play(play)
            say("waiting for the room to close")
            return await play.ended()
    except (aiohttp.ClientError, TimeoutError, TwirpError) as error:
        why = error.message if isinstance(error, TwirpError) else in_words(error, LONGEST_ANSWER)
        raise DemoError(f"the call failed at LiveKit's API, {address(server.url)}: {why}") from None


def _new_store(scenario: Scenario) -> Path:
    """A file for this call only: what other demos do at the same time is no part of it. The oldest such are removed."""
    folder = demo_dir()
    folder.mkdir(parents=True, exist_ok=True)
    for old in sorted(folder.iterdir())[:-MOST_KEPT]:
        old.unlink(missing_ok=True)
    return folder / f"{time.strftime('%Y-%m-%d-%H%M%S')}-{scenario.name}-{secrets.token_hex(2)}.db"


def _hand_over(stage: Stage, store: Path) -> None:
    """Keep what was recorded of the call and its workers, where the user can look at it again."""
    with closing(open_reader(stage.store)) as reader, closing(open_writer(str(store))) as writer:
        for sid in ["", *(room.sid for room in reader.rooms(MOST_ROOMS))]:
            evidence = [Arrival(evidence=piece._replace(number=0)) for piece in reader.evidence(sid)]
            writer.add([Arrival(tuple(reader.moments(sid))), *evidence])


def _replay(store: Path) -> Timeline:
    """The recorded call, kept in the demo's store."""
    from tracer.service.replay import records, replay
    from tracer.store.load import read_timeline

    say("Without a server, this is a recording of a real call.")
    with (
        resources.as_file(resources.files("tracer.demo").joinpath("call.jsonl")) as path,
        closing(open_writer(str(store))) as writer,
    ):
        replay([path], writer)
        room = next(
            moment.room
            for arrivals in records(path)
            for arrival in arrivals
            for moment in arrival.moments
            if moment.room
        )
    return read_timeline(str(store), room)


def _keep(stage: Stage, place: _Place) -> None:
    """Leave everything running until Ctrl-C, and say how to look at it."""
    env, server = stage.folder / "demo.env", place.server
    # The keys of a server of the user's are in their environment already.
    keys = "" if place.prefix else f"LIVEKIT_API_KEY={server.api_key}\nLIVEKIT_API_SECRET={server.api_secret}\n"
    env.touch(mode=0o600)
    env.write_text(
        f"LIVEKIT_URL={server.url}\n{keys}TRACER_STORE={stage.store}\nTRACER_ENDPOINT=http://127.0.0.1:{stage.port}\n"
    )
    say(f"Everything keeps running: LiveKit at {server.url}, the receiver at http://127.0.0.1:{stage.port}.")
    say(f"Keys and addresses: set -a; . {env}", whole=True)
    say("Logs are in the same folder. Ctrl-C stops everything.")
    while True:
        signal.pause()


def named(name: str) -> Scenario:
    """The scenario of this name. Raises ConfigurationError that offers the nearest."""
    from difflib import get_close_matches

    if name in ALL:
        return ALL[name]
    near = get_close_matches(name, ALL, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else "`tracer demo --list` names them"
    raise ConfigurationError(f"no scenario {name!r}: {hint}")
