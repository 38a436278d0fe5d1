"""What `tracer check` found in a room, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tracer.check import Outcome
from tracer.view.check_clocks import ClockLines
from tracer.view.check_verdict import MARKS, WIDE, Steps, verdict_lines
from tracer.view.prose import wrapped
from tracer.view.text import fit, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from tracer.check import Judgement, RoomCheck, Verdict

__all__ = ["CheckView"]

NARROWEST = 60
WIDEST = 120
"""Columns; nobody reads longer lines of prose."""
MOST_VERDICTS = 5
"""Verdicts shown for a rule without --all."""


class CheckView:
    """A Rich renderable of one room's check, from 60 columns on: a line for each rule, and what it found below."""

    def __init__(self, check: RoomCheck, *, everything: bool = False) -> None:
        self.check = check
        self.everything = everything
        self.steps = Steps(check.timeline, everything=everything)
        self.clocks = ClockLines(check.clocks, self.steps, everything=everything)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(max(options.max_width, NARROWEST), WIDEST)
        yield from self._head(console, width)
        yield Text()
        counts = [_count(judgement, width) for judgement in self.check.judgements]
        columns = max(map(len, counts))
        for judgement, count in zip(self.check.judgements, counts, strict=True):
            yield _rule(judgement, count.rjust(columns), width)
            yield from self._found(console, judgement, width)
        yield Text()
        yield from self.clocks.all(console, width)

    def _head(self, console: Console, width: int) -> Iterator[RenderableType]:
        room = self.check.timeline.room
        yield Text(f"room {fit(plain(room.name or '?'), width // 2)}  {plain(room.sid)}", style="bold", no_wrap=True)
        mark, style = MARKS[self.check.answer]
        summary = self.check.summary
        if self.check.count(Outcome.HOLDS) == len(self.check.judgements) and self._hides_details():
            summary += " (--all)"
        yield from wrapped(console, Text(f"{mark} {summary}", style=style), width)
        yield from self.clocks.skewed(console, width)

    def _hides_details(self) -> bool:
        """Whether there are inconclusive verdicts that are not shown below their rule."""
        return not self.everything and any(one.having(Outcome.INCONCLUSIVE) for one in self.check.judgements)

    def _found(self, console: Console, judgement: Judgement, width: int) -> Iterator[RenderableType]:
        """What a rule found: what fails, and what is inconclusive where that is all or everything is wanted."""
        if not judgement.verdicts:
            yield from wrapped(console, Text(judgement.rule.missing, style="dim"), width, 5)
        yield from self._listed(console, judgement.having(Outcome.VIOLATED), width)
        if self.everything or judgement.answer is Outcome.INCONCLUSIVE:
            yield from self._listed(console, judgement.having(Outcome.INCONCLUSIVE), width)

    def _listed(self, console: Console, verdicts: list[Verdict], width: int) -> Iterator[RenderableType]:
        """Verdicts with one outcome, not too many."""
        shown = verdicts if self.everything else verdicts[:MOST_VERDICTS]
        for verdict in shown:
            yield from verdict_lines(console, verdict, width)
            if self.everything or verdict.answer is Outcome.VIOLATED:
                for step in verdict.steps:
                    yield from self.steps.lines(step, width)
        hidden = verdicts[len(shown) :]
        if hidden:
            yield Text(f"     … {len(hidden)} more {hidden[0].answer.label(len(hidden))}: --all", style="dim")


def _rule(judgement: Judgement, count: str, width: int) -> Text:
    """A rule's line: its outcome, number and sentence, and what it found counted."""
    mark, style = MARKS[judgement.answer]
    holds = judgement.answer is Outcome.HOLDS
    columns = width - len(count) - 8
    line = Text.assemble((f"{mark} ", style), no_wrap=True)
    line.append(f"{judgement.rule.number:2}  ", style="dim")
    line.append(f"{fit(judgement.rule.sentence, columns):{columns}}  ", style="" if holds else style)
    line.append(count, style="dim" if holds else style)
    return line


def _count(judgement: Judgement, width: int) -> str:
    """A rule's verdicts, counted in as many columns as there are."""
    if not judgement.verdicts:
        return "not observed"
    if judgement.answer is not Outcome.VIOLATED and width >= WIDE:
        return judgement.summary
    count, whole = len(judgement.having(judgement.answer)), len(judgement.verdicts)
    of = f" of {whole}" if count < whole else ""
    return f"{count}{of} {judgement.answer.label(count)}"
