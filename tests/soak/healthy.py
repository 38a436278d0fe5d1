"""Healthy calls of every kind, again and again: does `tracer why` stay quiet, while they last and afterwards?"""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from livekit.api import LiveKitAPI

from tests.live.openai_server import OpenAIServer
from tests.soak.caller import LIMIT, Call
from tests.soak.calls import KINDS, MODELS, WORKERS, Kind
from tests.soak.options import Report, say
from tracer.check import Outcome, check
from tracer.demo.stage import Stage
from tracer.errors import TracerError
from tracer.local_servers import LiveKitServer, find_livekit_server, free_port
from tracer.why import explain
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from tests.soak.options import Options
    from tracer.local_servers import Process, Program
    from tracer.timeline.timeline import Timeline
    from tracer.why.cause import Finding

__all__ = ["run"]

EVERY = 1.0
"""Seconds after which `why` is asked again while a call lasts."""
LATE = 3.0
"""A caller who had to wait for longer than this, seconds, was kept waiting: a cause for that is no false alarm."""
STARVED = 0.5
"""Where a sleep of this program's took so many seconds too long, the machine had no CPU for the agents either."""
SLOWNESS = ("event-loop-blocked", "no-session")
"""Causes that can be slowness and nothing else, beside those by which an agent came late."""
READY = 2
"""Processes that each worker keeps ready."""


@dataclass
class Made:
    """A call that was made."""

    kind: Kind
    room: str
    asked: int = 0
    """How often `why` was asked while it lasted."""
    alarms: list[str] = field(default_factory=list)
    waited: float = 0.0
    """Seconds that its caller had to wait, by their own clock."""
    overslept: float = 0.0
    """Seconds by which this program slept too long meanwhile, at most."""
    late: list[str] = field(default_factory=list)
    """What `why` said of slowness: an alarm only where nothing else shows that it was slow."""
    failed: str = ""
    """Why it could not be made; empty when it was."""

    def note(self, finding: Finding, when: str = "") -> None:
        """Keep what was named."""
        is_slowness = finding.cause.symptom is Symptom.LATE or finding.cause.name in SLOWNESS
        kept = self.late if is_slowness else self.alarms
        kept.append(f"{when}`{finding.cause.name}`: {finding.sentence}")


def run(options: Options) -> Report:
    """Every kind ``options.times`` times, several calls at once; each set of workers has a server of its own."""
    kinds = _spread([kind for kind in KINDS if options.only in kind.name], options.kinds)
    program = find_livekit_server(say)
    with ExitStack() as stack:
        stages = {
            workers: _stage(stack, program, workers, options) for workers in dict.fromkeys(k.workers for k in kinds)
        }
        made = asyncio.run(_all(stages, kinds, options))
    return _report(kinds, made)


def _spread(kinds: list[Kind], count: int) -> list[Kind]:
    """So many of them, taken evenly; 0 for all."""
    count = min(count or len(kinds), len(kinds))
    return [kinds[number * len(kinds) // count] for number in range(count)]


def _report(kinds: list[Kind], made: list[Made]) -> Report:
    lines = ["| a healthy call | made | without a false alarm | slow, and said to be |", "|---|---|---|---|"]
    for kind in kinds:
        own = [one for one in made if one.kind is kind and not one.failed]
        quiet = [one for one in own if not one.alarms]
        lines.append(f"| {kind.about} | {len(own)} | {len(quiet)} | {sum(bool(one.late) for one in quiet)} |")
    done = [one for one in made if not one.failed]
    wrong = [f"- {one.room}: {alarm}" for one in done for alarm in one.alarms]
    undone = [f"- {one.room}: {one.failed}" for one in made if one.failed]
    summary = (
        f"{len(done)} calls of {len(kinds)} kinds; `why` was asked once each was over, and {sum(m.asked for m in done)}"
        f" times while they lasted. {sum(bool(one.alarms) for one in done)} calls had a false alarm. In"
        f" {sum(bool(one.late) for one in done)} the machine was short of CPU, and `why` said what was slow: there a"
        f" caller waited for longer than {LATE:.0f} s by their own clock, or this program itself slept {STARVED} s"
        " too long."
    )
    lines += ["", summary]
    lines += ["", "False alarms:", "", *wrong] if wrong else []
    lines += ["", "Not made:", "", *undone] if undone else []
    return Report("\n".join(lines), not wrong and bool(done))


def _stage(stack: ExitStack, program: Program, workers: str, options: Options) -> tuple[Stage, LiveKitServer]:
    """A server, a receiver and these workers, all of them ready."""
    folder = options.folder / workers
    folder.mkdir(exist_ok=True)
    port = free_port()
    webhooks = [f"http://127.0.0.1:{port}/webhook"]
    server = stack.enter_context(LiveKitServer(program, folder=folder, webhooks=webhooks))
    stage = stack.enter_context(Stage(folder, folder / "t.db", port))
    stage.start_limit = LIMIT
    stage.serve(server.settings, "--record", str(folder / "calls.jsonl"))
    more = {}
    if workers == MODELS:
        models = stack.enter_context(OpenAIServer("opening_hours", {"day": "Monday"}))
        more = {"OPENAI_API_KEY": "sk-of-nobody", "OPENAI_BASE_URL": models.url}
    for number, worker in enumerate(WORKERS[workers]):
        start = stage.agent if worker.instrumented else stage.stranger
        environment = {
            "AGENT_LOAD_THRESHOLD": "inf",
            "AGENT_NAME": worker.agent_name,
            "AGENT_IDLE_PROCESSES": str(READY),
            **worker.environment,
            **more,
        }
        process = start(server.settings, worker.file, name=f"agent-{number}", **environment)
        process.wait_until(partial(_is_ready, process), LIMIT, what="ready for calls")
    return stage, server


def _is_ready(process: Process) -> bool:
    return process.log.read_text(encoding="utf-8").count('"process initialized"') >= READY


async def _all(stages: dict[str, tuple[Stage, LiveKitServer]], kinds: list[Kind], options: Options) -> list[Made]:
    free = asyncio.Semaphore(options.at_once)
    async with AsyncExitStack() as stack:
        calls = {}
        for workers, (stage, server) in stages.items():
            settings = server.settings
            livekit = await stack.enter_async_context(LiveKitAPI(settings.url, settings.api_key, settings.api_secret))
            calls[workers] = Call(stage, settings, livekit, "", lambda _: None)

        async def one(kind: Kind, number: int) -> Made:
            async with free:
                made = await _made(calls[kind.workers], kind, f"{kind.name}.{number}")
            say(f"{made.room}: {made.failed or '; '.join(made.alarms) or ('late' if made.late else 'quiet')}")
            return made

        return await asyncio.gather(*(one(kind, number + 1) for number in range(options.times) for kind in kinds))


async def _made(base: Call, kind: Kind, room: str) -> Made:
    """Make one call, and judge what `why` and `check` say of it."""
    made = Made(kind, room)
    call = base.another(room)
    watching = asyncio.create_task(_watch(call, made))
    try:
        await kind.play(call)
        timeline = await call.ended()
    except (TracerError, OSError, RuntimeError, TimeoutError) as error:
        made.failed = f"{type(error).__name__}: {error}"
    else:
        made.waited = call.waited
        _judge(made, timeline)
    finally:
        watching.cancel()
    return made


async def _watch(call: Call, made: Made) -> None:
    """Ask `why` of the call while it lasts: a cause that is named then is a false alarm too."""
    seen = set()
    while True:
        began = time.monotonic()
        await asyncio.sleep(EVERY)
        made.overslept = max(made.overslept, time.monotonic() - began - EVERY)
        timeline = call.timeline()
        if timeline is None:
            continue
        made.asked += 1
        for finding in explain(timeline).findings:
            if finding.cause not in seen:
                seen.add(finding.cause)
                made.note(finding, "while it lasted, ")


def _judge(made: Made, timeline: Timeline) -> None:
    """Given that the call is over."""
    explained = explain(timeline)
    for finding in explained.findings:
        made.note(finding)
    if not explained.findings and explained.well not in made.kind.well:
        made.alarms.append(explained.summary)
    if True in made.kind.well:
        made.alarms += [f"a doubt, `{doubt.cause.name}`" for doubt in explained.doubts]
    violated = [one.rule for one in check(timeline).judgements if one.answer is Outcome.VIOLATED]
    made.alarms += [f"rule {rule.number} of `check`: {rule.name}" for rule in violated]
    if made.waited <= LATE and made.overslept <= STARVED:
        made.alarms += made.late
        made.late = []
