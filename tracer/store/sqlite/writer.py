"""Writing to a store."""

from __future__ import annotations

import os
import threading
import time
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING

from tracer.errors import StoreError
from tracer.file_lock import try_lock
from tracer.store.alike import KEYS_KEPT, SILENT_KEPT
from tracer.store.contract import NEWEST, Outgoing, Placed, Task
from tracer.store.sqlite.adding import add, queue
from tracer.store.sqlite.checkpoints import LONGEST, Checkpoints
from tracer.store.sqlite.evidence import to_read, to_send
from tracer.store.sqlite.forgetting import BETWEEN, delete_of_room, delete_old
from tracer.store.sqlite.migrations import VERSION
from tracer.store.sqlite.opening import TIMEOUT, is_whole, reopened
from tracer.store.sqlite.reader import SqliteReader
from tracer.store.sqlite.to_send import note_sent, sent_spans

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tracer.store.contract import Arrival, Evidence

__all__ = ["SqliteStore"]

_WAITS = "body IS NOT NULL AND open_job IS NULL AND refused IS NULL AND unplaced IS NULL"
"""Of a row in the outbox: it waits for the backend."""


class SqliteStore(SqliteReader):
    """A store opened for writing, by one process at a time; any number of readers may use the file meanwhile."""

    shared = False
    """A file is on one machine, and its webhooks come to one process."""

    def __init__(self, path: Path, *, wait: float = TIMEOUT) -> None:
        """``wait``: seconds to wait for another process that writes, once the store is open."""
        super().__init__(path, writable=True)
        self._export_lock: IO[str] | None = None
        self._file = path.stat()
        self._looking = threading.Lock()
        with self._using() as db:
            db.execute(f"PRAGMA busy_timeout = {round(wait * 1000)}")
            # An acknowledged webhook must outlive a power cut: NORMAL would lose the last commits of a WAL.
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA wal_autocheckpoint = {LONGEST}")
        self._checkpoints = Checkpoints(lambda: reopened(path), self._is_there, self._lock)

    def check(self) -> None:
        """Raise StoreError where nothing can be written: the file is gone, locked, or on a full or read-only disk."""
        with self._transaction() as db:
            db.execute("PRAGMA user_version = " + str(VERSION))  # as it is: but it is written, and to the disk

    def _is_there(self) -> None:
        """Raises StoreError when the open file is no longer the one of that name: SQLite would write on, to nowhere."""
        with self._looking:  # who writes and who copies the log: what one saw must not be older than what the other did
            try:
                now = self.path.stat()
            except OSError:
                raise StoreError(f"the store {self.path} was deleted or renamed: restart `tracer serve`") from None
            if (now.st_dev, now.st_ino) != (self._file.st_dev, self._file.st_ino):
                raise StoreError(f"the store {self.path} was replaced by another file: restart `tracer serve`")
            if now.st_size < self._file.st_size and not is_whole(self.path):
                raise StoreError(f"the store {self.path} was truncated: stop `tracer serve` and move the file away")
            # It grows: what is cut off later is missing from this size, not from that of the beginning.
            self._file = now

    def may(self, task: Task, of: str = "") -> bool:
        """Whether this process is the one that does this: the first to export from this file, for as long as it runs.

        Anything else each process with this file does: that takes more time, and changes nothing.
        """
        if task is not Task.EXPORT:
            return True
        with self._lock:  # two threads ask
            if self._export_lock is None:
                path = f"{self.path}-export"
                self._export_lock = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+")
            return try_lock(self._export_lock)

    def heard(self, seconds: float) -> list[bytes]:
        """None: webhooks come to one process."""
        time.sleep(seconds)
        return []

    def close(self) -> None:
        """Close the file and release the right to export from it."""
        self._checkpoints.close()
        super().close()
        if self._export_lock:
            self._export_lock.close()

    def add(self, arrivals: Iterable[Arrival | Evidence]) -> list[bool]:
        """Store all of them in one commit; returns only when they are on disk.

        Idempotent. For each: False when its webhook was stored before, or its evidence was read by another. Raises
        StoreError when it cannot, and then nothing is stored.
        """
        with self._transaction() as db, closing(db.cursor()) as cursor:
            return add(cursor, arrivals)

    def note_listened(self, run: str, since: int, until: int) -> None:
        """Note that one run of whoever listens has done so from when until when, ns since the epoch."""
        with self._transaction() as db:
            db.execute("INSERT OR REPLACE INTO listened VALUES (?, ?, ?)", (run, since, until))

    def to_read(self, limit: int) -> list[Evidence]:
        """The oldest pieces of evidence that nobody has read and, where there are none, that another version has."""
        with self._using() as db:
            return to_read(db, limit)

    def read_again(self, version: int) -> None:
        """Let all evidence be read again that another version than this has read."""
        of = "SELECT version FROM reading"
        with self._using() as db:
            if db.execute(of).fetchone() == (version,):
                return  # as nearly always: who starts waits for nobody
        with self._transaction() as db:
            if db.execute(of).fetchone() != (version,):
                db.execute("DELETE FROM reading")
                db.execute("INSERT INTO reading VALUES (?)", (version,))
                db.execute("INSERT OR IGNORE INTO unread (seq, again) SELECT seq, 1 FROM evidence_of_room ORDER BY seq")

    def rooms_to_export(self, limit: int, below: int = NEWEST) -> list[tuple[str, int]]:
        """Rooms with moments whose spans may not have been queued, each with the number of its newest moment.

        Those of which something came last come first; only rooms whose newest moment has a number below this.
        """
        with self._using() as db:
            rows = db.execute(
                "SELECT sid, changed FROM room WHERE exported < changed AND changed < ? ORDER BY changed DESC LIMIT ?",
                (below, limit),
            )
            return [(str(sid), int(changed)) for sid, changed in rows]

    def open_spans(self, job: str) -> list[Outgoing]:
        """The spans that a job began and did not end."""
        with self._using() as db:
            rows = db.execute("SELECT trace_id, span_id, body, open_job FROM outbox WHERE open_job = ?", (job,))
            return [Outgoing(*row) for row in rows]

    def queue(
        self, outgoing: Iterable[Outgoing], exported: Iterable[tuple[str, int]], placed: Iterable[int] = ()
    ) -> None:
        """Put spans into the outbox, each once for ever, and note up to which moment each room is exported.

        ``placed`` are the numbers of spans that are among them under their room's trace, and not sent as they came.
        """
        with self._transaction() as db, closing(db.cursor()) as cursor:
            queue(cursor, outgoing)
            cursor.executemany(
                "UPDATE room SET exported = ? WHERE sid = ?", [(newest, sid) for sid, newest in exported]
            )
            cursor.executemany(
                "UPDATE outbox SET body = NULL, unplaced = NULL WHERE seq = ?", [(number,) for number in placed]
            )

    def placed(self, limit: int) -> list[Placed]:
        """The oldest spans that named no room, and whose trace has one by now."""
        with self._using() as db:
            rows = db.execute(
                "SELECT seq, body, min(room) FROM outbox JOIN agent_trace ON trace = unplaced"
                " WHERE unplaced IS NOT NULL GROUP BY seq HAVING count(*) = 1 ORDER BY seq LIMIT ?",
                (limit,),
            )
            return [Placed(*row) for row in rows]

    def release(self, before: int, most: int) -> int:
        """Send spans as they came that have waited for their room since ``before`` (ns since the epoch).

        Of those that wait longer the oldest go, where there are more than ``most``. Returns how many went.
        """
        with self._using() as db:
            old = db.execute(
                "SELECT seq FROM outbox WHERE unplaced IS NOT NULL AND (since < ? OR seq <= ("
                "SELECT seq FROM outbox WHERE unplaced IS NOT NULL ORDER BY seq DESC LIMIT 1 OFFSET ?))",
                (before, most),
            ).fetchall()
        if old:
            with self._transaction() as db:
                db.executemany("UPDATE outbox SET unplaced = NULL WHERE seq = ?", old)
        return len(old)

    def unsent(self, limit: int) -> list[tuple[int, bytes]]:
        """The oldest spans that wait for the backend: number and serialized ``ResourceSpans``."""
        with self._using() as db:
            return db.execute(f"SELECT seq, body FROM outbox WHERE {_WAITS} ORDER BY seq LIMIT ?", (limit,)).fetchall()

    def evidence_to_send(self, limit: int, size: int) -> list[Evidence]:
        """The newest pieces of agents' spans that the backend may not have; no more than ``size`` bytes, or one."""
        with self._using() as db:
            return to_send(db, limit, size)

    def sent_spans(self, traces: Iterable[bytes]) -> dict[bytes, set[bytes]]:
        """Ids of the spans of these traces that were sent or are in the outbox, except those that are open there."""
        with self._using() as db:
            return sent_spans(db, traces)

    def evidence_sent(self, numbers: Iterable[int], spans: Mapping[bytes, Iterable[bytes]]) -> None:
        """These pieces need not be sent any more: of these traces the spans with these ids were."""
        with self._transaction() as db, closing(db.cursor()) as cursor:
            note_sent(cursor, numbers, spans)

    def count_unsent(self) -> int:
        """How many spans wait for the backend, in the outbox and in evidence."""
        with self._using() as db:
            query = (
                f"SELECT (SELECT count(*) FROM outbox WHERE {_WAITS}) + (SELECT coalesce(sum(spans), 0) FROM unsent)"
            )
            return int(db.execute(query).fetchone()[0])

    def has_unsent(self, count: int) -> bool:
        """Whether more spans than this are in the outbox and wait for the backend."""
        with self._using() as db:
            return bool(db.execute(f"SELECT 1 FROM outbox WHERE {_WAITS} LIMIT 1 OFFSET ?", (count,)).fetchone())

    def sent(self, numbers: Iterable[int]) -> None:
        """Mark these spans as accepted by the backend."""
        with self._transaction() as db:
            db.executemany("UPDATE outbox SET body = NULL WHERE seq = ?", [(number,) for number in numbers])

    def refused(self, numbers: Iterable[int]) -> None:
        """Set these spans aside: the backend refuses them. They no longer wait, and are not lost."""
        with self._transaction() as db:
            db.executemany("UPDATE outbox SET refused = 1 WHERE seq = ?", [(number,) for number in numbers])

    def offer_refused(self) -> None:
        """Let the spans that were set aside wait for the backend again."""
        with self._transaction() as db:
            db.execute("UPDATE outbox SET refused = NULL WHERE refused IS NOT NULL")

    def to_summarize(self, after: int, until: int, limit: int) -> list[tuple[str, int]]:
        """Finished rooms without a valid summary, each with the number of its newest moment.

        Only rooms whose newest moment is numbered in (``after``, ``until``], in that order.
        """
        with self._using() as db:
            return db.execute(
                "SELECT sid, changed FROM room WHERE finished IS NOT NULL AND summarized < changed"
                " AND changed > ? AND changed <= ? ORDER BY changed LIMIT ?",
                (after, until, limit),
            ).fetchall()

    def summarized(self, summaries: Iterable[tuple[str, int, str]], version: int) -> None:
        """Store summaries: the room, the number of its newest moment when the summary was made, and its JSON."""
        with self._transaction() as db:
            for room, newest, body in summaries:
                # Not of a room that was forgotten meanwhile.
                if db.execute("UPDATE room SET summarized = ? WHERE sid = ?", (newest, room)).rowcount:
                    db.execute("INSERT OR REPLACE INTO summary VALUES (?, ?, ?)", (room, version, body))

    def forget_summaries(self, version: int) -> None:
        """Invalidate summaries of any other version, so that they are made again."""
        with self._transaction() as db:
            db.execute(
                "UPDATE room SET summarized = 0 WHERE sid IN (SELECT room FROM summary WHERE version <> ?)", (version,)
            )

    def forget(self, room: str) -> None:
        """Delete a room and all that is known of it. In steps, between which others can write."""
        done = False
        while not done:
            with self._transaction() as db, closing(db.cursor()) as cursor:
                done = delete_of_room(cursor, room)
            time.sleep(BETWEEN)

    def forget_old(self, before: int) -> None:
        """Delete what is older, ns since the epoch, and belongs to no room; and keys that have served their time."""
        done, now = False, time.time_ns()
        while not done:
            with self._transaction() as db, closing(db.cursor()) as cursor:
                done = delete_old(cursor, before, now - KEYS_KEPT, now - SILENT_KEPT)
            time.sleep(BETWEEN)

    def forget_oldest(self, before: int) -> int:
        """Delete the oldest room that began before this time, ns since the epoch, and of which nothing came since."""
        with self._using() as db:
            row = db.execute(
                "SELECT sid FROM room WHERE coalesce(created, first_seen) < ?"
                " AND coalesce((SELECT time FROM moment WHERE seq = changed), 0) < ?"
                " ORDER BY coalesce(created, first_seen) LIMIT 1",
                (before, before),
            ).fetchone()
        if row is None:
            return 0
        self.forget(str(row[0]))
        return 1

    def give_back(self, pages: int) -> int:
        """Make the file smaller by up to so many pages that hold nothing; returns how many are left."""
        with self._using() as db:
            self._is_there()
            if not db.execute("PRAGMA auto_vacuum").fetchone()[0]:
                return 0  # made by an older tracer: what is free is used again
            _give_back(db, int(pages))
            return int(db.execute("PRAGMA freelist_count").fetchone()[0])

    def clean(self) -> None:
        """Leave nothing of what was deleted in the file or beside it. Others wait; a store of an older tracer, long."""
        with self._using() as db:
            self._is_there()
            gives_back = db.execute("PRAGMA auto_vacuum").fetchone()[0]
            if gives_back:
                _give_back(db, 0)
            else:
                db.execute("PRAGMA auto_vacuum = INCREMENTAL")
                db.execute("VACUUM")
            with self._checkpoints.under_way:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._using() as db:
            self._is_there()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
                self._checkpoints.committed(db.total_changes)
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise


def _give_back(db: sqlite3.Connection, pages: int) -> None:
    """Cut so many pages off the file; 0: all that hold nothing. Each is a row: ``execute`` would stop at the first."""
    db.executescript(f"PRAGMA incremental_vacuum({pages})")
