"""The store in one SQLite file: an append-only log of moments, and the spans still to be exported."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tracer import keys
from tracer.errors import StoreError, UnknownRoomError, UnreadableError
from tracer.moment import Kind, Moment
from tracer.store import SCRATCH, Kept, Outgoing, RoomRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.store import Arrival

__all__ = ["SqliteReader", "SqliteStore"]

APPLICATION_ID = 0x4C4B5452
"""Marks a file as ours ("LKTR"), so that another program's database is never touched."""
VERSION = 3

_M001 = """
CREATE TABLE moment (
    seq INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    room TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    occurrence TEXT NOT NULL,
    earliest INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    time INTEGER NOT NULL,
    clock TEXT NOT NULL,
    witness TEXT NOT NULL,
    facts TEXT NOT NULL
);
CREATE INDEX moment_by_room ON moment (room, kind);
CREATE TABLE room (
    sid TEXT PRIMARY KEY,
    name TEXT,
    created INTEGER,
    finished INTEGER,
    first_seen INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    exported INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX room_by_name ON room (name, created);
CREATE INDEX room_by_age ON room (first_seen);
CREATE INDEX room_to_export ON room (sid) WHERE exported < changed;
CREATE TABLE delivery (event_id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    trace_id BLOB NOT NULL,
    span_id BLOB NOT NULL,
    body BLOB,
    UNIQUE (trace_id, span_id)
);
CREATE INDEX outbox_unsent ON outbox (seq) WHERE body IS NOT NULL;
"""
"""``room.changed`` and ``room.exported`` are ``moment.seq``: of the newest moment, and of the newest one whose
spans were handed to the outbox. A sent span keeps its row without its body, so that it never goes out twice."""

_M002 = """
ALTER TABLE outbox ADD COLUMN open_job TEXT;
DROP INDEX outbox_unsent;
CREATE INDEX outbox_unsent ON outbox (seq) WHERE body IS NOT NULL AND open_job IS NULL;
CREATE INDEX outbox_open ON outbox (open_job) WHERE open_job IS NOT NULL;
"""
"""``outbox.open_job``: the job of a span that has begun and not ended. It is sent when it has."""

_M003 = """
CREATE TABLE summary (room TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID;
ALTER TABLE room ADD COLUMN summarized INTEGER NOT NULL DEFAULT 0;
CREATE INDEX room_to_summarize ON room (changed) WHERE finished IS NOT NULL AND summarized < changed;
CREATE INDEX moment_of_worker ON moment (subject, kind, time) WHERE room = '';
CREATE INDEX room_by_time ON room (coalesce(created, first_seen));
"""
"""``room.summarized`` is ``room.changed`` as it was when the summary was made: what came later makes it void."""

_MIGRATIONS = (_M001, _M002, _M003)

TIMEOUT = 10
"""Seconds to wait for another process that writes."""

_IS_AGENT = f'["{keys.PARTICIPANT_KIND}","AGENT"]'
"""How the fact stands in a moment's JSON; text from outside cannot look like it, its quotes are escaped."""

_COLUMNS = "room, kind, subject, occurrence, earliest, latest, time, clock, witness, facts"


_WORKERS = f"""
WITH RECURSIVE worker (sid) AS (
    SELECT (SELECT min(subject) FROM moment {{by}} WHERE room = '')
    UNION ALL
    SELECT (SELECT min(subject) FROM moment {{by}} WHERE room = '' AND subject > sid) FROM worker WHERE sid IS NOT NULL
), told (sid, of) AS (
    SELECT sid, (SELECT min(kind) FROM moment {{by}} WHERE room = '' AND subject = sid) FROM worker
    UNION ALL
    SELECT sid, (SELECT min(kind) FROM moment {{by}} WHERE room = '' AND subject = sid AND kind > of) FROM told
    WHERE of IS NOT NULL
)
SELECT {_COLUMNS} FROM told CROSS JOIN moment {{by}}
    ON room = '' AND subject = sid AND kind = of AND time BETWEEN ?1 AND ?2
UNION ALL
SELECT {_COLUMNS} FROM moment WHERE seq IN (
    SELECT (SELECT seq FROM moment {{by}} WHERE room = '' AND subject = sid AND kind = of AND time < ?1
            ORDER BY time DESC LIMIT 1) FROM told
)
"""
"""From one worker and kind to the next by the index, so that it costs what they told in that time and no more."""


def _connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open and check that the file is ours. Raises StoreError."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder: name a file in it with --store")
    if not writable and not path.exists():
        raise StoreError(f"no store at {path}: start `tracer serve`, or name another with --store")
    try:
        if writable:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = "rwc" if writable else "ro"
        db = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
        )
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot open the store {path}: {error}") from error
    try:
        _check(db, path, writable=writable)
    except sqlite3.Error as error:
        db.close()
        raise StoreError(f"{path} is not a store of tracer's ({error}): name another with --store") from error
    except StoreError:
        db.close()
        raise
    return db


def _check(db: sqlite3.Connection, path: Path, *, writable: bool) -> None:
    db.execute("BEGIN")  # one look at all three: another process may be making them
    owner = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    db.execute("COMMIT")
    if tables == 0 and writable:
        path.chmod(0o600)  # first: the WAL is made with the file's own mode
        _write_ahead(db)
    elif owner != APPLICATION_ID:
        raise StoreError(f"{path} is not a store of tracer's: name another file with --store")
    elif version > VERSION:
        raise StoreError(f"{path} is a store of version {version}, this tracer reads {VERSION}: upgrade tracer")
    if writable and (tables == 0 or version < VERSION):
        _migrate(db)


def _write_ahead(db: sqlite3.Connection) -> None:
    """Have the file written to while it is read. For this alone SQLite does not wait by itself for another process."""
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


def _migrate(db: sqlite3.Connection) -> None:
    """Bring the file to our version, unless another process has been first."""
    db.execute("BEGIN IMMEDIATE")
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for statement in ";".join(_MIGRATIONS[version:]).split(";"):
            db.execute(statement)
        if version < VERSION:
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def _digest(moment: Moment) -> bytes:
    """Identity of a moment: the same moment told twice is one row."""
    return blake2b(repr(moment.row()).encode("utf-8", "surrogatepass"), digest_size=12).digest()


class SqliteReader:
    """A store opened for reading, beside whoever writes it."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self.path = path
        self._db = _connect(path, writable=writable)
        # A receiver writes and exports in two threads over this one connection, and a connection has one transaction.
        self._lock = threading.Lock()

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time. Raises StoreError for whatever SQLite cannot do."""
        with self._lock:
            try:
                yield self._db
            except (sqlite3.Error, UnicodeEncodeError, OverflowError) as error:  # the latter: no type of SQLite's
                raise StoreError(f"the store {self.path} failed: {error}") from error

    def find(self, room: str) -> str:
        """SID of the room with this SID, or of the latest with this name."""
        try:
            room.encode()
        except UnicodeEncodeError:  # bytes of the command line that are no text: LiveKit has no such room
            raise UnknownRoomError(room, str(self.path)) from None
        with self._using() as db:
            row = db.execute("SELECT sid FROM room WHERE sid = ?", (room,)).fetchone()
            row = (
                row
                or db.execute(
                    "SELECT sid FROM room WHERE name = ? ORDER BY coalesce(created, first_seen) DESC LIMIT 1", (room,)
                ).fetchone()
            )
        if row is None:
            raise UnknownRoomError(room, str(self.path))
        return str(row[0])

    def moments(self, sid: str) -> list[Moment]:
        """All moments of one room, in the order they came."""
        with self._using() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM moment WHERE room = ? ORDER BY seq", (sid,))
            return [self._moment(row) for row in rows]

    def _moment(self, row: tuple[str | int, ...]) -> Moment:
        try:
            return Moment.from_row(row)
        except (ValueError, TypeError) as error:
            raise UnreadableError(
                f"{self.path} holds a moment that this tracer cannot read ({error}): upgrade it"
            ) from None

    def neighbours(self, sid: str) -> tuple[str | None, str | None]:
        """SIDs of the rooms of the same name before and after this one; None where there is none."""

        def next_to(which: str) -> str | None:
            row = db.execute(
                "SELECT other.sid FROM room JOIN room AS other ON other.name = room.name AND other.created"
                f" {which} WHERE room.sid = ? ORDER BY other.created {'DESC' if which[0] == '<' else ''} LIMIT 1",
                (sid,),
            ).fetchone()
            return str(row[0]) if row else None

        with self._using() as db:
            return next_to("< room.created"), next_to("> room.created")

    def workers(self, since: int, until: int) -> list[Moment]:
        """What workers told of themselves between two times, ns since the epoch, and the last of each kind before."""
        with self._using() as db:
            # None in a store that an older tracer wrote. SQLite, left alone, reads all that workers ever told.
            has_index = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'moment_of_worker'").fetchone()
            rows = db.execute(
                _WORKERS.replace("{by}", "INDEXED BY moment_of_worker" if has_index else ""), (since, until)
            )
            return [self._moment(row) for row in rows]

    def rooms(self, limit: int) -> list[RoomRow]:
        """The latest rooms, newest first."""
        with self._using() as db:
            rows = db.execute(
                "SELECT sid, name, created, finished FROM room"
                " ORDER BY coalesce(created, first_seen) DESC, sid LIMIT ?",
                (limit,),
            ).fetchall()
            found = []
            for sid, name, created, finished in rows:
                participants, agents = db.execute(
                    "SELECT count(DISTINCT subject),"
                    " count(DISTINCT CASE WHEN instr(facts, ?) THEN subject END)"
                    " FROM moment WHERE room = ? AND kind IN (?, ?)",
                    (_IS_AGENT, sid, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE),
                ).fetchone()
                found.append(RoomRow(sid, name, created, finished, participants - agents, agents))
        return found

    def summaries(self, limit: int, *, since: int = 0, version: int) -> list[Kept]:
        """The summaries of the latest rooms, newest first, of those made ``since``, ns since the epoch."""
        with self._using() as db:
            # None in a store that an older tracer wrote, and nobody who may write has opened since.
            has_any = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'summary'").fetchone()
            holds = "CASE WHEN summarized = changed AND version = ?3 THEN body END" if has_any else "?3 AND NULL"
            rows = db.execute(
                f"SELECT sid, finished IS NOT NULL, {holds} FROM room"
                f" {'LEFT JOIN summary ON summary.room = sid' if has_any else ''}"
                " WHERE coalesce(created, first_seen) >= ?2 AND coalesce(name, '') NOT LIKE ?4"
                " ORDER BY coalesce(created, first_seen) DESC, sid LIMIT ?1",
                (limit, since, version, f"{SCRATCH}%"),
            )
            return [Kept(sid, bool(over), body) for sid, over, body in rows]

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


class SqliteStore(SqliteReader):
    """A store opened for writing. One writer at a time uses it; any number of readers may look on."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, writable=True)
        self._export_lock: IO[str] | None = None
        with self._using() as db:
            # An acknowledged webhook must outlive a power cut: NORMAL would lose the last commits of a WAL.
            db.execute("PRAGMA synchronous = FULL")

    def may_export(self) -> bool:
        """Whether it is this process that exports from this file: the first to ask, for as long as it lives.

        Two that send the same outbox would send every span twice.
        """
        try:
            import fcntl
        except ImportError:  # Windows has no such lock; there it is the user who starts one only
            return True
        if self._export_lock is None:
            self._export_lock = Path(f"{self.path}-export").open("a")  # noqa: SIM115  held as long as the store is
        try:
            fcntl.flock(self._export_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Let go of the file, and of the right to export from it."""
        super().close()
        if self._export_lock:
            self._export_lock.close()

    def add(self, arrivals: Iterable[Arrival]) -> list[bool]:
        """Keep all of them in one commit; returns only when they are on disk.

        Idempotent. For each arrival: False when its webhook was kept before. Raises StoreError and keeps
        nothing when it cannot.
        """
        fresh: list[bool] = []
        with self._transaction() as db, closing(db.cursor()) as cursor:
            for arrival in arrivals:
                if arrival.event_id:
                    cursor.execute("INSERT OR IGNORE INTO delivery VALUES (?)", (arrival.event_id,))
                    if not cursor.rowcount:
                        fresh.append(False)
                        continue
                fresh.append(True)
                for moment in arrival.moments:
                    self._add_moment(cursor, moment)
                self._queue(cursor, arrival.outgoing)
        return fresh

    def _add_moment(self, cursor: sqlite3.Cursor, moment: Moment) -> None:
        cursor.execute(
            f"INSERT OR IGNORE INTO moment (digest, {_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (_digest(moment), *moment.row()),
        )
        if not cursor.rowcount or not moment.room:
            return
        told = dict(moment.facts)
        cursor.execute(
            "INSERT INTO room (sid, name, created, finished, first_seen, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
            " ON CONFLICT (sid) DO UPDATE SET"
            " name = coalesce(name, excluded.name),"
            " created = min(coalesce(created, excluded.created), coalesce(excluded.created, created)),"
            " finished = min(coalesce(finished, excluded.finished), coalesce(excluded.finished, finished)),"
            " changed = excluded.changed",
            (
                moment.room,
                told.get(keys.ROOM_NAME),
                moment.time if moment.kind is Kind.ROOM_CREATED else None,
                moment.time if moment.kind is Kind.ROOM_FINISHED else None,
                time.time_ns(),
                cursor.lastrowid,
            ),
        )
        if moment.kind is Kind.PARTICIPANT_JOINING:  # whoever comes may be back from the room of this name before
            cursor.execute(
                "UPDATE room SET summarized = 0 WHERE summarized > 0 AND sid = (SELECT before.sid FROM room AS now"
                " JOIN room AS before ON before.name = now.name AND before.created < now.created"
                " WHERE now.sid = ? ORDER BY before.created DESC LIMIT 1)",
                (moment.room,),
            )

    @staticmethod
    def _queue(cursor: sqlite3.Cursor, outgoing: Iterable[Outgoing]) -> None:
        # What has ended takes the place of what had begun; what has been queued to be sent stays as it is.
        cursor.executemany(
            "INSERT INTO outbox (trace_id, span_id, body, open_job) VALUES (?1, ?2, ?3, ?4)"
            " ON CONFLICT (trace_id, span_id) DO UPDATE SET body = ?3, open_job = ?4 WHERE open_job IS NOT NULL",
            [(item.trace_id, item.span_id, item.body, item.open_job or None) for item in outgoing],
        )

    def rooms_to_export(self) -> list[tuple[str, int]]:
        """Rooms with moments whose spans may not have been queued, each with its newest moment's number."""
        with self._using() as db:
            return db.execute("SELECT sid, changed FROM room WHERE exported < changed").fetchall()

    def open_spans(self, job: str) -> list[Outgoing]:
        """The spans that a job began and did not end, as they were when it did."""
        with self._using() as db:
            rows = db.execute("SELECT trace_id, span_id, body, open_job FROM outbox WHERE open_job = ?", (job,))
            return [Outgoing(*row) for row in rows]

    def queue(self, outgoing: Iterable[Outgoing], exported: Iterable[tuple[str, int]]) -> None:
        """Put spans into the outbox, each once for ever, and note up to which moment each room is done."""
        with self._transaction() as db, closing(db.cursor()) as cursor:
            self._queue(cursor, outgoing)
            cursor.executemany("UPDATE room SET exported = ?2 WHERE sid = ?1", list(exported))

    def unsent(self, limit: int) -> list[tuple[int, bytes]]:
        """The oldest spans that no backend has taken yet: number and serialized ``ResourceSpans``."""
        with self._using() as db:
            return db.execute(
                "SELECT seq, body FROM outbox WHERE body IS NOT NULL AND open_job IS NULL ORDER BY seq LIMIT ?",
                (limit,),
            ).fetchall()

    def count_unsent(self) -> int:
        """How many spans wait for the backend."""
        with self._using() as db:
            return int(
                db.execute("SELECT count(*) FROM outbox WHERE body IS NOT NULL AND open_job IS NULL").fetchone()[0]
            )

    def sent(self, numbers: Iterable[int]) -> None:
        """The backend has taken these spans."""
        with self._transaction() as db:
            db.executemany("UPDATE outbox SET body = NULL WHERE seq = ?", [(number,) for number in numbers])

    def newest(self) -> int:
        """The number of the newest moment; 0 when there is none."""
        with self._using() as db:
            return int(db.execute("SELECT coalesce(max(seq), 0) FROM moment").fetchone()[0])

    def to_summarize(self, after: int, until: int, limit: int) -> list[tuple[str, int]]:
        """Rooms that are over and have no summary that holds, each with its newest moment's number.

        Of those whose newest is after the one number and not after the other, the first in its order.
        """
        with self._using() as db:
            return db.execute(
                "SELECT sid, changed FROM room WHERE finished IS NOT NULL AND summarized < changed"
                " AND changed > ? AND changed <= ? ORDER BY changed LIMIT ?",
                (after, until, limit),
            ).fetchall()

    def summarized(self, summaries: Iterable[tuple[str, int, str]], version: int) -> None:
        """Keep summaries: of which room, made when this was its newest moment's number, and the text."""
        with self._transaction() as db:
            for room, newest, body in summaries:
                db.execute("INSERT OR REPLACE INTO summary VALUES (?, ?, ?)", (room, version, body))
                db.execute("UPDATE room SET summarized = ?2 WHERE sid = ?1", (room, newest))

    def forget_summaries(self, version: int) -> None:
        """Drop those of any other version than this: they are made anew."""
        with self._transaction() as db:
            db.execute(
                "UPDATE room SET summarized = 0 WHERE sid IN (SELECT room FROM summary WHERE version <> ?)", (version,)
            )

    def changed(self, room: str) -> int:
        """The number of a room's newest moment; 0 for a room that is not known."""
        with self._using() as db:
            row = db.execute("SELECT changed FROM room WHERE sid = ?", (room,)).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._using() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
