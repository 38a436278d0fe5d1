"""The list of rooms, in a terminal and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from tracer.latency.summary import Counted
from tracer.units import NS_PER_MS, NS_PER_S, duration, milliseconds, plural, rfc3339
from tracer.view.text import fit, plain, width_of
from tracer.view.verdict import MARKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from tracer.latency.summary import Summary
    from tracer.store import RoomRow

__all__ = [
    "CAUSE",
    "LASTED",
    "NONE_FOUND",
    "NOT_JUDGED",
    "NOT_OVER",
    "NO_ROOMS",
    "UNCUT",
    "Columns",
    "RoomsView",
    "as_json",
    "lasted",
    "room_cells",
    "room_mark",
]


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
    _Column("created (UTC)", gives_way=2),
    _Column("lasted", is_number=True, gives_way=3),
    _Column("callers", is_number=True, gives_way=4),
    _Column("agents", is_number=True),
    _Column("ready", is_number=True),
    _Column("cause", gives_way=1),
)
LASTED, CAUSE = 4, 8
"""The columns that change while nothing comes."""
NAME = 1
"""The column of the name, which is cut where there is no room for it: an SID that is cut is of no use."""
WIDEST_NAME = 32
"""For more of a name no other column gives way."""
UNCUT = 400
"""Columns of a list that goes to a program or a file: LiveKit's longest name has 256, and each column has its room."""
NARROWEST_NAME = 8
GAP = 2
"""Columns between two."""
NO_ROOMS = "no rooms yet: point your LiveKit server's webhooks at `tracer serve` and make a call"
"""In place of a list without a room."""
NONE_FOUND = "none found"
"""In place of a cause: something went wrong, and what was recorded does not explain it."""
NOT_OVER = ("…", "dim")
"""Mark and style of a room of which it is too early to say how it went."""
NOT_JUDGED = ("·", "dim")
"""Mark and style of a room that is over, and of which nobody has worked out yet how it went."""


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
                "listened_until": rfc3339(row.stopped),
                "well": summary.well if summary else None,
                "causes": list(summary.causes) if summary else None,
                "ready_ms": summary.ready_after / NS_PER_MS if summary and summary.ready_after is not None else None,
            }
            for row in rows
            for summary in [summaries.get(row.sid)]
        ],
    }


class Columns:
    """Lines of the list for a terminal this wide: each column as wide as what was seen of it."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._seen = [len(column.name) for column in COLUMNS]
        self._layout: tuple[list[int], list[int]] | None = None

    def see(self, cells: Iterable[str]) -> None:
        """Make room for these cells."""
        seen = [max(seen, width_of(cell)) for seen, cell in zip(self._seen, cells, strict=True)]
        if seen != self._seen:
            self._seen, self._layout = seen, None

    def head(self) -> str:
        """The names of the columns."""
        return self.line([column.name for column in COLUMNS])

    def line(self, cells: Sequence[str]) -> str:
        """Cells in their columns; the first is the mark."""
        widths, shown = self._laid_out()
        return _line(cells, widths, shown)

    def shown(self, cells: Sequence[str]) -> tuple[str, ...]:
        """Those of the cells for which there is room."""
        return tuple(cells[at] for at in self._laid_out()[1])

    def lines(self, rows: Iterable[Sequence[str]]) -> Iterator[str]:
        """As ``line``, for many."""
        widths, shown = self._laid_out()
        return (_line(row, widths, shown) for row in rows)

    def _laid_out(self) -> tuple[list[int], list[int]]:
        """How wide each column is, and which are shown where there is no room for all."""
        if self._layout is not None:
            return self._layout
        widths, shown = [*self._seen], list(range(len(COLUMNS)))
        widths[NAME] = min(widths[NAME], WIDEST_NAME)
        while (left := self.width - _sum(widths, shown, without=NAME)) < min(widths[NAME], NARROWEST_NAME):
            last = max(shown, key=lambda at: COLUMNS[at].gives_way)
            if not COLUMNS[last].gives_way:
                break
            shown.remove(last)
        name = self._seen[NAME] if len(shown) == len(COLUMNS) else widths[NAME]
        widths[NAME] = max(min(name, left), min(widths[NAME], NARROWEST_NAME))
        self._layout = widths, shown
        return self._layout


class RoomsView:
    """A Rich renderable: a table, or a sentence when there is nothing to list."""

    fits = True
    """No line is wider than the terminal, unless that is too narrow for an SID: ten thousand need not be measured."""

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
            yield Text(NO_ROOMS)
        marks = [room_mark(row, self.summaries.get(row.sid)) for row in self.rows]
        if unjudged := marks.count(NOT_JUDGED):
            rooms = f"{unjudged} {plural(unjudged, 'room')} that {'is' if unjudged == 1 else 'are'} over"
            how = "not read for this list: tracer why ROOM says how one went"
            yield Text(f"{NOT_JUDGED[0]}  {rooms}, {how}", style="dim")
        if self.hidden:
            rooms = f"{self.hidden} {plural(self.hidden, 'room')} of tracer doctor and tracer demo"
            yield Text(f"{rooms} not listed: --all", style="dim")

    def _table(self, console: Console, width: int) -> RenderResult:
        cells = [room_cells(row, self.summaries.get(row.sid)) for row in self.rows]
        columns = Columns(width)
        for row in cells:
            columns.see(row)
        # No table, which takes a second for a few thousand rows, and no text, which takes half of one for ten thousand.
        yield Text(columns.head(), style="bold", no_wrap=True)
        for room, line in zip(self.rows, columns.lines(cells), strict=True):
            mark, style = room_mark(room, self.summaries.get(room.sid))
            yield Segment(mark, console.get_style(style))
            rest = line[len(mark) :]
            yield from self._linked(rest, room.sid) if self.link else (Segment(rest),)
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
        cell = cells[at]
        taken = width_of(cell)
        if taken > widths[at]:
            cell = fit(cell, widths[at])
            taken = width_of(cell)
        padding = " " * (widths[at] - taken)
        aligned.append(f"{padding}{cell}" if COLUMNS[at].is_number else f"{cell}{padding}")
    return (" " * GAP).join(aligned).rstrip()


def room_mark(row: RoomRow, summary: Summary | None) -> tuple[str, str]:
    """Mark and style: how a room went. One that is not over has none, unless a cause was found while it goes on."""
    if summary is None and row.finished is not None:
        return NOT_JUDGED
    if summary is None or (summary.counted is Counted.OPEN and not summary.causes):
        return NOT_OVER
    return MARKS[summary.well]


def room_cells(row: RoomRow, summary: Summary | None, *, now: int | None = None, waits: str = "") -> tuple[str, ...]:
    """What each column shows of a room. ``now``, ns: for how long it is open; ``waits``: for what, without a cause."""
    created = rfc3339(row.created)
    ready = summary.ready_after if summary else None
    return (
        room_mark(row, summary)[0],
        plain(row.name or "?"),
        plain(row.sid),
        created[:19].replace("T", " ") if created else "?",
        lasted(row, now),
        str(row.participants),
        str(row.agents),
        "" if ready is None else milliseconds(ready / NS_PER_MS),
        summary.causes[0] if summary and summary.causes else NONE_FOUND if summary and summary.well is False else waits,
    )


def lasted(row: RoomRow, now: int | None = None) -> str:
    """How long a room lasted; of an open one, how long it is open by ``now``, ns, or that it is.

    Where tracer stopped listening before, at least how long.
    """
    if row.created is not None and row.stopped is not None:
        return f"≥ {duration((row.stopped - row.created) / NS_PER_S)}"
    end = row.finished if row.finished is not None else now
    return "open" if row.created is None or end is None else duration((end - row.created) / NS_PER_S)
