"""Writing to a store in PostgreSQL."""

from __future__ import annotations

import time
from contextlib import contextmanager
from secrets import token_hex
from typing import TYPE_CHECKING

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from tracer.errors import StoreError
from tracer.store.alike import KEYS_KEPT, LARGEST, SILENT_KEPT, span_ids
from tracer.store.contract import NEWEST, Evidence, Outgoing, Placed, Task
from tracer.store.postgres import adding
from tracer.store.postgres.adding import CHANNEL
from tracer.store.postgres.connecting import Pooled, configure, connect, in_short, kept, settings
from tracer.store.postgres.days import DAY, TABLES, make
from tracer.store.postgres.forgetting import delete_of_rooms, delete_old, forget_day
from tracer.store.postgres.locks import WRITE, try_to_hold
from tracer.store.postgres.migrations import SCHEMA, VERSION
from tracer.store.postgres.reader import PIECE, PostgresReader, piece_of
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from psycopg import Connection

    from tracer.store.contract import Arrival
    from tracer.store.postgres.connecting import Row

__all__ = ["PostgresStore"]

CONNECTIONS = 4
"""Of one process: what is received does not wait for the exporter's reading."""
LEASE = 10 * NS_PER_S
"""For how long, ns, evidence that a process has taken to read is left to it."""
NAMING = ("room", "summary", "outbox")
"""Tables beside those of days that hold what people and rooms are called."""
NUMBERING = ("agent_trace", "sent", "unread", "unsent")
"""And those that hold ids and numbers only."""
_WAITS = "body IS NOT NULL AND open_job IS NULL AND NOT refused AND unplaced IS NULL"
"""Of a row in the outbox: it waits for the backend."""

_TAKE = f"""
WITH free AS (
    SELECT seq, at FROM unread WHERE {{condition}} AND (until < %(now)s OR reader = %(me)s)
    ORDER BY seq LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), sized AS (
    SELECT seq, sum(octet_length(body)) OVER (ORDER BY seq) - octet_length(body) AS before
    FROM free JOIN evidence USING (seq, at)
), mine AS (
    UPDATE unread SET reader = %(me)s, until = %(until)s FROM sized
    WHERE unread.seq = sized.seq AND before <= %(most)s RETURNING unread.seq, unread.at
)
SELECT {PIECE} FROM mine JOIN evidence USING (seq, at) ORDER BY seq
"""
"""The oldest pieces that no other process has in hand; no more than ``most`` bytes before the last of them."""
_TO_SEND = f"""
WITH newest AS (SELECT seq, at FROM unsent ORDER BY seq DESC LIMIT %(limit)s), sized AS (
    SELECT evidence.*, sum(octet_length(body)) OVER (ORDER BY seq DESC) - octet_length(body) AS before
    FROM newest JOIN evidence USING (seq, at)
)
SELECT {PIECE} FROM sized WHERE before <= %(most)s ORDER BY seq DESC
"""
FROZEN = 60.0
"""Seconds without a word after which the database takes a process for frozen, and lets others do what only it might: a
service asks for its tasks every few seconds, in ``may``."""


class PostgresStore(PostgresReader):
    """A store opened for writing, by any number of processes at a time."""

    shared = True
    """The webhooks of a room may come to several."""

    def __init__(self, location: str, *, wait: float) -> None:
        """``wait``: seconds to wait for another process that writes, and for a connection."""
        super().__init__(location, writable=True)
        self._reader = token_hex(8)
        """Which process this is, among those that read evidence."""
        self._wait = wait
        self._days: set[tuple[str, int]] = set()
        """Tables and days that have a table of their own, or can have none."""
        self._held: set[str] = set()
        """Tasks that this process does; the reader's connection, which the pool leaves free, holds their locks."""
        self._emptied: set[str] = set()
        """Tables of days from which rooms were deleted, and which hold it until they are cleaned."""
        self._listening: Connection[Row] | None = None
        """The connection that hears of others' webhooks."""
        self._unreachable = ""
        """Why the last connection could not be made, while none is."""
        self._pool: ConnectionPool[Pooled] = ConnectionPool(
            connection_class=Pooled,
            kwargs={**settings(location), "autocommit": True, "failed": self._note_unreachable},
            min_size=1,
            max_size=CONNECTIONS,
            timeout=max(wait, 1.0),
            configure=self._configure,
            check=ConnectionPool.check_connection,
            open=True,
        )

    def _note_unreachable(self, error: Exception) -> None:
        """Without the user's name: whoever asks /healthz is answered with it."""
        told, user = in_short(error), settings(self.location).get("user")
        self._unreachable = told.replace(f'"{user}"', '"…"') if user else told

    def _configure(self, db: Connection[Row]) -> None:
        self._unreachable = ""
        configure(db)
        db.execute(f"SET lock_timeout = {round(self._wait * 1000)}")

    @contextmanager
    def _using(self) -> Iterator[Connection[Row]]:
        """A connection from the pool. Raises StoreError for whatever PostgreSQL cannot do."""
        with self._guarded():
            try:
                with self._pool.connection() as db:
                    yield db
            except PoolTimeout:
                why = f"cannot be reached: {self._unreachable}" if self._unreachable else "is busy; retry later"
                raise StoreError(f"the store {self.shown} {why}") from None

    @contextmanager
    def _transaction(self) -> Iterator[Connection[Row]]:
        with self._using() as db, db.transaction():
            yield db

    def close(self) -> None:
        """Close all connections, and leave to others what only one may do."""
        self._pool.close()
        if self._listening:
            self._listening.close()
        super().close()

    def check(self) -> None:
        """Raise StoreError where nothing can be written: the database is away, full or a standby."""
        with self._transaction() as db:
            db.execute("UPDATE version SET number = %s", (VERSION,))  # as it is: but it is written

    def note_listened(self, run: str, since: int, until: int) -> None:
        """Note that one run of whoever listens has done so from when until when, ns since the epoch."""
        with self._transaction() as db:
            db.execute(
                "INSERT INTO listened VALUES (%s, %s, %s)"
                " ON CONFLICT (run) DO UPDATE SET since = excluded.since, until = excluded.until",
                (run, since, until),
            )

    def may(self, task: Task, of: str = "") -> bool:
        """Whether this process is the one that does this, of all that share the database, for as long as it runs."""
        name = f"{task}:{of}"
        with self._lock, self._guarded():
            try:
                self._db.execute("SELECT 1")
            except psycopg.Error:  # and the locks are gone with it
                self._db.close()
                self._held.clear()
                self._db = connect(self.location)
            if name not in self._held and try_to_hold(self._db, name):
                self._held.add(name)
                self._db.execute(f"SET idle_session_timeout = {round(FROZEN * 1000)}")
            return name in self._held

    def heard(self, seconds: float) -> list[bytes]:
        """Bodies of the webhooks that other processes have stored; waits up to so many seconds for one."""
        with self._guarded():
            if self._listening is None:
                self._listening = connect(self.location)
                self._listening.execute(f"LISTEN {CHANNEL}")
            try:
                told = list(self._listening.notifies(timeout=seconds, stop_after=1))
            except psycopg.Error:
                self._listening = None
                raise
        numbers = [
            int(number)
            for one in told
            for sender, *listed in [one.payload.split()]
            if sender != self._reader
            for number in listed
        ]
        if not numbers:
            return []
        with self._using() as db:
            rows = db.execute("SELECT body FROM evidence WHERE seq = ANY(%s) ORDER BY seq", (numbers,))
            return [body for (body,) in rows]

    def add(self, arrivals: Iterable[Arrival | Evidence]) -> list[bool]:
        """Store all of them in one commit; returns only when they are on disk.

        Idempotent. For each: False when its webhook was stored before, or its evidence was read by another. Raises
        StoreError when it cannot, and then nothing is stored.
        """
        items = list(arrivals)
        self._make_days(items)
        with self._transaction() as db:
            if any(not isinstance(item, Evidence) for item in items):
                WRITE.take(db)
            return adding.add(db, items, self._reader)

    def _make_days(self, items: list[Arrival | Evidence]) -> None:
        """Have a table for each day of which something comes."""
        wanted = {("evidence", time.time_ns() // DAY)}
        for item in items:
            piece = adding.piece_in(item)
            if piece:
                wanted.add(("evidence", piece.at // DAY))
            if not isinstance(item, Evidence):
                wanted |= {("moment", moment.time // DAY) for moment in item.moments}
        if missing := wanted - self._days:
            with self._using() as db:
                for table in TABLES:
                    make(db, table, [day for of, day in missing if of == table])
            self._days |= missing

    def to_read(self, limit: int) -> list[Evidence]:
        """The oldest pieces of evidence that nobody has read and, where there are none, that another version has.

        What is returned is left to this process for ``LEASE``, so that as many as there are can read side by side.
        """
        now = time.time_ns()
        bounds = {"now": now, "until": now + LEASE, "me": self._reader, "limit": limit, "most": LARGEST}
        with self._using() as db:
            for condition in ("NOT again", "again"):
                if rows := db.execute(_TAKE.format(condition=condition), bounds).fetchall():
                    return [piece_of(row) for row in rows]
        return []

    def read_again(self, version: int) -> None:
        """Let all evidence be read again that another version than this has read."""
        of = "SELECT version FROM reading"
        with self._using() as db:
            if db.execute(of).fetchone() == (version,):
                return  # as nearly always: who starts waits for nobody
        with self._transaction() as db:
            WRITE.take(db)
            if db.execute(of).fetchone() != (version,):
                db.execute("DELETE FROM reading")
                db.execute("INSERT INTO reading VALUES (%s)", (version,))
                db.execute(
                    "INSERT INTO unread (seq, at, again) SELECT seq, at, true FROM evidence ON CONFLICT DO NOTHING"
                )

    def rooms_to_export(self, limit: int, below: int = NEWEST) -> list[tuple[str, int]]:
        """Rooms with moments whose spans may not have been queued, each with the number of its newest moment.

        Those of which something came last come first; only rooms whose newest moment has a number below this.
        """
        with self._using() as db:
            rows = db.execute(
                "SELECT sid, changed FROM room WHERE exported < changed AND changed < %s"
                " ORDER BY changed DESC LIMIT %s",
                (below, limit),
            )
            return [(sid, changed) for sid, changed in rows]

    def open_spans(self, job: str) -> list[Outgoing]:
        """The spans that a job began and did not end."""
        with self._using() as db:
            rows = db.execute(
                "SELECT trace_id, span_id, body, open_job FROM outbox WHERE open_job = %s ORDER BY seq", (kept(job),)
            )
            return [Outgoing(*row) for row in rows]

    def queue(
        self, outgoing: Iterable[Outgoing], exported: Iterable[tuple[str, int]], placed: Iterable[int] = ()
    ) -> None:
        """Put spans into the outbox, each once for ever, and note up to which moment each room is exported.

        ``placed`` are the numbers of spans that are among them under their room's trace, and not sent as they came.
        """
        rooms = list(exported)
        with self._transaction() as db:
            WRITE.take(db)
            adding.queue(db, outgoing)
            db.execute(
                "UPDATE room SET exported = now.newest FROM unnest(%s::text[], %s::bigint[]) AS now (sid, newest)"
                " WHERE room.sid = now.sid",
                ([kept(sid) for sid, _ in rooms], [newest for _, newest in rooms]),
            )
            db.execute("UPDATE outbox SET body = NULL, unplaced = NULL WHERE seq = ANY(%s)", (list(placed),))

    def placed(self, limit: int) -> list[Placed]:
        """The oldest spans that named no room, and whose trace has one by now."""
        with self._using() as db:
            rows = db.execute(
                "SELECT seq, body, min(room) FROM outbox JOIN agent_trace ON trace = unplaced"
                " WHERE unplaced IS NOT NULL GROUP BY seq HAVING count(*) = 1 ORDER BY seq LIMIT %s",
                (limit,),
            )
            return [Placed(*row) for row in rows]

    def release(self, before: int, most: int) -> int:
        """Send spans as they came that have waited for their room since ``before`` (ns since the epoch).

        Of those that wait longer the oldest go, where there are more than ``most``. Returns how many went.
        """
        with self._using() as db:
            return db.execute(
                "UPDATE outbox SET unplaced = NULL WHERE unplaced IS NOT NULL AND (since < %s OR seq <= ("
                "SELECT seq FROM outbox WHERE unplaced IS NOT NULL ORDER BY seq DESC LIMIT 1 OFFSET %s))",
                (before, most),
            ).rowcount

    def unsent(self, limit: int) -> list[tuple[int, bytes]]:
        """The oldest spans that wait for the backend: number and serialized ``ResourceSpans``."""
        with self._using() as db:
            rows = db.execute(f"SELECT seq, body FROM outbox WHERE {_WAITS} ORDER BY seq LIMIT %s", (limit,))
            return [(seq, body) for seq, body in rows]

    def evidence_to_send(self, limit: int, size: int) -> list[Evidence]:
        """The newest pieces of agents' spans that the backend may not have; no more than ``size`` bytes, or one."""
        with self._using() as db:
            rows = db.execute(_TO_SEND, {"limit": limit, "most": size})
            return [piece_of(row) for row in rows]

    def sent_spans(self, traces: Iterable[bytes]) -> dict[bytes, set[bytes]]:
        """Ids of the spans of these traces that were sent or are in the outbox, except those that are open there."""
        found: dict[bytes, set[bytes]] = {}
        with self._using() as db:
            for trace, ids in db.execute(
                "SELECT trace_id, span_ids FROM sent WHERE trace_id = ANY(%(traces)s) UNION ALL"
                " SELECT trace_id, span_id FROM outbox WHERE trace_id = ANY(%(traces)s) AND open_job IS NULL",
                {"traces": list(traces)},
            ):
                found.setdefault(trace, set()).update(span_ids(ids))
        return found

    def evidence_sent(self, numbers: Iterable[int], spans: Mapping[bytes, Iterable[bytes]]) -> None:
        """These pieces need not be sent any more: of these traces the spans with these ids were."""
        with self._transaction() as db:
            db.execute("DELETE FROM unsent WHERE seq = ANY(%s)", (list(numbers),))
            db.execute(
                "INSERT INTO sent SELECT *, %s FROM unnest(%s::bytea[], %s::bytea[])",
                (time.time_ns(), list(spans), [b"".join(ids) for ids in spans.values()]),
            )

    def count_unsent(self) -> int:
        """How many spans wait for the backend, in the outbox and in evidence."""
        with self._using() as db:
            query = (
                f"SELECT (SELECT count(*) FROM outbox WHERE {_WAITS}) + (SELECT coalesce(sum(spans), 0) FROM unsent)"
            )
            return int(db.execute(query).fetchall()[0][0])

    def has_unsent(self, count: int) -> bool:
        """Whether more spans than this are in the outbox and wait for the backend."""
        with self._using() as db:
            return bool(db.execute(f"SELECT 1 FROM outbox WHERE {_WAITS} LIMIT 1 OFFSET %s", (count,)).fetchone())

    def sent(self, numbers: Iterable[int]) -> None:
        """Mark these spans as accepted by the backend."""
        with self._using() as db:
            db.execute("UPDATE outbox SET body = NULL WHERE seq = ANY(%s)", (list(numbers),))

    def refused(self, numbers: Iterable[int]) -> None:
        """Set these spans aside: the backend refuses them. They no longer wait, and are not lost."""
        with self._using() as db:
            db.execute("UPDATE outbox SET refused = true WHERE seq = ANY(%s)", (list(numbers),))

    def offer_refused(self) -> None:
        """Let the spans that were set aside wait for the backend again."""
        with self._using() as db:
            db.execute("UPDATE outbox SET refused = false WHERE refused")

    def to_summarize(self, after: int, until: int, limit: int) -> list[tuple[str, int]]:
        """Finished rooms without a valid summary, each with the number of its newest moment.

        Only rooms whose newest moment is numbered in (``after``, ``until``], in that order.
        """
        with self._using() as db:
            rows = db.execute(
                "SELECT sid, changed FROM room WHERE finished IS NOT NULL AND summarized < changed"
                " AND changed > %s AND changed <= %s ORDER BY changed LIMIT %s",
                (after, until, limit),
            )
            return [(sid, changed) for sid, changed in rows]

    def summarized(self, summaries: Iterable[tuple[str, int, str]], version: int) -> None:
        """Store summaries: the room, the number of its newest moment when the summary was made, and its JSON."""
        made = list(summaries)
        rooms = [kept(room) for room, *_ in made]
        with self._transaction() as db:
            WRITE.take(db)
            db.execute(
                # Not of rooms that were forgotten meanwhile.
                "INSERT INTO summary SELECT sid, %s, new.body FROM unnest(%s::text[], %s::text[]) AS new (sid, body)"
                " JOIN room USING (sid)"
                " ON CONFLICT (room) DO UPDATE SET version = excluded.version, body = excluded.body",
                (version, rooms, [body for *_, body in made]),
            )
            db.execute(
                "UPDATE room SET summarized = now.newest FROM unnest(%s::text[], %s::bigint[]) AS now (sid, newest)"
                " WHERE room.sid = now.sid",
                (rooms, [newest for _, newest, _ in made]),
            )

    def forget_summaries(self, version: int) -> None:
        """Invalidate summaries of any other version, so that they are made again."""
        with self._transaction() as db:
            WRITE.take(db)
            db.execute(
                "UPDATE room SET summarized = 0 WHERE summarized > 0"
                " AND sid IN (SELECT room FROM summary WHERE version <> %s)",
                (version,),
            )

    def forget(self, room: str) -> None:
        """Delete a room and all that is known of it."""
        with self._using() as db:
            self._emptied |= delete_of_rooms(db, [kept(room)])

    def forget_oldest(self, before: int) -> int:
        """Drop the oldest day that was over before this time, ns since the epoch, with its rooms; how many."""
        with self._using() as db:
            return forget_day(db, before)

    def forget_old(self, before: int) -> None:
        """Delete what is older, ns since the epoch, and belongs to no room; and keys that have served their time."""
        done, now = False, time.time_ns()
        while not done:
            with self._transaction() as db:
                done = delete_old(db, before, now - KEYS_KEPT, now - SILENT_KEPT)

    def give_back(self, pages: int) -> int:
        """Nothing: PostgreSQL uses again what is free, and a day that is dropped is gone."""
        return 0

    def clean(self) -> None:
        """Leave nothing of what was deleted in the tables; PostgreSQL's log of changes and backups are its own.

        A table is written anew and others wait meanwhile: PostgreSQL uses again what is free, and does not clear it.
        """
        for table in (*sorted(self._emptied), *NAMING, *NUMBERING):
            try:
                with self._using() as db:
                    db.execute(f"VACUUM {'' if table in NUMBERING else '(FULL)'} {table}")
            except StoreError as error:
                if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                    raise
                raise StoreError(
                    f"deleted, but others leave no gap to clear what {table} had of it: run VACUUM FULL"
                    f" {SCHEMA}.{table} in {self.shown}"
                ) from None
        self._emptied.clear()
