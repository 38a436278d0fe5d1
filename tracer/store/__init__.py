"""Where moments are kept: the contract, and which store a location names. SQL is in ``tracer.store.sqlite`` only."""

from __future__ import annotations

from pathlib import Path

from tracer.errors import ConfigurationError
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
    "Unknown",
    "Writer",
    "open_reader",
    "open_writer",
]


def open_reader(location: str) -> Reader:
    """The store at this location, for reading. Raises StoreError when there is none or it is not tracer's."""
    from tracer.store.sqlite.reader import SqliteReader

    return SqliteReader(_path(location))


def open_writer(location: str, *, wait: float | None = None) -> Writer:
    """The store at this location, created when it is not there. Raises StoreError when it cannot be opened.

    ``wait``: seconds that a write waits for another process that writes; without it, ten.
    """
    from tracer.store.sqlite.opening import TIMEOUT
    from tracer.store.sqlite.writer import SqliteStore

    return SqliteStore(_path(location), wait=TIMEOUT if wait is None else wait)


def _path(location: str) -> Path:
    if "://" in location:
        raise ConfigurationError(f"--store {location!r} is not supported: name the path of a SQLite file")
    return Path(location)
