"""`tracer watch` without a full screen: a line for each room, and another for each thing that changes of one."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from tracer.store import open_reader
from tracer.units import NS_PER_S
from tracer.view.console import console
from tracer.view.rooms import NO_ROOMS, Columns, room_cells
from tracer.watch.rooms import LOOKS_EVERY, Rooms
from tracer.watch.screen import stoppable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Listing", "list_rooms"]

CLOCK = "HH:MM:SS  "
NARROWEST = 60
"""Columns; there is no line with less."""
LIKELY = ("✓", "a-room-of-a-name", "RM_xxxxxxxxxxxx", "2026-01-01 00:00:00", "100.0 s", "1", "1", "100.0 ms", "")
"""Cells as they usually are: the columns stay where they are when more rooms come."""
FIRST = 10
"""Rooms, the latest, that are listed at the beginning."""


class Listing:
    """The lines of what changed. Only a room's time of being open makes no line."""

    def __init__(self, rooms: Rooms, width: int) -> None:
        self._rooms = rooms
        self._columns = Columns(max(width, NARROWEST) - len(CLOCK))
        self._columns.see(LIKELY)
        self._said: dict[str, tuple[object, ...]] = {}

    def head(self) -> Text:
        """The names of the columns."""
        return Text(f"{'UTC':{len(CLOCK)}}{self._columns.head()}", style="bold", no_wrap=True)

    def new(self, changed: Iterable[str], now: int) -> Iterator[Text]:
        """A line for each of these rooms of which something is to be said that was not."""
        at = f"{datetime.fromtimestamp(now // NS_PER_S, UTC):%H:%M:%S}  "
        for sid in changed:
            if sid not in self._rooms.rows:  # forgotten
                self._said.pop(sid, None)
                continue
            said = self._says(sid)
            if self._said.get(sid) == said:
                continue
            self._said[sid] = said
            cells = self._rooms.cells(sid, now)
            self._columns.see(cells)
            line = self._columns.line(cells)
            yield Text.assemble(
                (at, "dim"), (cells[0], self._rooms.style(sid)), line[len(cells[0]) :], no_wrap=True, overflow="crop"
            )

    def skip(self, rooms: Iterable[str]) -> None:
        """These are not listed until something changes."""
        for sid in rooms:
            self._said[sid] = self._says(sid)

    def _says(self, sid: str) -> tuple[object, ...]:
        """What a line says of a room, but for how long."""
        row, stand = self._rooms.rows[sid], self._rooms.stands.get(sid)
        cells = room_cells(row, stand.summary if stand else None, waits=stand.waits if stand else "")
        return row.finished is None, *self._columns.shown(cells)


def list_rooms(store: str, *, everything: bool = False, width: int | None = None) -> None:
    """Print the latest rooms, and what changes of any, until the user ends it. Raises StoreError."""
    out = console()
    if width:
        out.width = width
    with stoppable() as stop:
        with closing(open_reader(store)) as reader:
            rooms = Rooms(reader, everything=everything)
            listing = Listing(rooms, out.width)
            now = time.time_ns()
            rooms.look(now)
            latest = [*rooms.rows]
            listing.skip(latest[FIRST:])
            if not latest:
                out.print(Text(NO_ROOMS, style="dim"))
            out.print(listing.head())
            for line in listing.new(reversed(latest[:FIRST]), now):
                out.print(line)
            while not stop:
                time.sleep(LOOKS_EVERY)
                now = time.time_ns()
                for changed in (rooms.look, rooms.find_out):
                    for line in listing.new(changed(now), now):
                        out.print(line)
        stop.leave()
