"""Agents' spans on their way to the backend: which pieces of evidence wait, and which spans were sent of them.

The spans stay in the evidence until they are sent. Then their ids are noted, those of one request and trace in one row.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracer.store.alike import span_ids
from tracer.store.contract import Form

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from tracer.store.contract import Evidence

__all__ = ["note_sent", "sent_spans", "unsent_spans", "wait"]

AT_ONCE = 500
"""Traces that are asked for in one statement."""


def wait(cursor: sqlite3.Cursor, pieces: Iterable[tuple[int, Evidence]]) -> None:
    """Note that the spans of these pieces, each with its number, are to be sent."""
    waiting = [(number, piece.spans) for number, piece in pieces if piece.form is not Form.WEBHOOK]
    if waiting:
        values = [value for row in waiting for value in row]
        cursor.execute(f"INSERT INTO unsent VALUES {', '.join(['(?, ?)'] * len(waiting))}", values)


def unsent_spans(db: sqlite3.Connection) -> int:
    """How many spans wait in evidence; 0 where no backend was ever set, nor could be known of in an older file."""
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'unsent'").fetchone():
        return 0
    query = "SELECT sum(spans) FROM unsent WHERE EXISTS (SELECT 1 FROM sent) OR EXISTS (SELECT 1 FROM outbox)"
    return int(db.execute(query).fetchone()[0] or 0)


def sent_spans(db: sqlite3.Connection, traces: Iterable[bytes]) -> dict[bytes, set[bytes]]:
    """Ids of the spans of these traces that were sent, or are in the outbox and not open."""
    found: dict[bytes, set[bytes]] = {}
    listed = list(traces)
    for first in range(0, len(listed), AT_ONCE):
        some = listed[first : first + AT_ONCE]
        given = f"({', '.join('?' * len(some))})"
        for trace, ids in db.execute(f"SELECT trace_id, span_ids FROM sent WHERE trace_id IN {given}", some):
            found.setdefault(trace, set()).update(span_ids(ids))
        for trace, one in db.execute(
            f"SELECT trace_id, span_id FROM outbox WHERE trace_id IN {given} AND open_job IS NULL", some
        ):
            found.setdefault(trace, set()).add(one)
    return found


def note_sent(cursor: sqlite3.Cursor, numbers: Iterable[int], spans: Mapping[bytes, Iterable[bytes]]) -> None:
    """Note that pieces need not be sent any more, and of which traces which spans were."""
    cursor.executemany("DELETE FROM unsent WHERE seq = ?", [(number,) for number in numbers])
    now = time.time_ns()
    cursor.executemany(
        "INSERT INTO sent VALUES (?, ?, ?)", [(trace, b"".join(ids), now) for trace, ids in spans.items()]
    )
