"""What the demo says: what is going on, then the timeline, the answer, and how to see it again."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from tracer.settings import default_store
from tracer.view.console import console
from tracer.view.terminal import TimelineView
from tracer.view.why import WhyView
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.demo.scenario import Scenario
    from tracer.timeline.timeline import Timeline

__all__ = ["called", "command", "say", "show"]


def say(text: str, *, whole: bool = False) -> None:
    """Print what is going on; ``whole`` lines are not broken, so that they can be copied."""
    console().print(Text(text, style="dim"), soft_wrap=whole)


def show(scenario: Scenario, timeline: Timeline, store: Path) -> None:
    """The call's timeline, the scenario's question with its answer, and the commands that show it again."""
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
    say(f"again: {command('timeline', timeline, store)}", whole=True)
    if scenario.cause:
        say(f"why:   {command('why', timeline, store)}", whole=True)
    say(f"order: {command('check', timeline, store)}", whole=True)
    if scenario.name == "automatic":
        say(f"learn: {called()} learn 1", whole=True)


def command(name: str, timeline: Timeline, store: Path) -> str:
    """The command that shows a call again, to be copied."""
    kept = "" if Path(default_store()).absolute() == store else f" --store {shlex.quote(str(store))}"
    return f"{called()} {name} {timeline.room.sid}{kept}"


def called() -> str:
    """How the user calls this program: it need not be on the PATH, as after `make demo`."""
    if shutil.which("tracer"):
        return "tracer"
    called = Path(sys.argv[0])
    return "python -m tracer" if called.name == "__main__.py" else shlex.quote(str(called))
