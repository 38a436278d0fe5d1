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
PATIENCE = 20
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
            _create(db, name, f"{table} INCLUDING DEFAULTS", SAYING[table])
            # Else what has come of this day before, as of a day too far ahead, would forbid it.
            db.execute(
                f"WITH of_day AS (DELETE FROM {table}_other WHERE {column} >= %s AND {column} < %s RETURNING *)"
                f" INSERT INTO {name} SELECT * FROM of_day",
                bounds,
            )
            db.execute(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({bounds[0]}) TO ({bounds[1]})")


def _create(db: Connection[Any], name: str, like: str, saying: Iterable[str]) -> None:
    db.execute(f"CREATE TABLE {name} (LIKE {like})")
    for said in saying:
        db.execute(f"ALTER TABLE {name} ALTER {said} SET STATISTICS 0")


def drop(db: Connection[Any], day: Day, stays: Iterable[str] = ()) -> None:
    """All that is of this day, but for these rooms and traces: what is theirs is in ``moment_other`` from then on.

    Whoever writes waits some milliseconds. Raises psycopg's LockNotAvailable or SerializationFailure where others leave
    no gap.
    """
    kept = list(stays)
    for table in TABLES:
        if day in days_of(db, table):
            _detach(db, table, day, kept)
    drop_detached(db)
    for table in ("unread", "unsent"):
        db.execute(
            f"DELETE FROM {table} WHERE at >= %s AND at < %s AND NOT EXISTS"
            f" (SELECT 1 FROM evidence WHERE evidence.seq = {table}.seq)",
            (day * DAY, (day + 1) * DAY),
        )


def _detach(db: Connection[Any], table: str, day: Day, stays: list[str]) -> None:
    """Take the table of a day out of the whole, when others leave a gap."""
    copied: object = None
    for tries_left in reversed(range(TRIES)):
        try:
            if stays and not copied:
                copied = _copy(db, table, day, stays)
            _exchange(db, table, day, stays, copied)
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.SerializationFailure) as error:
            if isinstance(error, psycopg.errors.SerializationFailure):
                copied = None
            if not tries_left:
                raise
            time.sleep(BETWEEN)


def _copy(db: Connection[Any], table: str, day: Day, stays: list[str]) -> object:
    """Make what ``moment_other`` will be, while nobody waits: what it holds, and what of the day stays.

    Returns how many rows these are and the sum of their numbers. Rows only come, with a number above all others, and
    go: as many rows with this sum are the same.
    """
    copy = f"{DETACHED}{table}_copy"
    db.execute(f"DROP TABLE IF EXISTS {copy}")
    _create(db, copy, f"{table}_other INCLUDING DEFAULTS INCLUDING INDEXES", SAYING[table])
    db.execute(
        f"INSERT INTO {copy} SELECT * FROM {table}_other"
        f" UNION ALL SELECT * FROM {name_of(table, day)} WHERE room = ANY(%s)",
        (stays,),
    )
    others, column = set(days_of(db, table)) - {day}, TABLES[table]
    if apart := " AND ".join(
        f"({column} < {start * DAY} OR {column} >= {end * DAY})"
        for start, end in zip(
            sorted(one for one in others if one - 1 not in others),
            sorted(one + 1 for one in others if one + 1 not in others),
            strict=True,
        )
    ):
        # So that it need not be looked through for rows of other days while others wait.
        db.execute(f"ALTER TABLE {copy} ADD CONSTRAINT apart CHECK ({apart})")
    return db.execute(f"SELECT count(*), sum(seq) FROM {copy}").fetchone()


def _exchange(db: Connection[Any], table: str, day: Day, stays: list[str], copied: object) -> None:
    """Take the day out and put the copy in. Raises SerializationFailure where it is no copy any more.

    Others wait meanwhile, and so not for rows to be copied nor for files to be deleted. CONCURRENTLY is not for tables
    with a default.
    """
    name, other, copy = name_of(table, day), f"{table}_other", f"{DETACHED}{table}_copy"
    with db.pipeline(), db.transaction():
        db.execute(f"SET LOCAL lock_timeout = '{PATIENCE}ms'")
        db.execute("SET LOCAL synchronous_commit = off")  # what is taken back by a crash is dropped again
        db.execute(f"ALTER TABLE {table} DETACH PARTITION {name}")
        if stays:
            db.execute(f"ALTER TABLE {table} DETACH PARTITION {other}")
            now = db.execute(
                "SELECT count(*), sum(seq) FROM"
                f" (SELECT seq FROM {other} UNION ALL SELECT seq FROM {name} WHERE room = ANY(%s)) AS its",
                (stays,),
            )
            if now.fetchone() != copied:
                raise psycopg.errors.SerializationFailure(f"what stays of {name} was changed while it was copied")
            db.execute(f"ALTER TABLE {other} RENAME TO {DETACHED}{other}")
            db.execute(f"ALTER TABLE {copy} RENAME TO {other}")
            db.execute(f"ALTER TABLE {table} ATTACH PARTITION {other} DEFAULT")
            db.execute(f"ALTER TABLE {other} DROP CONSTRAINT IF EXISTS apart")
        db.execute(f"ALTER TABLE {name} RENAME TO {DETACHED}{name}")


def drop_detached(db: Connection[Any]) -> None:
    """Delete what is no part of the whole any more; also that of a process which ended before it had done so."""
    for (name,) in db.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND starts_with(relname, %s)"
        " AND relkind = 'r'",
        (SCHEMA, DETACHED),
    ).fetchall():
        db.execute(f"DROP TABLE {name}")
