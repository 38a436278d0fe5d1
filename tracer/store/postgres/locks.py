"""Locks between processes that share a database: PostgreSQL's advisory locks, which end with their holder.

https://www.postgresql.org/docs/15/explicit-locking.html#ADVISORY-LOCKS. One that sits behind a pooler which gives a
connection to others between two statements does not hold: connect to the database itself.
"""

from __future__ import annotations

from enum import IntEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["MIGRATE", "WRITE", "Lock", "try_to_hold"]

OURS = 0x4C4B5452
"""First half of each lock's key ("LKTR"), so that another program's locks are not ours."""


class Lock(IntEnum):
    """Second half of the key, of locks that last for a transaction."""

    MIGRATE = 1
    """Whoever makes the tables."""
    WRITE = 2
    """Whoever stores moments: their numbers then are in the order in which others see them, as the exporter needs."""

    def take(self, db: Connection[Any]) -> None:
        """Wait for it; it is free again at the end of the transaction."""
        db.execute("SELECT pg_advisory_xact_lock(%s, %s)", (OURS, int(self)))


MIGRATE, WRITE = Lock.MIGRATE, Lock.WRITE


def try_to_hold(db: Connection[Any], task: str) -> bool:
    """Whether this connection now is the one that has the lock of a task, which it keeps as long as it lives."""
    key = int.from_bytes(blake2b(task.encode("utf-8", "surrogatepass"), digest_size=4).digest(), signed=True)
    row = db.execute("SELECT pg_try_advisory_lock(%s, %s)", (OURS, key)).fetchone()
    return bool(row and row[0])
