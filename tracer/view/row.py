"""A row of the chart, drawn column by column."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from tracer.view.axis import Axis

__all__ = ["Row"]


@dataclass
class Row:
    """One line of the chart: its label, its note, and a character for each column of the axis."""

    label: str
    note: str
    style: str
    axis: Axis
    cells: list[str] = field(default_factory=list)
    failed: set[int] = field(default_factory=set)
    """Columns that show a failure."""

    def __post_init__(self) -> None:
        self.cells = [" "] * self.axis.width

    def put(self, column: int, char: str) -> None:
        """Set one column; beyond the axis nothing happens."""
        if 0 <= column < len(self.cells):
            self.cells[column] = char

    def fill(self, start: int, end: int, char: str) -> None:
        """Set the columns from ``start`` to ``end``, both included."""
        for column in range(start, end + 1):
            self.put(column, char)

    def fail(self, column: int, text: str) -> None:
        """✕ where something failed and, if there is room for it on one side, what. A state or an end stays, in red."""
        if self.cells[column] not in "●┫":
            self.put(column, "✕")
        self.failed.add(column)
        if not text:
            return
        width = cell_len(text)
        for start in (column + 2, column - 1 - width):
            around = self.cells[max(start - 1, 0) : start + width + 1]
            if start >= 0 and start + width <= len(self.cells) and set(around) <= {" ", "✕"}:
                self._write(start, text)
                self.failed |= set(range(start, start + width))
                break

    def broken(self, start: int, end: int) -> None:
        """A broken bar from there to ``end``, over a bar that is there."""
        for column in range(start, min(end, len(self.cells) - 1) + 1):
            if self.cells[column] in "━┄":
                self.put(column, "╌")
            self.failed.add(column)

    def unknown(self, start: int, end: int) -> None:
        """A broken bar of which nothing is known from there on, over a bar that is there; its end is red."""
        for column in range(start, min(end, len(self.cells) - 1) + 1):
            if self.cells[column] in "━┄":
                self.put(column, "╌")
        self.failed.add(end)

    def missing(self, start: int, end: int, words: str) -> None:
        """A broken bar for what did not come, with ✕ at its end and what it is within it, or beside it."""
        for column in range(start, end + 1):
            if 0 <= column < len(self.cells) and self.cells[column] == " ":
                self.put(column, "╌")
                self.failed.add(column)
        self.put(end, "✕")
        self.failed.add(end)
        inside = f" {words} "
        room = end - start - 1
        if cell_len(inside) <= room:
            first = start + 1 + (room - cell_len(inside)) // 2
            if set(self.cells[first : first + cell_len(inside)]) <= {"╌"}:
                self._write(first, inside)
        else:
            self.after(end + 1, words)

    def bracket(self, start: int, end: int) -> None:
        """├──┤, or ▏ in one column."""
        if start == end:
            self.put(start, "▏")
            return
        self.fill(start, end, "─")
        self.put(start, "├")
        self.put(end, "┤")

    def say(self, start: int, end: int, text: str) -> None:
        """What a bracket is: within it, else on that side of it where there is room and nothing yet."""
        inside, width = f" {text} ", cell_len(text)
        spare = end - start + 1 - (width + 2)
        if spare >= 4:
            self._write(start + (end - start + 1 - width - 2) // 2, inside)
            return
        for first in (end + 2, start - 1 - width):
            around = self.cells[max(first - 1, 0) : first + width + 1]
            if first >= 0 and first + width <= len(self.cells) and set(around) <= {" "}:
                self._write(first, text)
                return

    def _write(self, column: int, text: str) -> None:
        for char in text:
            self.put(column, char)
            # A wide character takes two columns: the cell after it stays empty.
            for extra in range(1, cell_len(char)):
                self.put(column + extra, "")
            column += cell_len(char)

    def after(self, column: int, *texts: str) -> None:
        """Write the first of these that fits behind a bar's end, if nothing is there."""
        for text in texts:
            beyond = column + 1 + cell_len(text)
            if beyond <= len(self.cells) and set(self.cells[column : beyond + 1]) <= {" "}:
                self._write(column + 1, text)
                return
