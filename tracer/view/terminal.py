"""The timeline in a terminal: how it went, who was there when, every moment, then notes and where the time went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tracer.moment import Kind
from tracer.timeline.origin import end_reason_label
from tracer.units import NS_PER_S, clock, duration
from tracer.view.budget import budget
from tracer.view.chart import Chart
from tracer.view.moments import MomentTable
from tracer.view.names import created_by
from tracer.view.notes import notes
from tracer.view.prose import wrapped
from tracer.view.rows import MomentRows
from tracer.view.text import fit, plain
from tracer.view.verdict import verdict
from tracer.why import explain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.timeline.entities import Participant
    from tracer.timeline.timeline import Timeline

__all__ = ["TimelineView", "notable", "one_line"]

NARROWEST = 60
WIDEST = 200
LINES = 23
"""Lines of a summary at the most: those of a terminal of 80x24, less one for the prompt."""
MOST_PARTICIPANTS = 12
"""Participants shown without --all."""


class TimelineView:
    """A Rich renderable of one timeline, as wide as the console, from 60 to 200 columns."""

    def __init__(self, timeline: Timeline, *, everything: bool = False, summary: bool = False) -> None:
        self.timeline = timeline
        self.explanation = explain(timeline)
        self.everything = everything
        self.summary = summary
        """Whether it is the verdict and the chart only, and no more of them than a small terminal has lines."""
        self.shown = list(timeline.participants) if everything else notable(timeline)
        self.hidden = [p for p in timeline.participants if p not in self.shown]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(max(options.max_width, NARROWEST), WIDEST)
        head = list(wrapped(console, verdict(self.timeline, self.explanation, width - 2), width))
        yield from head
        findings = self.explanation.findings
        rows = MomentRows(self.timeline, findings, self.hidden, everything=self.everything)
        chart = Chart(self.timeline, self.shown, [row.step for row in rows.rows], width, self.explanation)
        if self.summary:
            yield one_line(self.timeline, width)
            if self.timeline.steps:
                yield from chart.first(LINES - len(head) - 1)
            return
        yield from self._header(width)
        yield Text()
        if self.timeline.steps:
            yield from chart.lines()
            if self.hidden:
                yield Text(self._more(), style="dim")
            yield Text()
            yield from MomentTable(rows, self.hidden, width).lines()
            yield Text()
        noted = list(notes(self.timeline))
        yield from noted
        lines = list(budget(self.timeline, width))
        if noted and lines:
            yield Text()
        yield from lines

    def _header(self, width: int) -> Iterator[Text]:
        room = self.timeline.room
        line = Text(f"room {fit(plain(room.name or '?'), width // 3)}", style="bold", no_wrap=True)
        for part in _parts(self.timeline):
            if line.cell_len + 3 + cell_len(part) <= width:
                line.append(f"   {part}", style="not bold")
            else:
                yield line
                line = Text("  " + fit(part, width - 2), no_wrap=True)
        yield line

    def _more(self) -> str:
        states: dict[str, int] = {}
        for participant in self.hidden:
            state = participant.state or "of unknown state"
            states[state] = states.get(state, 0) + 1
        counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        return f"… and {len(self.hidden)} more participants ({counts}): --all shows them"


def one_line(timeline: Timeline, width: int, *, live: bool = False) -> Text:
    """Which room it is, and how it ended; ``live``: for how long it is open."""
    sid, *_, ending = _parts(timeline, live=live)
    line = f"room {fit(plain(timeline.room.name or '?'), width // 3)}   {sid}   {ending}"
    if cell_len(line) > width:
        line = line.removesuffix(ending) + ending.partition(":")[0]  # without the reason
    return Text(fit(line, width), style="dim", no_wrap=True)


def _parts(timeline: Timeline, *, live: bool = False) -> list[str]:
    """What is known of the room beside its name."""
    room = timeline.room
    parts = [plain(room.sid)]
    if timeline.created_by:
        parts.append(f"created by {created_by(timeline)}")
    if room.created and room.finished:
        lasted = duration((room.finished.time - room.created.time) / NS_PER_S)
        reason = f": {plain(end_reason_label(timeline.end_reason))}" if timeline.end_reason else ""
        parts.append(f"closed after {lasted}{reason}")
    elif room.finished:
        parts.append("closed")
    elif timeline.cut_off:
        parts.append(f"open when tracer stopped listening, at {clock(timeline.cut_off)}")
    elif live:
        parts.append(f"open for {duration((timeline.now - timeline.zero) / NS_PER_S)}")
    else:
        parts.append("still open, or its end was not recorded")
    return parts


def notable(timeline: Timeline) -> list[Participant]:
    """All of a small room; of a large one the agents, those who never were ACTIVE, and the first to come."""
    everyone = list(timeline.participants)
    if len(everyone) <= MOST_PARTICIPANTS:
        return everyone
    agents = [p for p in everyone if p.is_agent][: MOST_PARTICIPANTS // 2]
    aborted = [p for p in everyone if p.at(Kind.PARTICIPANT_ABORTED)][: MOST_PARTICIPANTS // 4]
    chosen = {p.sid for p in (*agents, *aborted)}
    for participant in everyone:
        if len(chosen) >= MOST_PARTICIPANTS:
            break
        chosen.add(participant.sid)
    return [p for p in everyone if p.sid in chosen]
