"""Deleting: a room with all that is known of it, and what nothing asks for any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import ids
from tracer.moment import Kind
from tracer.store.alike import CLOSED_KEPT
from tracer.store.sqlite.evidence import OF_ROOM
from tracer.store.sqlite.reader import REPORTED

if TYPE_CHECKING:
    import sqlite3

__all__ = ["AT_ONCE", "BETWEEN", "delete_of_room", "delete_old"]

AT_ONCE = 250
"""Rows of one table that are deleted in one transaction, 6 to 25 ms: others wait for it."""
BETWEEN = 0.002
"""Seconds between two of them: else the thread that gave the store back would mostly be the one that gets it."""

EVIDENCE_AT_ONCE = 50
"""Pieces of evidence that are deleted in one transaction: each can be as large as a request."""
_OF_THE_ROOM = OF_ROOM.format(named="(?1)")
_NEVER_NAMED = "room > 'trace:' AND room < 'trace;' AND room NOT IN (SELECT trace FROM agent_trace)"
_OF_NO_ROOM = tuple(
    f"SELECT room, at, seq FROM evidence_of_room WHERE {of_none} AND at < ?1 UNION ALL"
    f" SELECT room, at, seq FROM (SELECT seq, room FROM unread INDEXED BY unread_new WHERE again = 0 AND {of_none})"
    " JOIN (SELECT seq, at FROM evidence) USING (seq) WHERE at < ?1"
    for of_none in ("room = ''", _NEVER_NAMED)
)
_BY = "INDEXED BY moment_of_worker"
_OLD = (
    # The last of each kind stays: it tells that a worker is there, however long ago it said so.
    (
        f"DELETE FROM moment WHERE seq IN ({REPORTED.replace('{by}', _BY)}"
        f" SELECT seq FROM reported CROSS JOIN moment {_BY} ON room = '' AND subject = sid AND kind = of"
        f" AND time < min(?, (SELECT max(time) FROM moment {_BY} WHERE room = '' AND subject = sid AND kind = of))"
        " LIMIT ?)"
    ),
    # Of traces whose room was never known.
    (
        "DELETE FROM moment WHERE seq IN ("
        "SELECT seq FROM moment WHERE trace IS NOT NULL AND room = trace AND time < ? LIMIT ?)"
    ),
)
_OF_WORKER = f"SELECT 1 FROM moment {_BY} WHERE room = '' AND subject = sid"
_SILENT = (
    f"DELETE FROM moment WHERE seq IN ({REPORTED.replace('{by}', _BY)}"
    f" SELECT seq FROM worker CROSS JOIN moment {_BY} ON room = '' AND subject = sid"
    f" AND NOT EXISTS ({_OF_WORKER} AND time >= ?) {{closed}} LIMIT ?)"
)
_CLOSED = _SILENT.format(closed=f"AND EXISTS ({_OF_WORKER} AND kind = '{Kind.WORKER_CLOSED}')")
_KEYS = (
    "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE body IS NULL AND since < ? LIMIT ?)",
    "DELETE FROM sent WHERE rowid IN (SELECT rowid FROM sent WHERE since < ? LIMIT ?)",
    "DELETE FROM delivery WHERE event_id IN (SELECT event_id FROM delivery WHERE at < ? LIMIT ?)",
)


def delete_of_room(cursor: sqlite3.Cursor, room: str) -> bool:
    """Delete some of what is kept of a room, and when nothing else is left, the room; whether that is so."""
    of_agents = cursor.execute("SELECT trace FROM agent_trace WHERE room = ?", (room,)).fetchall()
    for named in (room, *(trace for (trace,) in of_agents)):  # first: of what stays unread, the room would come back
        if not _delete_evidence(cursor, _OF_THE_ROOM, named):
            return False
    cursor.execute("DELETE FROM moment WHERE seq IN (SELECT seq FROM moment WHERE room = ? LIMIT ?)", (room, AT_ONCE))
    if cursor.rowcount == AT_ONCE:
        return False
    traces = [ids.trace_id(room).to_bytes(16), *(bytes.fromhex(trace.rpartition(":")[2]) for (trace,) in of_agents)]
    for trace in traces:
        for table, key in (("outbox", "seq"), ("sent", "rowid")):
            cursor.execute(
                f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE trace_id = ? LIMIT ?)",
                (trace, AT_ONCE),
            )
            if cursor.rowcount == AT_ONCE:
                return False
    cursor.execute("DELETE FROM agent_trace WHERE room = ?", (room,))
    cursor.execute("DELETE FROM summary WHERE room = ?", (room,))
    cursor.execute("DELETE FROM room WHERE sid = ?", (room,))
    return True


def _delete_evidence(cursor: sqlite3.Cursor, which: str, value: str | int) -> bool:
    """Delete some of the evidence whose keys a query finds; whether nothing is left to delete."""
    found = cursor.execute(f"{which} LIMIT ?2", (value, EVIDENCE_AT_ONCE)).fetchall()
    cursor.executemany("DELETE FROM evidence_of_room WHERE room = ? AND at = ? AND seq = ?", found)
    for table in ("unread", "unsent", "evidence"):
        cursor.executemany(f"DELETE FROM {table} WHERE seq = ?", [(seq,) for _, _, seq in found])
    return len(found) < EVIDENCE_AT_ONCE


def delete_old(cursor: sqlite3.Cursor, moments: int, keys: int, silent: int) -> bool:
    """Delete some of what belongs to no room; whether nothing is left to delete.

    ``moments``: those of workers before this time, ns since the epoch; ``keys``: by which a span is sent once, and a
    webhook taken once. Of workers that have closed, or have said nothing since ``silent``, nothing is left when no room
    is that they could have served.
    """
    done = True
    for which in _OF_NO_ROOM:
        done = _delete_evidence(cursor, which, moments) and done
    (oldest,) = cursor.execute("SELECT min(coalesce(created, first_seen)) FROM room").fetchone()
    closed = moments if oldest is None else min(moments, oldest - CLOSED_KEPT)
    gone = ((_CLOSED,), closed), ((_SILENT.format(closed=""),), min(closed, silent))
    for statements, before in ((_OLD, moments), *gone, (_KEYS, keys)):
        for statement in statements:
            cursor.execute(statement, (before, AT_ONCE))
            done = done and cursor.rowcount < AT_ONCE
    cursor.execute("DELETE FROM listened WHERE until < min(?, (SELECT min(first_seen) FROM room))", (moments,))
    return done
