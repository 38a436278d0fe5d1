"""The latest rooms of a store as they are now: what is new is read, and how each stands is found out by and by."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.errors import UnreadableError
from tracer.latency.summary import VERSION, Counted, Summary, summarize
from tracer.store.load import timeline_in
from tracer.store.summaries import stored_summary
from tracer.timeline.overdue import expected
from tracer.units import NS_PER_S, duration
from tracer.view.rooms import CAUSE, LASTED, lasted, room_cells, room_mark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tracer.store import Reader, RoomRow

__all__ = ["LOOKS_EVERY", "Rooms", "Stand"]

MOST = 500
"""Rooms that are watched: the latest."""
LOOKS_EVERY = 0.16
"""Seconds between two looks into the store."""
SHARE = 0.008
"""Part of a processor's time that may be spent on finding out how rooms stand."""
SAVED = 0.4
"""Seconds of it that can be saved up: a call that begins is found out about as fast as it goes."""
AT_ONCE = 0.03
"""Seconds of it that are spent before what is new is read again."""
FIRST = 1.5
"""Seconds of it that are there at the beginning, for the rooms that are seen first."""
AGAIN = (1 * NS_PER_S, 3 * NS_PER_S, 10 * NS_PER_S, 40 * NS_PER_S)
"""How long, ns, after the last news of a room it is looked at again: what does not come shows by time alone."""
LISTED_ANEW = 60.0
"""Seconds after which all rooms are read again: some may have been forgotten."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How a room stands."""

    summary: Summary
    waits: str = ""
    """What has not come that should have, in a few words; empty where nothing is late."""
    since: int = 0
    """Since when, ns since the epoch."""

    def words(self, now: int) -> str:
        """What has not come, and for how long."""
        return f"{self.waits} {duration((now - self.since) / NS_PER_S)}" if self.waits else ""


class Rooms:
    """Reads in one thread; what it found is read in any."""

    def __init__(
        self,
        reader: Reader,
        *,
        everything: bool = False,
        most: int = MOST,
        spent: Callable[[], float] = time.thread_time,
    ) -> None:
        """``everything``: rooms of `tracer doctor` and `tracer demo` too. Raises StoreError."""
        self._reader = reader
        self._everything = everything
        self._most = most
        self._spent = spent
        self._number = -1
        self._listed = 0.0
        self._allowed, self._at = FIRST, time.monotonic()
        self._due: OrderedDict[str, int] = OrderedDict()
        """Rooms whose stand is to be found out, with the time, ns, from which on."""
        self._looked: dict[str, int] = {}
        """How often a room was looked at since something came of it."""
        self._cells: dict[str, tuple[RoomRow, Stand | None, tuple[str, ...]]] = {}
        """What was made of which row and stand."""
        self.rows: dict[str, RoomRow] = {}
        """By SID, newest first."""
        self.stands: dict[str, Stand] = {}

    def look(self, now: int) -> set[str]:
        """Read what is new; the SIDs of the rooms that changed. Raises StoreError."""
        number, changed = self._reader.newest(), set[str]()
        if self._number < 0 or time.monotonic() - self._listed >= LISTED_ANEW:
            changed = self._list(now)
        elif number != self._number:
            rows = self._theirs(self._reader.changed_since(self._number, self._most))
            changed = {row.sid for row in rows}
            self._take(rows, now)
        self._number = number
        return changed

    def cells(self, sid: str, now: int) -> tuple[str, ...]:
        """What each column of the list shows of a room."""
        row, stand = self.rows[sid], self.stands.get(sid)
        made = self._cells.get(sid)
        if made is None or made[0] is not row or made[1] is not stand:
            made = self._cells[sid] = (row, stand, room_cells(row, stand.summary if stand else None))
        cells = made[2]
        if row.finished is None:
            waits = stand.words(row.stopped or now) if stand else ""
            cells = (*cells[:LASTED], lasted(row, now), *cells[LASTED + 1 : CAUSE], cells[CAUSE] or waits)
        return cells

    def style(self, sid: str) -> str:
        """The style of a room's mark."""
        stand = self.stands.get(sid)
        return room_mark(self.rows[sid], stand.summary if stand else None)[1]

    def has_problem(self, sid: str) -> bool:
        """Whether something went wrong in a room, or is late."""
        stand = self.stands.get(sid)
        return stand is not None and (stand.summary.well is False or bool(stand.waits))

    def _theirs(self, rows: Iterable[RoomRow]) -> list[RoomRow]:
        return [row for row in rows if self._everything or not row.is_tracers]

    def _list(self, now: int) -> set[str]:
        before, self._listed = self.rows, time.monotonic()
        rows = self._theirs(self._reader.rooms(self._most))
        kept = {row.sid: row for row in rows}
        changed = {row.sid for row in rows if before.get(row.sid) != row} | (before.keys() - kept.keys())
        self._cells.clear()
        self.rows, self.stands = kept, {sid: stand for sid, stand in self.stands.items() if sid in kept}
        over = [row.sid for row in rows if row.finished and row.sid not in self.stands]
        for stored in self._reader.summaries_of(over, version=VERSION):
            if summary := stored_summary(stored):
                self.stands[stored.room] = Stand(summary)
        self._ask(changed & kept.keys() - self.stands.keys(), now)
        return changed

    def _take(self, rows: list[RoomRow], now: int) -> None:
        self.rows |= {row.sid: row for row in rows}
        newest = sorted(self.rows.values(), key=lambda row: (-(row.created or now), row.sid))[: self._most]
        self.rows = {row.sid: row for row in newest}
        self._ask((row.sid for row in rows), now)

    def _ask(self, rooms: Iterable[str], now: int) -> None:
        for sid in rooms:
            self._looked[sid] = 0
            self._due[sid] = now

    def find_out(self, now: int, first: Iterable[str] = ()) -> set[str]:
        """How some rooms stand of which something came, as far as time is allowed; ``first``: those before others.

        The SIDs of those that stand otherwise now. Raises StoreError.
        """
        at = time.monotonic()
        self._allowed, self._at = min(self._allowed + (at - self._at) * SHARE, max(self._allowed, SAVED)), at
        changed, left = set[str](), AT_ONCE
        if self._allowed <= 0:
            return changed
        due = {sid: since for sid, since in self._due.items() if since <= now}
        for sid in dict.fromkeys([*(sid for sid in first if sid in due), *due]):
            del self._due[sid]
            if sid not in self.rows:
                continue
            began = self._spent()
            stand = self._stand(sid, now)
            if stand != self.stands.get(sid):
                self.stands[sid] = stand
                changed.add(sid)
            spent = self._spent() - began
            self._allowed, left = self._allowed - spent, left - spent
            if min(self._allowed, left) <= 0:
                break
        return changed

    def _stand(self, sid: str, now: int) -> Stand:
        try:
            timeline = timeline_in(self._reader, sid, now=now)
        except UnreadableError:
            return Stand(Summary(Counted.UNREADABLE))
        summary = summarize(timeline, live=True)
        if timeline.room.finished:
            return Stand(summary)
        looked = self._looked.get(sid, 0)
        if looked < len(AGAIN):
            self._looked[sid] = looked + 1
            self._due[sid] = now + AGAIN[looked]
        if summary.well is not False:
            summary = summary._replace(causes=())
        late = [one for one in expected(timeline) if not one.lost]
        return Stand(summary, late[-1].what, late[-1].step.time) if late else Stand(summary)
