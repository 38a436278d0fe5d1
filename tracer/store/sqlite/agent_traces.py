"""Which room an agent's trace is of, for what came of it without naming a room.

Such a moment is stored with its trace. Its room is the trace's, once a span has named it or the server has offered the
job that the moment names; until then, and where a trace names several rooms, its room is the trace itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.moment import Kind, Moment
from tracer.store.sqlite.reader import COLUMNS

if TYPE_CHECKING:
    import sqlite3

__all__ = ["moved_by", "named_by_jobs", "room_of"]


def room_of(cursor: sqlite3.Cursor, trace: str) -> str:
    """SID of the room that a trace is of; the trace itself while that is not known, or where there are several."""
    rooms = cursor.execute("SELECT room FROM agent_trace WHERE trace = ? LIMIT 2", (trace,)).fetchall()
    return str(rooms[0][0]) if len(rooms) == 1 else trace


def named_by_jobs(cursor: sqlite3.Cursor, moment: Moment, trace: str | None) -> list[tuple[str, str]]:
    """Traces and their rooms that this moment makes known: it is of a job that a room is known to have had.

    The server's offer is in the room, and the agent's own moment in the trace; either can come first.
    """
    if trace:
        rooms = cursor.execute(
            "SELECT room FROM moment WHERE subject = ? AND kind = 'job.offered' AND trace IS NULL LIMIT 1",
            (moment.subject,),
        )
        return [(trace, str(room)) for (room,) in rooms.fetchall()]
    if moment.kind is not Kind.JOB_OFFERED:
        return []
    traces = cursor.execute(
        "SELECT DISTINCT trace FROM moment WHERE subject = ? AND trace IS NOT NULL AND room = trace", (moment.subject,)
    )
    return [(str(unplaced), moment.room) for (unplaced,) in traces.fetchall()]


def moved_by(cursor: sqlite3.Cursor, trace: str, room: str) -> list[tuple[Moment, int]]:
    """Note that a trace is of this room. Moments that were elsewhere are removed and returned, as they came.

    With each the number of its evidence, or 0. The evidence itself stays by its trace.
    """
    before = room_of(cursor, trace)
    cursor.execute("INSERT OR IGNORE INTO agent_trace VALUES (?, ?)", (trace, room))
    if room_of(cursor, trace) == before:
        return []
    rows = cursor.execute(
        f"SELECT coalesce(evidence, 0), {COLUMNS} FROM moment WHERE trace = ? ORDER BY seq", (trace,)
    ).fetchall()
    cursor.execute("DELETE FROM moment WHERE trace = ?", (trace,))
    return [(Moment.from_row((trace, *row)), evidence) for evidence, _, *row in rows]
