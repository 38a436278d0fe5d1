"""One verdict of `tracer check` in a terminal: its sentence, and the steps that it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tracer.check import Outcome
from tracer.check.sentences import length
from tracer.units import NS_PER_MS, offset, rfc3339
from tracer.view.prose import wrapped
from tracer.view.text import fit, plain
from tracer.view.wording import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, RenderableType

    from tracer.check import Verdict
    from tracer.moment import Moment
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["MARKS", "WIDE", "Steps", "verdict_lines"]

WIDE = 80
"""Columns from which on there is room for dates and whole counts."""
TIME_OF_DAY = len("2025-11-22T")
"""Where the time begins in a date and time."""
MOST_REPORTS = 6
"""Reports of one step shown without --all."""

# In styles that read on light and dark ground.
MARKS = {Outcome.HOLDS: ("✓", "green"), Outcome.VIOLATED: ("✗", "bold red"), Outcome.INCONCLUSIVE: ("?", "cyan")}
"""For each outcome its mark and style."""


def verdict_lines(console: Console, verdict: Verdict, width: int) -> Iterator[RenderableType]:
    """What was found and, where it is inconclusive, why."""
    mark, style = MARKS[verdict.answer]
    text = Text.assemble((f"{mark} ", style))
    text.append(plain(verdict.sentence), style="red" if verdict.answer is Outcome.VIOLATED else "")
    if verdict.why:
        text.append(f": {plain(verdict.why)}", style="dim")
    yield from wrapped(console, text, width, 5)


class Steps:
    """The steps of a timeline, each by its number there."""

    def __init__(self, timeline: Timeline, *, everything: bool) -> None:
        self.timeline = timeline
        self.everything = everything
        self.numbers = {step.key: number for number, step in enumerate(timeline.steps, 1)}

    def named(self, step: Step) -> str:
        """A step's number and what happened: ``#7 job offered``."""
        return f"#{self._number(step)} {self._phrase(step)}"

    def lines(self, step: Step, width: int) -> Iterator[Text]:
        """A step, and below it what each witness reported."""
        at = offset((step.time - self.timeline.zero) / NS_PER_MS)
        yield Text(fit(f"       #{self._number(step):<4} {at:>11}  {self._phrase(step)}", width))
        shown = step.moments if self.everything else step.moments[:MOST_REPORTS]
        for moment in shown:
            yield Text(fit(f"             {_report(moment, dates=width >= WIDE)}", width), style="dim", no_wrap=True)
        if len(shown) < len(step.moments):
            yield Text(f"             … and {len(step.moments) - len(shown)} more reports: --all", style="dim")

    def _number(self, step: Step) -> int:
        return self.numbers.get(step.key, 0)

    def _phrase(self, step: Step) -> str:
        return say(self.timeline, step)[0]


def _report(moment: Moment, *, dates: bool) -> str:
    """The source, whose clock it is, the earliest time by it and how much later it can have been."""
    source, clock = fit(plain(moment.witness), 8), fit(plain(moment.clock), 8)
    earliest = rfc3339(moment.earliest)
    start = earliest if dates else earliest[TIME_OF_DAY:]
    interval = f"{start} + {length(moment.width)}" if moment.width else start
    return f"{source:8} {clock:8}  {interval}"
