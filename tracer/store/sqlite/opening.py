"""Opening a SQLite file: is it there, is it tracer's, is it of this version."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from typing import TYPE_CHECKING

from tracer.errors import StoreError
from tracer.store.sqlite.migrations import APPLICATION_ID, VERSION, migrate

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["TIMEOUT", "connect", "is_whole", "reopened"]

log = logging.getLogger("tracer")

TIMEOUT = 10
"""Seconds to wait for another process that writes."""
SMALLEST = 512
"""Bytes of the smallest SQLite file that is not empty; SQLite itself would take a shorter file for an empty one."""
_looked_into: dict[tuple[int, int], int] = {}
"""Descriptors of files whose header was read, by device and inode; they stay open, see ``is_whole``."""


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open the file; when it is to be written, create or migrate it. Raises StoreError, and leaves others' files alone.

    The connection is in autocommit mode and may be used from any thread, one at a time.
    """
    if path.is_dir():
        raise StoreError(f"{path} is a folder: name a file in it with --store")
    if not writable and not path.exists():
        raise StoreError(f"no store at {path}: start `tracer serve`, or name another with --store")
    try:
        if writable:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists() and 0 < path.stat().st_size < SMALLEST:
            raise StoreError(f"{path} is not a tracer database: name another with --store")
        try:
            return _opened(path, "mode=rwc" if writable else "mode=ro", writable=writable)
        except sqlite3.OperationalError as error:
            if writable or error.sqlite_errorcode != sqlite3.SQLITE_CANTOPEN:
                raise
            # On a read-only file system SQLite cannot make the files beside it; there nobody writes either.
            return _opened(path, "immutable=1", writable=False)
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise StoreError(f"{path} is not a tracer database: name another with --store") from error
        raise StoreError(f"cannot open the store {path}: {error}") from error
    except OSError as error:
        raise StoreError(f"cannot open the store {path}: {error}") from error


def reopened(path: Path) -> sqlite3.Connection:
    """Another connection to a file that this process writes. Raises sqlite3.Error, StoreError."""
    return _opened(path, "mode=rw", writable=False)


def is_whole(path: Path) -> bool:
    """Whether a file is as large as it says: https://sqlite.org/fileformat2.html, offsets 16 and 28.

    The file stays open until this process ends. To close it would take away every lock that this process's connections
    hold on it, and the next process that closes the store would then delete the WAL that they still write to:
    https://sqlite.org/howtocorrupt.html, 2.2. For the same reason nothing else here opens a store's file.
    """
    now = path.stat()
    which = now.st_dev, now.st_ino
    if which not in _looked_into:
        _looked_into[which] = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    os.lseek(_looked_into[which], 0, os.SEEK_SET)
    header = os.read(_looked_into[which], 32)
    page = int.from_bytes(header[16:18])
    return len(header) == 32 and now.st_size >= (65_536 if page == 1 else page) * int.from_bytes(header[28:32])


def _opened(path: Path, how: str, *, writable: bool) -> sqlite3.Connection:
    """A connection to a file that is ours. Raises sqlite3.Error, StoreError."""
    db = sqlite3.connect(
        f"{path.absolute().as_uri()}?{how}",
        uri=True,
        timeout=TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        _check(db, path, writable=writable)
    except (sqlite3.Error, StoreError):
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection, path: Path, *, writable: bool) -> None:
    db.execute("BEGIN")  # all three from one snapshot: another process may be creating the file
    owner = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    db.execute("COMMIT")
    if tables == 0 and writable:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # before all else: what is deleted can then be given back
        path.chmod(0o600)  # first: the WAL is made with the file's own mode
        _use_wal(db)
    elif owner != APPLICATION_ID:
        raise StoreError(f"{path} is not a tracer database: name another file with --store")
    elif version > VERSION:
        raise StoreError(f"{path} has version {version}, and this tracer reads up to {VERSION}: upgrade tracer")
    if writable and (tables == 0 or version < VERSION):
        if tables:  # a second a GB, and as long nothing is answered; whoever is killed meanwhile begins again
            log.info("%s is of an older tracer: it is brought up to date, once", path)
        migrate(db)


def _use_wal(db: sqlite3.Connection) -> None:
    """Let others read while one writes. For this statement alone SQLite does not wait for another process by itself."""
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return
