"""Where moments are kept: the contract, and which store a location names. SQL is in ``tracer.store.sqlite`` only."""

from __future__ import annotations

from pathlib import Path

from tracer.errors import ConfigurationError
from tracer.settings import address
from tracer.store.contract import (
    DEMO,
    NEWEST,
    SCRATCH,
    Arrival,
    Evidence,
    Form,
    Outgoing,
    Placed,
    Reader,
    RoomRow,
    StoredSummary,
    StoreSize,
    Task,
    Unknown,
    Writer,
)

__all__ = [
    "DEMO",
    "NEWEST",
    "SCRATCH",
    "Arrival",
    "Evidence",
    "Form",
    "Outgoing",
    "Placed",
    "Reader",
    "RoomRow",
    "StoreSize",
    "StoredSummary",
    "Task",
    "Unknown",
    "Writer",
    "is_database",
    "open_reader",
    "open_writer",
    "shown",
]

DATABASE = ("postgresql://", "postgres://")
"""How a location in PostgreSQL begins: https://www.postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING."""
WAIT = 10.0
"""Seconds that a write waits for another process that writes."""


def open_reader(location: str) -> Reader:
    """The store at this location, for reading. Raises StoreError when there is none or it is not tracer's."""
    if is_database(location):
        from tracer.store.postgres.reader import PostgresReader

        return PostgresReader(location)
    from tracer.store.sqlite.reader import SqliteReader

    return SqliteReader(_path(location))


def open_writer(location: str, *, wait: float | None = None) -> Writer:
    """The store at this location, created when it is not there. Raises StoreError when it cannot be opened.

    ``wait``: seconds that a write waits for another process that writes; without it, ten.
    """
    wait = WAIT if wait is None else wait
    if is_database(location):
        from tracer.store.postgres.writer import PostgresStore

        return PostgresStore(location, wait=wait)
    from tracer.store.sqlite.writer import SqliteStore

    return SqliteStore(_path(location), wait=wait)


def is_database(location: str) -> bool:
    """Whether a location is in PostgreSQL, and not a file's path."""
    return location.startswith(DATABASE)


def shown(location: str) -> str:
    """A location as it may be shown: without user and password."""
    if not is_database(location):
        return location
    from tracer.store.postgres.connecting import shown as of_database

    return of_database(location)


def _path(location: str) -> Path:
    if "://" in location:
        raise ConfigurationError(
            f"--store {address(location)!r} is not supported: name a SQLite file, or a database as"
            " postgresql://user@host/database"
        )
    return Path(location)
