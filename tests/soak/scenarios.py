"""Every scenario of the demo that makes a fault, for real: does `tracer why` name it first?"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from tests.live.test_failures import MADE, played
from tests.soak.options import Report, say
from tracer.demo.stage import Stage
from tracer.errors import TracerError
from tracer.local_servers import LiveKitServer, find_livekit_server, free_port
from tracer.why import explain

if TYPE_CHECKING:
    from tests.soak.options import Options
    from tracer.demo.scenario import Scenario
    from tracer.local_servers.program import Program

__all__ = ["run"]


class Outcome(NamedTuple):
    """What came of a scenario."""

    name: str
    cause: str
    """What was made."""
    named: str | None
    """The cause that was named first; None where none was."""
    said: str


def run(options: Options) -> Report:
    """Each on a server and a stage of its own."""
    program = find_livekit_server(say)
    scenarios = [scenario for scenario in MADE if options.only in scenario.name]
    with ThreadPoolExecutor(options.at_once) as threads:
        outcomes = list(threads.map(lambda scenario: _outcome(program, scenario, options), scenarios))
    wrong = [outcome for outcome in outcomes if outcome.named != outcome.cause]
    causes = len({outcome.cause for outcome in outcomes})
    lines = [
        "| scenarios | causes | right first |",
        "|---|---|---|",
        f"| {len(outcomes)} | {causes} | {len(outcomes) - len(wrong)} of {len(outcomes)} |",
    ]
    if wrong:
        lines += ["", "Wrong:", "", *(f"- `{one.name}` makes `{one.cause}`: {one.said}" for one in wrong)]
    return Report("\n".join(lines), not wrong)


def _outcome(program: Program, scenario: Scenario, options: Options) -> Outcome:
    folder = options.folder / scenario.name
    folder.mkdir(exist_ok=True)
    port = free_port()
    try:
        with (
            LiveKitServer(program, folder=folder, webhooks=[f"http://127.0.0.1:{port}/webhook"]) as server,
            Stage(folder, folder / "t.db", port, lost=scenario.lost) as stage,
        ):
            stage.serve(server.settings, "--record", str(folder / "call.jsonl"))
            explained = explain(asyncio.run(played(stage, scenario, server.settings, scenario.name)))
    except TracerError as error:
        outcome = Outcome(scenario.name, str(scenario.cause), None, f"it could not be played: {error}")
    else:
        first = next(iter(explained.findings), None)
        said = f"`{first.cause.name}`, {first.sentence}" if first else explained.summary
        outcome = Outcome(scenario.name, str(scenario.cause), first.cause.name if first else None, said)
    say(f"scenario {outcome.name}: {'right' if outcome.named == outcome.cause else outcome.said}")
    return outcome
