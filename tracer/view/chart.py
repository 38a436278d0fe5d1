"""The chart above the moments: a row for each participant, dispatch and job, as bars on the folded axis."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.text import Text

from tracer.units import NS_PER_MS, milliseconds, plural
from tracer.view.axis import FOLD, NARROWEST, Axis
from tracer.view.lanes import Form, failed_at, main_lanes, style_of, waits
from tracer.view.names import agent_number
from tracer.view.row import Row
from tracer.view.text import fit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.view.lanes import Bar, Lane, Mark
    from tracer.why import Explanation

__all__ = ["STYLES", "WIDE", "Chart", "colour_of"]

STYLES = {
    "room": "bold",
    "caller": "green",
    "agent": "magenta",
    "other": "",
    "dispatch": "cyan",
    "job": "cyan",
    "span": "magenta",
    "failed": "red",
}
"""Colours that read on light and dark ground; shapes say the same without them."""
AGENTS = (STYLES["agent"], "blue", "yellow", "bright_magenta", "bright_blue")
"""The colours of agents, one after the other, and from the beginning again."""

WIDE = 100
"""Columns from which on there is room for more."""
LABEL = 22
"""Columns of a row's name: an agent's identity has 21, wait_for_participant 22."""
MARK = "┊"
"""Down the column of a marked time, where nothing else is."""
CUT = "…"
"""Where the edge of a zoomed chart cuts a label: what is left of ``110 ms`` must not read as ``0 ms``."""
NOW = 9
"""Columns for the time that it is now: ``12.3 min``, and a space."""
ROOM_FOR_WORDS = 36
"""Columns of a dispatch's bar from which on it says what it shows; else how long it was alone."""

_FILLED = {Form.PRESENT: "━", Form.JOINING: "┄"}
_SIGNS = {"joining": "◌", "joined": "◐", "active": "●", "left": "┫", "aborted": "✕", "finished": "┫"}
"""Marks that are more than a ▏: the legend explains them."""
_OVER = (Form.FAILED, Form.UNKNOWN)
"""What breaks a bar that is there."""
_STATES = ("joining", "joined", "active")
_WORDS = re.compile(r"[\w.,:<'-]+(?: [\w.,:<'-]+)*")
"""A label among the signs of a row: words with one space between two."""


class Chart:
    """The rows for a timeline, for a terminal this wide, on the axis of these steps."""

    def __init__(
        self,
        timeline: Timeline,
        shown: list[Participant],
        steps: list[Step],
        width: int,
        explanation: Explanation | None = None,
        *,
        until: int | None = None,
        zoom: int = 1,
        shift: int = 0,
        mark: int | None = None,
    ) -> None:
        """``until``, ns: the axis goes on at least until then, as for a call that is watched.

        ``zoom``: the axis is so many times as wide, and ``shift`` columns of it are left of what is shown.
        ``mark`` is a time, ns, whose column is marked.
        """
        self.lanes = main_lanes(timeline, shown, explanation)
        self.label_width = LABEL if width < WIDE else LABEL + 8
        self.note_width = 9 if width < WIDE else 15
        sids = {sid for lane in self.lanes for sid in lane.subjects}
        times = [step.time for step in steps if step.subject in sids]
        missing = waits(timeline, self.lanes)
        times += [edge for wait in missing for edge in wait] + failed_at(self.lanes)
        times += [] if until is None else [until]
        self.width = width - self.label_width - self.note_width - 2
        """Columns of the axis that are shown."""
        last = NARROWEST if until is None else NOW
        self.axis = Axis(times, timeline.zero, self.width * zoom, missing, last=last)
        self.marked = None if mark is None else self.axis.column(mark)
        self.shift = min(max(shift, 0), self.axis.width - self.width)

    def lines(self) -> Iterator[Text]:
        """Line after line, as wide as the terminal at the most."""
        yield self._scale()
        yield from map(self._finished, map(self._row, self.lanes))

    def first(self, most: int) -> Iterator[Text]:
        """As ``lines``, ``most`` at the most: what agents did gives way first, then the last rows; they are counted."""
        room = most - 1
        if len(self.lanes) > room:
            shown = [lane for lane in self.lanes if lane.of != "span"]
            shown = shown if len(shown) < room else shown[: room - 1]
        else:
            shown = self.lanes
        yield self._scale()
        yield from map(self._finished, map(self._row, shown))
        if left := len(self.lanes) - len(shown):
            yield Text(f"… and {left} more {plural(left, 'row')}: without --summary", style="dim")

    def _scale(self) -> Text:
        shown = "".join(self._window(self.axis.scale()))
        before = self.label_width + self.note_width + 2
        line = Text(" " * before + shown.ljust(self.width), style="dim")
        if self.marked is not None and self.shift <= self.marked < self.shift + self.width:
            column = before + self.marked - self.shift
            line.stylize("reverse not dim", column, column + 1)
        line.rstrip()
        return line

    def _window(self, cells: Sequence[str]) -> list[str]:
        """The cells that are shown, one for each column, with a sign where an edge cuts a label."""
        first, beyond = self.shift, self.shift + self.width
        shown = list(cells[first:beyond])
        for words in _WORDS.finditer("".join(cells)):
            if words.start() < first < words.end():
                shown[0] = CUT
            if words.start() < beyond < words.end():
                shown[-1] = CUT
        return shown

    def _finished(self, row: Row) -> Text:
        label = fit(row.label, self.label_width)
        note = fit(row.note, self.note_width)
        folds = {column + offset for column in self.axis.folds for offset in range(len(FOLD))}
        text = Text(no_wrap=True)
        text.append(label + " " * (self.label_width - cell_len(label) + 1), style=row.style)
        text.append(note + " " * (self.note_width - cell_len(note) + 1), style="dim")
        for column, char in enumerate(self._window(row.cells), self.shift):
            if column in folds and char in " ━┄╌":
                mark = FOLD[min(column - start for start in self.axis.folds if start <= column)]
                style, char = "dim", " " if char == " " else mark  # noqa: PLW2901  what is shown in its place
            else:
                style = STYLES["failed"] if column in row.failed else row.style
            if column == self.marked and char == " ":
                style, char = "dim", MARK  # noqa: PLW2901
            text.append(char, style=style)
        text.rstrip()
        return text

    def _row(self, lane: Lane) -> Row:
        label = f"  {lane.label}" if lane.of == "span" else lane.label
        # The room's own name stands above the chart.
        row = Row(label, "" if lane.of == "room" else lane.note, _colour(lane.agent, lane.of), self.axis)
        over = [bar for bar in lane.bars if bar.form in _OVER]
        for bar in lane.bars:
            if bar not in over:
                self._draw_bar(row, lane, bar)
        spans = sorted((bar for bar in lane.bars if bar.form is Form.SPAN), key=_length)
        # Of those in one column the longest says what it is.
        for columns, bar in {self._columns(bar): bar for bar in spans}.items():
            row.say(*columns, self._words(lane, bar))
        for mark in lane.marks:
            if mark.form != "failed":
                self._draw_mark(row, mark)
        for bar in over:
            self._draw_bar(row, lane, bar)
        for mark in lane.marks:
            if mark.form == "failed":
                row.fail(self.axis.column(mark.at), mark.text)
        return row

    def _columns(self, bar: Bar) -> tuple[int, int]:
        return self.axis.column(bar.start), self.axis.width - 1 if bar.end is None else self.axis.column(bar.end)

    def _words(self, lane: Lane, bar: Bar) -> str:
        start, end = self._columns(bar)
        if lane.of == "dispatch" and end - start <= ROOM_FOR_WORDS:
            return milliseconds(_length(bar) / NS_PER_MS)
        return bar.text

    def _draw_bar(self, row: Row, lane: Lane, bar: Bar) -> None:
        start, end = self._columns(bar)
        match bar.form:
            case Form.SPAN:
                row.bracket(start, end)
            case Form.MISSING | Form.AWAITED:
                row.missing(start, end, bar.text)
            case Form.FAILED:
                row.broken(start, end)
            case Form.UNKNOWN:
                row.unknown(start, end)
            case _:
                row.fill(start, end, _FILLED[bar.form])
                if bar.end is None and lane.of != "span":
                    row.put(end, "▸")

    def _draw_mark(self, row: Row, mark: Mark) -> None:
        column, sign = self.axis.column(mark.at), _SIGNS.get(mark.form, "▏")
        if mark.form in _STATES and row.cells[column] in "◌◐":
            # Two states in one column: the later one takes the next, if that is free.
            is_free = row.cells[column + 1 : column + 2] == ["┄"]
            column = column + 1 if is_free else column
        row.put(column, sign)
        if mark.text and mark.form != "finished":
            row.after(column + 1, mark.text, mark.text.partition(":")[0])


def _length(bar: Bar) -> int:
    return 0 if bar.end is None else bar.end - bar.start


def colour_of(timeline: Timeline, participant: Participant) -> str:
    """The style of a participant: each agent has a colour of its own."""
    return _colour(agent_number(timeline, participant.sid), style_of(participant))


def _colour(agent: int, of: str) -> str:
    return AGENTS[(agent - 1) % len(AGENTS)] if agent else STYLES[of]
