"""Deleting: a room with all that is known of it, whole days, and what nothing asks for any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import ids
from tracer.moment import Kind
from tracer.store.alike import CLOSED_KEPT
from tracer.store.postgres.days import DAY, TABLES, days_of, drop, drop_detached, name_of
from tracer.store.postgres.locks import WRITE
from tracer.store.postgres.reader import AGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg import Connection, Cursor

    from tracer.store.postgres.connecting import Row

__all__ = ["AT_ONCE", "delete_of_rooms", "delete_old", "forget_day"]

AT_ONCE = 500
"""Rows of one table that are deleted in one transaction."""
ROOMS_AT_ONCE = 3
"""Rooms that are, a few milliseconds each: others wait for it."""
_TRACES = "SELECT trace FROM agent_trace WHERE room = ANY(%(rooms)s)"
"""The agents' own traces of some rooms."""
_TABLES = "SELECT DISTINCT tableoid::regclass::text FROM gone"
"""The tables of days from which something was deleted."""
_OF_WORKER = "SELECT 1 FROM worker_moment AS its WHERE its.subject = old.subject"
_SILENT = (
    "DELETE FROM worker_moment WHERE seq IN (SELECT seq FROM worker_moment AS old"
    f" WHERE NOT EXISTS ({_OF_WORKER} AND time >= %s) {{closed}} LIMIT %s)"
)
SLACK = DAY // 24
"""How far, ns, the times of a room's moments may lie from when its evidence arrived."""


def delete_of_rooms(db: Connection[Row], rooms: Sequence[str], since: int = 0) -> set[str]:
    """Delete rooms and all that is kept of them. Returns the tables of days that they were in.

    ``since``, ns: what was earlier is not looked for in the tables of days, it goes with them.
    """
    given = {"rooms": list(rooms), "traces": [ids.trace_id(room).to_bytes(16) for room in rooms], "since": since}
    places = [("evidence", "moment")]
    if since:  # where that is which outlived its day
        places.append(("evidence_other", "moment_other"))
    deleted: list[Cursor[Row]] = []
    # Others wait: all is sent at once, so that it waits for nothing from here.
    with db.pipeline(), db.transaction():
        WRITE.take(db)  # who stores something of these rooms has the same rows in hand, in another order
        if since:  # a day: what is taken back by a crash is forgotten again
            db.execute("SET LOCAL synchronous_commit = off")
        for evidence, moment in places:
            at = "0" if evidence.endswith("_other") else "%(since)s"
            # First: of what stays unread, the room would come back.
            deleted.append(
                db.execute(
                    f"WITH gone AS (DELETE FROM {evidence} WHERE room = ANY(%(rooms)s || ARRAY({_TRACES}))"
                    f" AND at >= {at} RETURNING seq, tableoid)"
                    ", forgotten AS (DELETE FROM unsent WHERE seq IN (SELECT seq FROM gone))"
                    ", unheard AS (DELETE FROM unread WHERE seq IN (SELECT seq FROM gone))"
                    f" {_TABLES}",
                    given,
                )
            )
            deleted.append(
                db.execute(
                    f"WITH gone AS (DELETE FROM {moment} WHERE room = ANY(%(rooms)s) AND time BETWEEN {at}"
                    " AND (SELECT max(latest) FROM room WHERE sid = ANY(%(rooms)s)) RETURNING tableoid)"
                    f" {_TABLES}",
                    given,
                )
            )
        for table in ("outbox", "sent"):
            db.execute(
                f"DELETE FROM {table} WHERE trace_id = ANY(%(traces)s ||"
                f" ARRAY(SELECT decode(regexp_replace(trace, '.*:', ''), 'hex') FROM ({_TRACES}) AS its))",
                given,
            )
        for table, column in (("agent_trace", "room"), ("summary", "room"), ("room", "sid")):
            db.execute(f"DELETE FROM {table} WHERE {column} = ANY(%(rooms)s)", given)
    return {name for one in deleted for (name,) in one}


def forget_day(db: Connection[Row], before: int) -> int:
    """Drop the oldest day that ended before a time, ns, with its rooms; returns how many rooms, 0 when none is left.

    A room that went on after that day keeps what it has of it.
    """
    drop_detached(db)
    for day in sorted({day for table in TABLES for day in days_of(db, table) if (day + 1) * DAY <= before}):
        start, end = day * DAY, (day + 1) * DAY
        count = 0
        while over := _over(db, start, end):
            delete_of_rooms(db, over, since=end)
            count += len(over)
        drop(db, day, _going(db, day))
        if count:
            return count
    if older := _over(db, 0, before // DAY * DAY):  # of days that have no table
        delete_of_rooms(db, older)
    return len(older)


def _over(db: Connection[Row], start: int, end: int) -> list[str]:
    """Some of the rooms of which something came last between these times, ns."""
    rows = db.execute(
        "SELECT sid FROM room WHERE latest >= %s AND latest < %s ORDER BY latest LIMIT %s", (start, end, ROOMS_AT_ONCE)
    )
    return [sid for (sid,) in rows]


def _going(db: Connection[Row], day: int) -> list[str]:
    """The rooms, and their agents' traces, that went on after a day of which something of theirs is."""
    began = "SELECT sid FROM room WHERE earliest < %(until)s"
    found: set[str] = set()
    for table in TABLES:
        if day in days_of(db, table):
            of_day = f"EXISTS (SELECT 1 FROM {name_of(table, day)} AS of_day WHERE of_day.room = name)"
            rows = db.execute(
                f"SELECT name FROM ({began} UNION ALL SELECT trace FROM agent_trace WHERE room IN ({began}))"
                f" AS going (name) WHERE {of_day}",
                {"until": (day + 1) * DAY + SLACK},
            )
            found |= {name for (name,) in rows}
    return list(found)


def delete_old(db: Connection[Row], moments: int, keys: int, silent: int) -> bool:
    """Delete some of what belongs to no room; whether nothing is left to delete.

    ``moments``: those of workers before this time, ns since the epoch; ``keys``: by which a span is sent once, and a
    webhook taken once. Of workers that have closed, or have said nothing since ``silent``, nothing is left when no room
    is that they could have served.
    """
    done = True
    oldest = db.execute(f"SELECT min({AGE}) FROM room").fetchall()[0][0]
    closed = moments if oldest is None else min(moments, oldest - CLOSED_KEPT)
    for statement, before in (
        # The last of each kind stays: it tells that a worker is there, however long ago it said so.
        (
            (
                "DELETE FROM worker_moment WHERE seq IN (SELECT seq FROM worker_moment AS old WHERE time < %s"
                " AND time < (SELECT max(time) FROM worker_moment AS new WHERE new.subject = old.subject"
                " AND new.kind = old.kind) LIMIT %s)"
            ),
            moments,
        ),
        (_SILENT.format(closed=f"AND EXISTS ({_OF_WORKER} AND kind = '{Kind.WORKER_CLOSED}')"), closed),
        (_SILENT.format(closed=""), min(closed, silent)),
        # Of traces whose room was never known.
        (
            (
                "DELETE FROM moment WHERE trace IS NOT NULL AND room = trace AND seq IN"
                " (SELECT seq FROM moment WHERE trace IS NOT NULL AND room = trace AND time < %s LIMIT %s)"
            ),
            moments,
        ),
        (
            (
                "DELETE FROM evidence WHERE seq IN (SELECT seq FROM evidence WHERE at < %s AND (room = ''"
                " OR starts_with(room, 'trace:') AND room NOT IN (SELECT trace FROM agent_trace)) LIMIT %s)"
            ),
            moments,
        ),
        *(
            (
                (
                    f"DELETE FROM {table} WHERE seq IN (SELECT seq FROM {table} WHERE at < %s AND NOT EXISTS"
                    f" (SELECT 1 FROM evidence WHERE evidence.seq = {table}.seq) LIMIT %s)"
                ),
                moments,
            )
            for table in ("unread", "unsent")
        ),
        (
            "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox WHERE body IS NULL AND since < %s LIMIT %s)",
            keys,
        ),
        ("DELETE FROM sent WHERE ctid IN (SELECT ctid FROM sent WHERE since < %s LIMIT %s)", keys),
        (
            "DELETE FROM delivery WHERE event_id IN (SELECT event_id FROM delivery WHERE at < %s LIMIT %s)",
            keys,
        ),
    ):
        done = db.execute(statement, (before, AT_ONCE)).rowcount < AT_ONCE and done
    db.execute("DELETE FROM listened WHERE until < least(%s, (SELECT min(first_seen) FROM room))", (moments,))
    return done
