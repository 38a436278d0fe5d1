"""The log of a file (its WAL) is copied into the file beside whoever writes, and not while somebody waits for a commit.

SQLite would do it in the commit that makes the log too long, and all who wait for that commit would wait for it too:
https://sqlite.org/wal.html#performance_considerations.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from typing import TYPE_CHECKING

from tracer.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

__all__ = ["LONGEST", "Checkpoints"]

log = logging.getLogger("tracer")

ROWS = 1000
"""Rows that are changed between two checkpoints; each takes a page or two of the log."""
LONG = 4096
"""Pages of the log from which it is begun anew, 16 MiB: for that nobody may write while its last ones are copied."""
FEW = 256
"""Pages that are copied in a few ms."""
PASSES = 4
"""How often it is tried to leave no more than those, while others go on writing."""
LONGEST = 4 * LONG
"""Pages of the log from which SQLite does it in a commit, so that it is bounded whatever happens."""


class Checkpoints:
    """A thread with a connection of its own, which begins when there is something to do."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], look: Callable[[], None], alone: AbstractContextManager[object]
    ) -> None:
        """``connect`` opens the file, ``look`` raises StoreError when it is not as it should be.

        Within ``alone`` this process does not write to it.
        """
        self.under_way = threading.Lock()
        """Held while one is: then SQLite refuses another."""
        self._connect = connect
        self._look = look
        self._alone = alone
        self._changed = 0
        self._due = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None

    def committed(self, changed: int) -> None:
        """So many rows were changed since the file was opened."""
        if changed - self._changed < ROWS:
            return
        self._changed = changed
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()
        self._due.set()

    def close(self) -> None:
        """Wait for one that is under way; there are no others."""
        self._stopped = True
        self._due.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        db: sqlite3.Connection | None = None
        while self._due.wait() and not self._stopped:
            self._due.clear()
            try:
                db = db or self._connect()
                self._copy(db)
            except (sqlite3.Error, StoreError) as error:  # whoever writes says what is wrong: the log becomes longer
                log.debug("cannot copy the store's log into the store: %s", error)
        if db:
            db.close()

    def _copy(self, db: sqlite3.Connection) -> None:
        for _ in range(PASSES):
            pages, left = self._checkpoint(db)
            if pages < LONG or left <= FEW:
                break
        if pages >= LONG:
            with self._alone:
                self._checkpoint(db)  # the next that is written is at the log's beginning

    def _checkpoint(self, db: sqlite3.Connection) -> tuple[int, int]:
        """Copy what can be without waiting for anybody: pages that the log has, and those of them that are left."""
        with self.under_way:
            self._look()  # a file that was cut off would be made as long again, with nothing in it
            _, pages, copied = db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._look()  # it can be shorter now, and soon longer
        return pages, pages - copied
