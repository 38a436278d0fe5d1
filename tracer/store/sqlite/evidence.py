"""Evidence in the file: logged in one piece, and later read into moments."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracer.store.alike import LARGEST
from tracer.store.contract import Evidence, Form
from tracer.store.sqlite.to_send import wait

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

__all__ = [
    "OF_ROOM",
    "count",
    "evidence_of",
    "has_evidence",
    "is_first",
    "log",
    "log_unread",
    "take",
    "to_read",
    "to_send",
    "unread",
]

AT_ONCE = 64
"""Pieces that are appended by one statement."""
_COLUMNS = "form, body, at, room, '', seq"
_NAMED = "(SELECT ?1 UNION ALL SELECT trace FROM agent_trace WHERE room = ?1)"
"""A piece of an agent's trace that named no room stays by the trace, whatever is learnt of it."""
OF_ROOM = (
    "SELECT room, at, seq FROM evidence_of_room WHERE room IN {named}"
    " UNION ALL SELECT room, 0, seq FROM unread INDEXED BY unread_new WHERE again = 0 AND room IN {named}"
)
"""The keys of what is kept of some rooms: what was read has an index, and what was not is all looked through."""


def log(cursor: sqlite3.Cursor, piece: Evidence) -> int:
    """Append a piece that is read; its number, or 0 for a webhook that was stored before."""
    if not _is_new(cursor, piece):
        return 0
    number = _append(cursor, [piece])
    cursor.execute("INSERT INTO evidence_of_room VALUES (?, ?, ?)", (piece.room, piece.at, number))
    return number


def log_unread(cursor: sqlite3.Cursor, pieces: Sequence[Evidence]) -> list[bool]:
    """Append pieces that are read later. Of each: False for a webhook that was stored before.

    They are found by their rooms when they are read: for each another page would be changed.
    """
    fresh = _are_new(cursor, pieces)
    new = [piece for piece, is_new in zip(pieces, fresh, strict=True) if is_new]
    while new:
        some, new = new[:AT_ONCE], new[AT_ONCE:]
        last = _append(cursor, some)
        first = last - len(some) + 1
        cursor.execute(
            f"INSERT INTO unread (seq, again, room) VALUES {', '.join(['(?, 0, ?)'] * len(some))}",
            [value for number, piece in enumerate(some, first) for value in (number, piece.room)],
        )
    return fresh


def _append(cursor: sqlite3.Cursor, pieces: Sequence[Evidence]) -> int:
    """Append these, which get numbers one after the other; the last of them."""
    cursor.execute(
        f"INSERT INTO evidence (room, form, at, body) VALUES {', '.join(['(?, ?, ?, ?)'] * len(pieces))}",
        [value for piece in pieces for value in (piece.room, piece.form, piece.at, piece.body)],
    )
    last = cursor.lastrowid or 0
    wait(cursor, zip(range(last - len(pieces) + 1, last + 1), pieces, strict=True))
    return last


def _are_new(cursor: sqlite3.Cursor, pieces: Sequence[Evidence]) -> list[bool]:
    """Of each whether it comes for the first time, which is noted.

    Where threads wait for the interpreter, each statement costs another wait: it takes two, and not one for each piece.
    """
    events = {piece.event_id: index for index, piece in reversed(list(enumerate(pieces))) if piece.event_id}
    listed = list(events)
    for start in range(0, len(listed), AT_ONCE):
        some = listed[start : start + AT_ONCE]
        given = f"({', '.join('?' * len(some))})"
        for (event,) in cursor.execute(f"SELECT event_id FROM delivery WHERE event_id IN {given}", some).fetchall():
            del events[event]
    now = time.time_ns()
    listed = list(events)
    for start in range(0, len(listed), AT_ONCE):
        some = listed[start : start + AT_ONCE]
        values = [value for event in some for value in (event, now)]
        cursor.execute(f"INSERT INTO delivery VALUES {', '.join(['(?, ?)'] * len(some))}", values)
    first = set(events.values())
    return [not piece.event_id or index in first for index, piece in enumerate(pieces)]


def _is_new(cursor: sqlite3.Cursor, piece: Evidence) -> bool:
    return not piece.event_id or is_first(cursor, piece.event_id)


def is_first(cursor: sqlite3.Cursor, event_id: str) -> bool:
    """Whether a webhook comes for the first time, which is noted."""
    cursor.execute("INSERT OR IGNORE INTO delivery VALUES (?, ?)", (event_id, time.time_ns()))
    return bool(cursor.rowcount)


def take(cursor: sqlite3.Cursor, number: int) -> bool:
    """Note that a piece is read, and drop what it was taken for before; False when another process was first."""
    cursor.execute("DELETE FROM unread WHERE seq = ?", (number,))
    if not cursor.rowcount:
        return False
    cursor.execute("DELETE FROM moment WHERE evidence = ?", (number,))
    cursor.execute("INSERT OR IGNORE INTO evidence_of_room SELECT room, at, seq FROM evidence WHERE seq = ?", (number,))
    return True


def to_read(db: sqlite3.Connection, limit: int) -> list[Evidence]:
    """The oldest pieces that nobody has read and, where there are none, that another version has read.

    No more than ``LARGEST`` bytes of them, or one.
    """
    for condition in ("again = 0", "1"):
        if found := _some(db, f"SELECT seq FROM unread WHERE {condition} ORDER BY seq LIMIT ?", "seq", limit, LARGEST):
            return found
    return []


def to_send(db: sqlite3.Connection, limit: int, size: int) -> list[Evidence]:
    """The newest pieces of agents' spans that the backend may not have; no more than ``size`` bytes, or one."""
    return _some(db, "SELECT seq FROM unsent ORDER BY seq DESC LIMIT ?", "seq DESC", limit, size)


def _some(db: sqlite3.Connection, which: str, order: str, limit: int, size: int) -> list[Evidence]:
    found: list[Evidence] = []
    for row in db.execute(f"SELECT {_COLUMNS} FROM evidence WHERE seq IN ({which}) ORDER BY {order}", (limit,)):
        found.append(_piece(row))
        size -= len(found[-1].body)
        if size < 0:
            break
    return found


def unread(db: sqlite3.Connection) -> int:
    """How many pieces nobody has read; 0 in a store that an older tracer wrote."""
    if not has_evidence(db):
        return 0
    return int(db.execute("SELECT count(*) FROM unread WHERE again = 0").fetchone()[0])


def evidence_of(db: sqlite3.Connection, room: str, until: int) -> list[Evidence]:
    """The pieces of a room or a trace up to a number, in the order they came."""
    if not has_evidence(db):
        return []
    which = f"seq IN (SELECT seq FROM ({OF_ROOM.format(named=_NAMED)}))" if _is_by_room(db) else f"room IN {_NAMED}"
    rows = db.execute(f"SELECT {_COLUMNS} FROM evidence WHERE {which} AND seq <= ?2 ORDER BY seq", (room, until))
    return [_piece(row) for row in rows]


def count(db: sqlite3.Connection) -> int:
    """How many pieces there are; 0 in a store that an older tracer wrote."""
    if not has_evidence(db):
        return 0
    if not _is_by_room(db):
        return int(db.execute("SELECT count(*) FROM evidence").fetchone()[0])
    # Not those in the table itself, whose bodies would be passed by.
    return int(db.execute("SELECT count(*) FROM evidence_of_room").fetchone()[0]) + unread(db)


def _is_by_room(db: sqlite3.Connection) -> bool:
    """Whether the file has that table; else an older tracer wrote it, and its evidence has an index."""
    return bool(db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'evidence_of_room'").fetchone())


def has_evidence(db: sqlite3.Connection) -> bool:
    """Whether the file has the table: one that an older tracer wrote, and no writer opened since, does not."""
    return bool(db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'evidence'").fetchone())


def _piece(row: tuple[str, bytes, int, str, str, int]) -> Evidence:
    return Evidence(Form(row[0]), *row[1:])
