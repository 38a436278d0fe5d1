"""The list of rooms, in a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.cells import cell_len
from rich.segment import Segment
from rich.text import Text

from tracer.units import NS_PER_S, duration, rfc3339
from tracer.view.text import fit, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.store import RoomRow

__all__ = ["RoomsView", "as_json"]

COLUMNS = ("room", "sid", "created (UTC)", "lasted", "callers", "agents")
NUMBERS = 3
"""The first of the columns that hold numbers."""
WIDEST_NAME = 32
NARROWEST_NAME = 8
GAP = 2
"""Columns between two."""


def as_json(rows: Sequence[RoomRow]) -> dict[str, Any]:
    """The rooms as JSON types, schema ``tracer.rooms/1``; an unknown time is null."""
    return {
        "schema": "tracer.rooms/1",
        "rooms": [
            {
                "sid": row.sid,
                "name": row.name,
                "created": rfc3339(row.created),
                "finished": rfc3339(row.finished),
                "participants": row.participants,
                "agents": row.agents,
            }
            for row in rows
        ],
    }


class RoomsView:
    """A Rich renderable: a table, or a sentence when there is nothing to list."""

    def __init__(self, rows: Sequence[RoomRow]) -> None:
        self.rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.rows:
            yield Text("no rooms yet: point your LiveKit server's webhooks at `tracer serve` and make a call")
            return
        cells = [_cells(row) for row in self.rows]
        widths = [max(len(name), *(cell_len(row[at]) for row in cells)) for at, name in enumerate(COLUMNS)]
        # Whatever is left over is for the name: an SID that is cut off is of no use, and the numbers come last.
        left = options.max_width - sum(widths[1:]) - GAP * (len(COLUMNS) - 1)
        widths[0] = max(min(widths[0], WIDEST_NAME, left), NARROWEST_NAME)
        yield Text(_line(COLUMNS, widths), style="bold", no_wrap=True)
        # No table, which takes a second for a few thousand rows, and no text, which takes half of one for ten thousand.
        for name, *others in cells:
            yield Segment(_line((fit(name, widths[0]), *others), widths))
            yield Segment.line()


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells in columns of these widths."""
    aligned = (
        f"{'' if at < NUMBERS else padding}{cell}{padding if at < NUMBERS else ''}"
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        for padding in [" " * (width - cell_len(cell))]
    )
    return (" " * GAP).join(aligned).rstrip()


def _cells(row: RoomRow) -> tuple[str, ...]:
    created = rfc3339(row.created)
    ends = (row.created, row.finished)
    lasted = "open" if None in ends else duration(((row.finished or 0) - (row.created or 0)) / NS_PER_S)
    return (
        plain(row.name or "?"),
        plain(row.sid),
        created[:19].replace("T", " ") if created else "?",
        lasted,
        str(row.participants),
        str(row.agents),
    )
