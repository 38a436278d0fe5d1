"""One moment with all that is known of it: what it means, how sure its time is, and what each witness reported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tracer.units import NS_PER_MS, clock, milliseconds, offset, rfc3339
from tracer.view.moments import accuracy
from tracer.view.names import name_of, with_names
from tracer.view.prose import wrapped
from tracer.view.text import fit, plain
from tracer.view.wording import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from tracer.moment import Fact, Moment
    from tracer.timeline.overdue import Missing
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.view.rows import MomentRow
    from tracer.why import Finding

__all__ = ["MissingView", "MomentView"]

LABEL = 9
"""Columns of what a line is about."""
MOST_REPORTS = 12
"""Reports that are shown, of all witnesses."""
MOST_FACTS = 24
"""Facts that are shown of one report."""


class MomentView:
    """A Rich renderable of one row of the table of moments."""

    def __init__(self, timeline: Timeline, row: MomentRow, findings: Sequence[Finding] = ()) -> None:
        self.timeline = timeline
        self.row = row
        self.findings = findings

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        step, width, info = self.row.step, options.max_width, self.row.step.kind.info
        phrase, detail = say(self.timeline, step)
        title = Text(phrase, style="bold")
        if detail:
            title.append(f"  {detail}", style="not bold")
        yield from wrapped(console, title, width, 0)
        for finding in self.findings:
            if any(step.key == other.key for other in finding.evidence):
                yield from self._about(console, "problem", with_names(self.timeline, finding.sentence), width, "red")
        at = offset((step.time - self.timeline.zero) / NS_PER_MS)
        yield from self._about(console, "when", f"{at}, {rfc3339(step.time)[11:]}, {how_sure(step)}", width)
        yield from self._about(console, "kind", f"{step.kind}, of {plain(step.subject)}", width)
        yield from self._about(console, "meaning", _spoken(info.meaning), width)
        yield from self._about(console, "because", _spoken(info.cause), width)
        yield from self._about(console, "then", _spoken(info.following), width)
        reports = [moment for one in (step, *self.row.others, *self.row.repeats) for moment in one.moments]
        for moment in reports[:MOST_REPORTS]:
            yield from self._report(console, moment, width)
        if (left := len(reports) - MOST_REPORTS) > 0:
            yield Text(f"… and {left} more reports", style="dim")

    def _about(self, console: Console, label: str, words: str, width: int, style: str = "") -> Iterator[RenderableType]:
        line = Text(f"{label:{LABEL}}", style="dim")
        line.append(words, style=f"not dim {style}")
        yield from wrapped(console, line, width, 0, LABEL)

    def _report(self, console: Console, moment: Moment, width: int) -> Iterator[RenderableType]:
        """What one witness reported: by whose clock, between which times, and the facts."""
        zero = self.timeline.zero
        first, last = ((time - zero) / NS_PER_MS for time in (moment.earliest, moment.latest))
        when = offset(last) if moment.width < NS_PER_MS // 10 else f"{offset(first)} to {offset(last)}"
        line = Text()
        line.append(plain(moment.witness), style="cyan")
        line.append(f" said {when} by the {plain(moment.clock)}'s clock", style="dim")
        if moment.kind is not self.row.step.kind:
            line.append(f", as {moment.kind}", style="dim")
        yield from wrapped(console, line, width, 0)
        for key, value in moment.facts[:MOST_FACTS]:
            yield Text(fit(f"  {plain(key)} = {_value(value)}", width), style="dim", no_wrap=True)
        if (left := len(moment.facts) - MOST_FACTS) > 0:
            yield Text(f"  … and {left} more", style="dim")


class MissingView:
    """A Rich renderable of what should have come and has not."""

    def __init__(self, timeline: Timeline, missing: Missing) -> None:
        self.timeline = timeline
        self.missing = missing

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        missing, width = self.missing, options.max_width
        who = name_of(self.timeline, missing.step.subject)
        took = milliseconds(missing.ns / NS_PER_MS)
        title = Text(f"{missing.what}  {who}", style="bold red" if missing.over else "bold yellow")
        yield from wrapped(console, title, width, 0)
        by = ", and the room is closed" if missing.over else " by now"
        if self.timeline.cut_off:
            by = f" by {clock(self.timeline.cut_off)}, when tracer stopped listening"
        yield from wrapped(console, Text(f"for {took}{by}"), width)
        phrase, _ = say(self.timeline, missing.step)
        after = Text("after    ", style="dim")
        after.append(f"{phrase}, {offset((missing.step.time - self.timeline.zero) / NS_PER_MS)}", style="not dim")
        yield from wrapped(console, after, width, 0, LABEL)
        then = Text("expected ", style="dim")
        then.append(_spoken(missing.step.kind.info.following), style="not dim")
        yield from wrapped(console, then, width, 0, LABEL)


def how_sure(step: Step) -> str:
    """In words, how far off a step's time can be."""
    if step.contradicted:
        return "and the witnesses contradict each other"
    how = accuracy(step)
    return "exact" if how == "±0" else how


def _value(value: Fact) -> str:
    return plain(value) if isinstance(value, str) else str(value)


def _spoken(words: str) -> str:
    """Words of the documentation, which marks code with backticks."""
    return words.replace("`", "")
