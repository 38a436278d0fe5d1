"""A room while its call goes on, as much of it as a screen has lines for: verdict, chart and the latest moments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tracer.view.chart import Chart
from tracer.view.moments import MomentTable
from tracer.view.prose import wrapped
from tracer.view.rows import MomentRows
from tracer.view.terminal import NARROWEST, WIDEST, notable, one_line
from tracer.view.verdict import verdict
from tracer.why import explain

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.timeline.timeline import Timeline

__all__ = ["LiveView"]

FEWEST_MOMENTS = 6
"""Lines of the table that are shown, its head among them, before the chart gets more."""
FOOT = "live · Ctrl-C ends it, and leaves the timeline here"


class LiveView:
    """A Rich renderable as high as the console at the most; the chart goes on until the timeline's ``now``."""

    def __init__(self, timeline: Timeline, *, everything: bool = False, summary: bool = False) -> None:
        self.timeline = timeline
        self.everything = everything
        self.summary = summary
        """Whether the moments are left out."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        timeline, width = self.timeline, min(max(options.max_width, NARROWEST), WIDEST)
        explanation = explain(timeline)
        shown = list(timeline.participants) if self.everything else notable(timeline)
        hidden = [who for who in timeline.participants if who not in shown]
        rows = MomentRows(timeline, explanation.findings, hidden, everything=self.everything)
        said = list(wrapped(console, verdict(timeline, explanation, width - 2), width))
        yield from said
        yield one_line(timeline, width, live=True)
        if not timeline.steps:
            return
        steps = [row.step for row in rows.rows]
        until = None if timeline.room.finished else timeline.now
        chart = Chart(timeline, shown, steps, width, explanation, until=until)
        left = options.size.height - len(said) - 2  # for the second line, and the last
        bars = list(chart.first(max(left if self.summary else left - FEWEST_MOMENTS - 1, 2)))
        yield from bars[:left]
        left -= len(bars)
        if not self.summary and left > 2:
            first, *moments = MomentTable(rows, hidden, width).lines()
            yield Text()
            yield first
            yield from moments[-(left - 2) :]
        yield Text(FOOT, style="dim")
