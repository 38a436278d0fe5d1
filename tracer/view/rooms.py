"""The list of rooms, in a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from tracer.latency.summary import Counted
from tracer.units import NS_PER_MS, NS_PER_S, duration, milliseconds, plural, rfc3339
from tracer.view.text import fit, plain
from tracer.view.verdict import MARKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.latency.summary import Summary
    from tracer.store import RoomRow

__all__ = ["RoomsView", "as_json"]


class _Column(NamedTuple):
    """A column of the table."""

    name: str
    is_number: bool = False
    gives_way: int = 0
    """Where there is no room for all, the columns with the highest number are left out first; 0 stays."""


COLUMNS = (
    _Column(""),
    _Column("room"),
    _Column("sid"),
    _Column("created (UTC)", gives_way=1),
    _Column("lasted", is_number=True, gives_way=3),
    _Column("callers", is_number=True, gives_way=4),
    _Column("agents", is_number=True),
    _Column("ready", is_number=True),
    _Column("cause", gives_way=2),
)
NAME = 1
"""The column of the name, which is cut where there is no room for it: an SID that is cut is of no use."""
WIDEST_NAME = 32
NARROWEST_NAME = 8
GAP = 2
"""Columns between two."""
NOT_OVER = ("…", "dim")
"""Mark and style of a room of which it is too early to say how it went."""


def as_json(rows: Sequence[RoomRow], summaries: Mapping[str, Summary]) -> dict[str, Any]:
    """The rooms as JSON types, schema ``tracer.rooms/1``; what is not known is null."""
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
                "well": summary.well if summary else None,
                "causes": list(summary.causes) if summary else None,
                "ready_ms": summary.ready_after / NS_PER_MS if summary and summary.ready_after is not None else None,
            }
            for row in rows
            for summary in [summaries.get(row.sid)]
        ],
    }


class RoomsView:
    """A Rich renderable: a table, or a sentence when there is nothing to list."""

    def __init__(
        self,
        rows: Sequence[RoomRow],
        summaries: Mapping[str, Summary],
        hidden: int = 0,
        link: Callable[[str], str] | None = None,
    ) -> None:
        """``hidden`` is how many rooms are left out as they are no calls of the user's.

        ``link`` makes the address of a room of its SID, where a terminal shows links.
        """
        self.link = link
        self.rows = rows
        self.summaries = summaries
        self.hidden = hidden

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.rows:
            yield from self._table(console, options.max_width)
        else:
            yield Text("no rooms yet: point your LiveKit server's webhooks at `tracer serve` and make a call")
        if self.hidden:
            rooms = f"{self.hidden} {plural(self.hidden, 'room')} of tracer doctor and tracer demo"
            yield Text(f"{rooms} not listed: --all", style="dim")

    def _table(self, console: Console, width: int) -> RenderResult:
        marks = [_mark(self.summaries.get(row.sid)) for row in self.rows]
        cells = [
            (mark, *_cells(row, self.summaries.get(row.sid))) for row, (mark, _) in zip(self.rows, marks, strict=True)
        ]
        widths = [max(len(column.name), *(cell_len(row[at]) for row in cells)) for at, column in enumerate(COLUMNS)]
        widths[NAME] = min(widths[NAME], WIDEST_NAME)
        shown = list(range(len(COLUMNS)))
        while (left := width - _sum(widths, shown, without=NAME)) < min(widths[NAME], NARROWEST_NAME):
            last = max(shown, key=lambda at: COLUMNS[at].gives_way)
            if not COLUMNS[last].gives_way:
                break
            shown.remove(last)
        widths[NAME] = max(min(widths[NAME], left), min(widths[NAME], NARROWEST_NAME))
        # No table, which takes a second for a few thousand rows, and no text, which takes half of one for ten thousand.
        yield Text(_line([column.name for column in COLUMNS], widths, shown), style="bold", no_wrap=True)
        for at, (row, (mark, style)) in enumerate(zip(cells, marks, strict=True)):
            yield Segment(mark, console.get_style(style))
            line = _line(row, widths, shown)[len(mark) :]
            yield from self._linked(line, self.rows[at].sid) if self.link else (Segment(line),)
            yield Segment.line()

    def _linked(self, line: str, sid: str) -> Iterator[Segment]:
        """The line, in which the SID is a link; after it no column can hold it again."""
        before, found, after = line.rpartition(plain(sid))
        yield Segment(before)
        if found and self.link:
            yield Segment(found, Style(link=self.link(sid)))
        yield Segment(after)


def _sum(widths: Sequence[int], shown: Sequence[int], *, without: int) -> int:
    """Columns of the terminal that these take, but for one of them."""
    return sum(widths[at] for at in shown if at != without) + GAP * (len(shown) - 1)


def _line(cells: Sequence[str], widths: Sequence[int], shown: Sequence[int]) -> str:
    """Cells in columns of these widths."""
    aligned = []
    for at in shown:
        cell = fit(cells[at], widths[at])
        padding = " " * (widths[at] - cell_len(cell))
        aligned.append(f"{padding}{cell}" if COLUMNS[at].is_number else f"{cell}{padding}")
    return (" " * GAP).join(aligned).rstrip()


def _mark(summary: Summary | None) -> tuple[str, str]:
    if summary is None or summary.counted is Counted.OPEN:
        return NOT_OVER
    return MARKS[summary.well]


def _cells(row: RoomRow, summary: Summary | None) -> tuple[str, ...]:
    created = rfc3339(row.created)
    ends = (row.created, row.finished)
    lasted = "open" if None in ends else duration(((row.finished or 0) - (row.created or 0)) / NS_PER_S)
    ready = summary.ready_after if summary else None
    return (
        plain(row.name or "?"),
        plain(row.sid),
        created[:19].replace("T", " ") if created else "?",
        lasted,
        str(row.participants),
        str(row.agents),
        "" if ready is None else milliseconds(ready / NS_PER_MS),
        summary.causes[0] if summary and summary.causes else "",
    )
