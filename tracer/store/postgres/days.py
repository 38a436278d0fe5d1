"""Moments and evidence are kept apart by day, UTC: what is old goes with its day, at once."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg

from tracer.store.postgres.locks import WRITE
from tracer.store.postgres.migrations import SAYING, SCHEMA
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg import Connection

__all__ = ["DAY", "TABLES", "Day", "days_of", "drop", "drop_detached", "make", "name_of"]

Day = int
"""Days since the epoch."""
DAY = 24 * 3600 * NS_PER_S
"""ns."""
TABLES = {"moment": "time", "evidence": "at"}
"""What is kept by day, and the column that says which."""
BACK, AHEAD = 1000, 2
"""Days before and after today that have a table of their own; what is of another is in ``moment_other``."""
PATIENCE = 30
"""ms to wait for those who read when a day is dropped: who writes waits behind it."""
DETACHED = "detached_"
"""How the table of a day begins that is not part of the whole any more."""
TRIES, BETWEEN = 100, 0.1
"""How often that is tried, and the seconds in between."""


def name_of(table: str, day: Day) -> str:
    """The table of a day."""
    return f"{table}_{datetime.fromtimestamp(day * 86_400, UTC):%Y%m%d}"


def days_of(db: Connection[Any], table: str) -> list[Day]:
    """The days that have a table, the oldest first."""
    rows = db.execute(
        "SELECT right(relname, 8) FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid"
        " WHERE inhparent = %s::regclass AND relname ~ '_[0-9]{8}$' ORDER BY 1",
        (table,),
    )
    return [round(datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).timestamp()) // 86_400 for (day,) in rows]


def make(db: Connection[Any], table: str, days: Iterable[Day]) -> None:
    """Tables for these days, where they may have one and do not. Others' writing waits meanwhile."""
    today = time.time_ns() // DAY
    wanted = {day for day in days if today - BACK <= day <= today + AHEAD}
    with db.transaction():
        WRITE.take(db)
        for day in sorted(wanted - set(days_of(db, table))):
            name, column, bounds = name_of(table, day), TABLES[table], (day * DAY, (day + 1) * DAY)
            db.execute(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS)")
            for said in SAYING[table]:
                db.execute(f"ALTER TABLE {name} ALTER {said} SET STATISTICS 0")
            # Else what has come of this day before, as of a day too far ahead, would forbid it.
            db.execute(
                f"WITH of_day AS (DELETE FROM {table}_other WHERE {column} >= %s AND {column} < %s RETURNING *)"
                f" INSERT INTO {name} SELECT * FROM of_day",
                bounds,
            )
            db.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({bounds[0]}) TO ({bounds[1]})")


def drop(db: Connection[Any], day: Day, stays: Iterable[str] = ()) -> None:
    """All that is of this day, but for these rooms and traces: what is theirs moves to ``moment_other``.

    Whoever writes waits some milliseconds. Raises psycopg.errors.LockNotAvailable where others leave no gap.
    """
    kept = list(stays)
    for table in TABLES:
        if day not in days_of(db, table):
            continue
        for tries_left in reversed(range(TRIES)):
            try:
                _detach(db, table, day, kept)
                break
            except psycopg.errors.LockNotAvailable:
                if not tries_left:
                    raise
                time.sleep(BETWEEN)
    drop_detached(db)
    for table in ("unread", "unsent"):
        db.execute(
            f"DELETE FROM {table} WHERE at >= %s AND at < %s AND NOT EXISTS"
            f" (SELECT 1 FROM evidence WHERE evidence.seq = {table}.seq)",
            (day * DAY, (day + 1) * DAY),
        )


def _detach(db: Connection[Any], table: str, day: Day, stays: list[str]) -> None:
    """Others wait meanwhile, and so not for the files to be deleted. CONCURRENTLY is not for tables with a default."""
    name = name_of(table, day)
    with db.pipeline(), db.transaction():
        db.execute(f"SET LOCAL lock_timeout = '{PATIENCE}ms'")
        db.execute(f"ALTER TABLE {table} DETACH PARTITION {name}")
        if stays:
            db.execute(f"INSERT INTO {table} SELECT * FROM {name} WHERE room = ANY(%s)", (stays,))
        db.execute(f"ALTER TABLE {name} RENAME TO {DETACHED}{name}")


def drop_detached(db: Connection[Any]) -> None:
    """Delete what is no part of the whole any more; also that of a process which ended before it had done so."""
    for (name,) in db.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND starts_with(relname, %s)"
        " AND relkind = 'r'",
        (SCHEMA, DETACHED),
    ).fetchall():
        db.execute(f"DROP TABLE {name}")
