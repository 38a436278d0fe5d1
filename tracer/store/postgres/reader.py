"""Reading a store in PostgreSQL, beside whoever writes to it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from tracer import keys
from tracer.errors import StoreError, UnknownRoomError, UnreadableError
from tracer.moment import Kind, Moment
from tracer.store.alike import IS_AGENT, SEARCHED, WITH_IDENTITIES, as_written, identity_fact, row_of
from tracer.store.contract import DEMO, NEWEST, SCRATCH, Evidence, Form, RoomRow, StoredSummary, StoreSize, Unknown
from tracer.store.postgres.connecting import in_short, kept, opened, shown, storable
from tracer.store.postgres.migrations import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg import Connection

    from tracer.store.postgres.connecting import Row
    from tracer.timeline.listened import Listened

__all__ = ["AGE", "COLUMNS", "PIECE", "PostgresReader", "piece_of"]

COLUMNS = "room, kind, subject, occurrence, earliest, latest, time, clock, witness, facts"
"""A moment's columns, in the order of ``Moment.row``."""
PIECE = "form, body, at, room, '', seq"
"""The columns of a piece of evidence, as ``piece_of`` reads them."""
AGE = "coalesce(created, first_seen)"
"""When a room began, or was first heard of."""

_WORKERS = f"""
WITH RECURSIVE worker (sid) AS (
    SELECT (SELECT min(subject) FROM worker_moment)
    UNION ALL
    SELECT (SELECT min(subject) FROM worker_moment WHERE subject > sid) FROM worker WHERE sid IS NOT NULL
), reported (sid, of) AS (
    SELECT sid, (SELECT min(kind) FROM worker_moment WHERE subject = sid) FROM worker
    UNION ALL
    SELECT sid, (SELECT min(kind) FROM worker_moment WHERE subject = sid AND kind > of) FROM reported
    WHERE of IS NOT NULL
)
SELECT found.* FROM reported CROSS JOIN LATERAL (
    SELECT {COLUMNS} FROM worker_moment WHERE subject = sid AND kind = of AND time BETWEEN %(since)s AND %(until)s
    UNION ALL
    (SELECT {COLUMNS} FROM worker_moment WHERE subject = sid AND kind = of AND time < %(since)s
     ORDER BY time DESC LIMIT 1)
) AS found
"""
"""From one worker and kind to the next, past all that is between: the cost grows with what is found."""

_FINDS = f"""
AND (sid = %(sid)s OR strpos(lower(name), %(text)s) > 0
     OR EXISTS (SELECT 1 FROM summary, unnest(ARRAY{list(SEARCHED)}) AS place,
                              json_array_elements_text(body::json -> place) AS one
                WHERE summary.room = sid AND strpos(lower(body), %(written)s) > 0 AND strpos(lower(one), %(text)s) > 0)
     OR ((summarized IS DISTINCT FROM changed
          OR NOT EXISTS (SELECT 1 FROM summary WHERE summary.room = sid AND version >= {WITH_IDENTITIES}))
         AND EXISTS (SELECT 1 FROM moment, json_array_elements(facts::json) AS fact
                     WHERE moment.room = sid AND kind IN ('{Kind.PARTICIPANT_JOINING}', '{Kind.PARTICIPANT_ACTIVE}')
                     AND moment.time BETWEEN room.earliest AND room.latest
                     AND fact ->> 0 = '{keys.PARTICIPANT_IDENTITY}' AND strpos(lower(fact ->> 1), %(text)s) > 0)))
"""
"""Moments are looked into where no summary has who was there: those of 100,000 rooms take a minute from a disk."""


class PostgresReader:
    """A store opened for reading, beside whoever writes it."""

    def __init__(self, location: str, *, writable: bool = False) -> None:
        self.location = location
        self.shown = shown(location)
        """The location as it may be shown."""
        self._lock = threading.Lock()
        self._db = opened(location, writable=writable)

    @contextmanager
    def _using(self) -> Iterator[Connection[Row]]:
        """A connection, for one thread at a time. Raises StoreError for whatever PostgreSQL cannot do."""
        with self._lock, self._guarded():
            yield self._db

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.Error, UnicodeEncodeError, OverflowError) as error:  # also for values it does not know
            raise StoreError(f"the store {self.shown} failed: {in_short(error)}") from error

    def find(self, room: str) -> str:
        """SID of the room with this SID, or of the latest with this name. Raises UnknownRoomError."""
        try:
            room.encode()
        except UnicodeEncodeError:  # bytes of the command line that are not UTF-8: LiveKit has no such room
            raise UnknownRoomError(room, self.shown) from None
        with self._using() as db:
            row = (
                db.execute("SELECT sid FROM room WHERE sid = %s", (kept(room),)).fetchone()
                or db.execute(
                    f"SELECT sid FROM room WHERE md5(name) = md5(%(name)s) AND name = %(name)s"
                    f" ORDER BY {AGE} DESC LIMIT 1",
                    {"name": storable(room)},
                ).fetchone()
            )
        if row is None:
            raise UnknownRoomError(room, self.shown)
        return str(row[0])

    def moments(self, sid: str) -> list[Moment]:
        """All moments of one room, in the order they came; of the room ``""``, what workers say of themselves."""
        sid, table = kept(sid), "moment" if sid else "worker_moment"
        with self._using() as db:
            bounds = db.execute("SELECT earliest, latest FROM room WHERE sid = %s", (sid,)).fetchone()
            rows = db.execute(
                f"SELECT {COLUMNS} FROM {table} WHERE room = %s AND time BETWEEN %s AND %s ORDER BY seq",
                (sid, *(bounds or (0, NEWEST))),
            )
            return [self._moment(row) for row in rows]

    def _moment(self, row: Row) -> Moment:
        try:
            return Moment.from_row(row)
        except (ValueError, TypeError) as error:
            raise UnreadableError(
                f"{self.shown} holds a moment that this tracer cannot read ({error}): upgrade tracer"
            ) from None

    def neighbours(self, sid: str) -> tuple[str | None, str | None]:
        """SIDs of the rooms of the same name before and after this one; None where there is none."""

        def next_to(which: str, order: str) -> str | None:
            row = db.execute(
                "SELECT other.sid FROM room JOIN room AS other ON md5(other.name) = md5(room.name)"
                f" AND other.name = room.name AND other.created {which} room.created"
                f" WHERE room.sid = %s ORDER BY other.created {order} LIMIT 1",
                (kept(sid),),
            ).fetchone()
            return str(row[0]) if row else None

        with self._using() as db:
            return next_to("<", "DESC"), next_to(">", "ASC")

    def workers(self, since: int, until: int) -> list[Moment]:
        """Moments of workers between two times, ns since the epoch, and before that the last of each kind."""
        with self._using() as db:
            return [self._moment(row) for row in db.execute(_WORKERS, {"since": since, "until": until})]

    def open_rooms(self, since: int, heard: int = 0) -> int:
        """How many rooms have no known end that began since then, and of which something came after ``heard``.

        Both in ns since the epoch.
        """
        with self._using() as db:
            query = f"SELECT count(*) FROM room WHERE finished IS NULL AND {AGE} >= %s AND latest >= %s"
            return int(db.execute(query, (since, heard)).fetchall()[0][0])

    def listened(self) -> list[Listened]:
        """When anybody listened who wrote into this store; nothing is known of that in an older one."""
        with self._using() as db:
            if not db.execute("SELECT to_regclass('listened') IS NOT NULL").fetchall()[0][0]:
                return []
            return [(since, until) for since, until in db.execute("SELECT since, until FROM listened")]

    def rooms(self, limit: int) -> list[RoomRow]:
        """The latest rooms, newest first."""
        return self._rooms("true", f"ORDER BY {AGE} DESC, sid LIMIT %s", (limit,))

    def concerning(self, who: str) -> list[RoomRow]:
        """Rooms with this SID or name, or in which somebody with this identity was, newest first."""
        return self._rooms(
            "sid = %s OR name = %s OR sid IN (SELECT room FROM moment WHERE strpos(facts, %s) > 0)",
            f"ORDER BY {AGE} DESC, sid",
            (kept(who), storable(who), identity_fact(who)),
        )

    def search(self, text: str, limit: int, *, after: int = 0) -> list[RoomRow]:
        """The latest rooms that this text finds: see the contract. Rooms are looked through from the newest on."""
        named = "NOT starts_with(coalesce(name, ''), %(scratch)s) AND NOT starts_with(coalesce(name, ''), %(demo)s)"
        return self._rooms(
            named + (_FINDS if text else ""),
            f"ORDER BY {AGE} DESC, sid LIMIT %(limit)s OFFSET %(after)s",
            {
                "scratch": SCRATCH,
                "demo": DEMO,
                "sid": kept(text),
                "text": kept(text.lower()),
                "written": storable(as_written(text.lower())),
                "limit": limit,
                "after": after,
            },
        )

    def summaries_of(self, rooms: Sequence[str], *, version: int) -> list[StoredSummary]:
        """As ``summaries``, of the rooms with these SIDs, in no order."""
        with self._using() as db:
            rows = db.execute(
                "SELECT sid, finished IS NOT NULL, CASE WHEN summarized = changed AND version = %s THEN body END"
                " FROM room LEFT JOIN summary ON summary.room = sid WHERE sid = ANY(%s)",
                (version, [kept(room) for room in rooms]),
            )
            return [StoredSummary(*row) for row in rows]

    def newest(self) -> int:
        """The number of the newest moment of a room; 0 when there is none."""
        with self._using() as db:
            return int(db.execute("SELECT coalesce(max(changed), 0) FROM room").fetchall()[0][0])

    def changed(self, room: str) -> int:
        """The number of a room's newest moment; 0 for an unknown room."""
        with self._using() as db:
            row = db.execute("SELECT changed FROM room WHERE sid = %s", (kept(room),)).fetchone()
        return int(row[0]) if row else 0

    def changed_since(self, number: int, limit: int) -> list[RoomRow]:
        """Those of the latest ``limit`` rooms of which something came after the moment of this number, newest first."""
        return self._rooms(
            f"changed > %s AND sid IN (SELECT sid FROM room ORDER BY {AGE} DESC, sid LIMIT %s)",
            f"ORDER BY {AGE} DESC, sid",
            (number, limit),
        )

    def _rooms(self, condition: str, order: str, values: Sequence[str | int] | dict[str, str | int]) -> list[RoomRow]:
        with self._using() as db:
            rows = db.execute(
                f"SELECT sid, name, created, finished, earliest, latest FROM room WHERE {condition} {order}", values
            ).fetchall()
            bounds = (min((row[4] for row in rows), default=0), max((row[5] for row in rows), default=0))
            counted = db.execute(
                "SELECT room, count(DISTINCT subject), count(DISTINCT subject) FILTER (WHERE strpos(facts, %s) > 0)"
                " FROM moment WHERE kind = ANY(%s) AND room = ANY(%s) AND time BETWEEN %s AND %s GROUP BY room",
                (
                    IS_AGENT,
                    [Kind.PARTICIPANT_JOINING.value, Kind.PARTICIPANT_ACTIVE.value],
                    [row[0] for row in rows],
                    *bounds,
                ),
            )
            counts = {room: (participants, agents) for room, participants, agents in counted}
        found, runs = [], self.listened() if any(row[3] is None for row in rows) else []
        for sid, name, created, finished, _, latest in rows:
            participants, agents = counts.get(sid, (0, 0))
            row = RoomRow(sid, name, created, finished, participants - agents, agents)
            found.append(row_of(row, latest, runs))
        return found

    def summaries(self, limit: int, *, since: int = 0, version: int) -> list[StoredSummary]:
        """The latest rooms created after ``since`` (ns since the epoch), newest first, with their summaries."""
        with self._using() as db:
            rows = db.execute(
                "SELECT sid, finished IS NOT NULL, CASE WHEN summarized = changed AND version = %s THEN body END"
                " FROM room LEFT JOIN summary ON summary.room = sid"
                f" WHERE {AGE} >= %s AND NOT starts_with(coalesce(name, ''), %s) ORDER BY {AGE} DESC, sid LIMIT %s",
                (version, since, SCRATCH, limit),
            )
            return [StoredSummary(*row) for row in rows]

    def used(self) -> int:
        """Bytes of all tables and indices."""
        with self._using() as db:
            return int(_one(db, _USED))

    def size(self) -> StoreSize:
        """What is in it. What PostgreSQL will use again is not told apart."""
        with self._using() as db:
            rooms, oldest, newest = db.execute(f"SELECT count(*), min({AGE}), max({AGE}) FROM room").fetchall()[0]
            unsent, refused = db.execute(
                "SELECT count(*) FILTER (WHERE NOT refused), count(*) FILTER (WHERE refused) FROM outbox"
                " WHERE body IS NOT NULL"
            ).fetchall()[0]
            # Where no backend was ever set, nothing waits for it.
            unsent += _one(
                db, "SELECT sum(spans) FROM unsent WHERE EXISTS (SELECT 1 FROM sent) OR EXISTS (SELECT 1 FROM outbox)"
            )
            pieces = _one(db, "SELECT count(*) FROM evidence")
            return StoreSize(int(_one(db, _USED)), 0, rooms, oldest, newest, unsent, refused, pieces)

    def unknown(self) -> list[Unknown]:
        """What servers sent that was not known, in order of its name."""
        with self._using() as db:
            return [Unknown(*row) for row in db.execute("SELECT name, times, last FROM unknown ORDER BY name")]

    def unread(self) -> int:
        """How many pieces of evidence no moments were made of yet."""
        with self._using() as db:
            return int(_one(db, "SELECT count(*) FROM unread WHERE NOT again"))

    def evidence(self, room: str, until: int = NEWEST) -> list[Evidence]:
        """The evidence of a room, or of a trace, in the order it came; ``until``: up to the piece with this number."""
        with self._using() as db:
            rows = db.execute(
                f"SELECT {PIECE} FROM evidence WHERE (room = %(room)s OR room IN (SELECT trace FROM agent_trace"
                " WHERE room = %(room)s)) AND seq <= %(until)s ORDER BY seq",
                {"room": kept(room), "until": until},
            )
            return [piece_of(row) for row in rows]

    def close(self) -> None:
        """Close the connection, when whoever uses it has finished."""
        with self._lock:
            self._db.close()


_USED = (
    "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class"
    f" WHERE relnamespace = '{SCHEMA}'::regnamespace AND relkind = 'r'"
)


def piece_of(row: Row) -> Evidence:
    """A piece of evidence from the columns ``PIECE``."""
    return Evidence(Form(row[0]), *row[1:])


def _one(db: Connection[Row], query: str) -> int:
    row = db.execute(query).fetchone()
    return int(row[0]) if row and row[0] is not None else 0
