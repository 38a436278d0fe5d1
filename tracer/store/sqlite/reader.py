"""Reading a store, beside whoever writes to it."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracer import keys
from tracer.errors import StoreError, UnknownRoomError, UnreadableError
from tracer.moment import Kind, Moment
from tracer.store.alike import IS_AGENT, SEARCHED, WITH_IDENTITIES, as_written, identity_fact, row_of
from tracer.store.contract import DEMO, NEWEST, SCRATCH, RoomRow, StoredSummary, StoreSize, Unknown
from tracer.store.sqlite.evidence import count, evidence_of, unread
from tracer.store.sqlite.opening import connect
from tracer.store.sqlite.to_send import unsent_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tracer.store.contract import Evidence
    from tracer.timeline.listened import Listened

__all__ = ["COLUMNS", "REPORTED", "SqliteReader"]

COLUMNS = "room, kind, subject, occurrence, earliest, latest, time, clock, witness, facts"
"""A moment's columns, in the order of ``Moment.row``."""

REPORTED = """
WITH RECURSIVE worker (sid) AS (
    SELECT (SELECT min(subject) FROM moment {by} WHERE room = '')
    UNION ALL
    SELECT (SELECT min(subject) FROM moment {by} WHERE room = '' AND subject > sid) FROM worker WHERE sid IS NOT NULL
), reported (sid, of) AS (
    SELECT sid, (SELECT min(kind) FROM moment {by} WHERE room = '' AND subject = sid) FROM worker
    UNION ALL
    SELECT sid, (SELECT min(kind) FROM moment {by} WHERE room = '' AND subject = sid AND kind > of) FROM reported
    WHERE of IS NOT NULL
)
"""
"""Each worker and each kind that it reported, ``by`` an index: from one to the next, past all that is between."""
_WORKERS = f"""{REPORTED}
SELECT {COLUMNS} FROM reported CROSS JOIN moment {{by}}
    ON room = '' AND subject = sid AND kind = of AND time BETWEEN :since AND :until
UNION ALL
SELECT {COLUMNS} FROM moment WHERE seq IN (
    SELECT (SELECT seq FROM moment {{by}} WHERE room = '' AND subject = sid AND kind = of AND time < :since
            ORDER BY time DESC LIMIT 1) FROM reported
)
"""
"""The cost grows with what is found, not with all that is stored."""

_IN_SUMMARY = f"""
    OR EXISTS (SELECT 1 FROM summary, json_each(CASE WHEN json_valid(body) THEN body END) AS part,
                             json_each(CASE WHEN part.type = 'array' THEN part.value END) AS one
               WHERE summary.room = sid AND instr(lower(body), :written)
               AND part.key IN {SEARCHED} AND instr(lower(one.value), :text))
"""
_NOT_IN_SUMMARY = f"""
    (summarized IS NOT changed OR NOT EXISTS (SELECT 1 FROM summary WHERE room = sid AND version >= {WITH_IDENTITIES}))
    AND
"""
_FINDS = f"""
AND (sid = :sid OR instr(lower(name), :text) {{in_summary}}
     OR {{not_in_summary}} EXISTS (
        SELECT 1 FROM moment, json_each(facts) AS fact
        WHERE moment.room = sid AND kind IN ('{Kind.PARTICIPANT_JOINING}', '{Kind.PARTICIPANT_ACTIVE}')
        AND instr(lower(facts), :written) AND json_extract(fact.value, '$[0]') = '{keys.PARTICIPANT_IDENTITY}'
        AND instr(lower(json_extract(fact.value, '$[1]')), :text)))
"""
"""Moments are looked into where no summary has who was there: those of 100,000 rooms take a minute from a disk."""


_CAME = "(SELECT latest FROM moment WHERE seq = changed)"
"""When the newest that is known of a room was."""


class SqliteReader:
    """A store opened for reading, beside whoever writes it."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self.path = path
        self._db = connect(path, writable=writable)
        # A receiver writes and exports in two threads over this one connection, and a connection has one transaction.
        self._lock = threading.Lock()

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread at a time. Raises StoreError for whatever SQLite cannot do."""
        with self._lock:
            try:
                yield self._db
            except (
                sqlite3.Error,
                UnicodeEncodeError,
                OverflowError,
            ) as error:  # also for values unknown to SQLite
                raise StoreError(f"the store {self.path} failed: {error}") from error

    def find(self, room: str) -> str:
        """SID of the room with this SID, or of the latest with this name. Raises UnknownRoomError."""
        try:
            room.encode()
        except UnicodeEncodeError:  # bytes of the command line that are not UTF-8: LiveKit has no such room
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
            rows = db.execute(f"SELECT {COLUMNS} FROM moment WHERE room = ? ORDER BY seq", (sid,))
            return [self._moment(row) for row in rows]

    def _moment(self, row: tuple[str | int, ...]) -> Moment:
        try:
            return Moment.from_row(row)
        except (ValueError, TypeError) as error:
            raise UnreadableError(
                f"{self.path} holds a moment that this tracer cannot read ({error}): upgrade tracer"
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
        """Moments of workers between two times, ns since the epoch, and before that the last of each kind."""
        with self._using() as db:
            # Absent in a store that an older tracer wrote. Without a hint, SQLite would read every worker's moment.
            has_index = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'moment_of_worker'").fetchone()
            query = _WORKERS.replace("{by}", "INDEXED BY moment_of_worker" if has_index else "")
            rows = db.execute(query, {"since": since, "until": until})
            return [self._moment(row) for row in rows]

    def open_rooms(self, since: int, heard: int = 0) -> int:
        """How many rooms have no known end that began since then, and of which something came after ``heard``.

        Both in ns since the epoch.
        """
        with self._using() as db:
            query = (
                "SELECT count(*) FROM room WHERE finished IS NULL AND coalesce(created, first_seen) >= ?"
                f" AND coalesce({_CAME}, first_seen) >= ?"
            )
            return int(db.execute(query, (since, heard)).fetchone()[0])

    def listened(self) -> list[Listened]:
        """When anybody listened who wrote into this file; nothing is known of that in an older one."""
        with self._using() as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'listened'").fetchone():
                return []
            return [(since, until) for since, until in db.execute("SELECT since, until FROM listened")]

    def rooms(self, limit: int) -> list[RoomRow]:
        """The latest rooms, newest first."""
        return self._rooms("1 ORDER BY coalesce(created, first_seen) DESC, sid LIMIT :limit", {"limit": limit})

    def concerning(self, who: str) -> list[RoomRow]:
        """Rooms with this SID or name, or in which somebody with this identity was, newest first."""
        return self._rooms(
            "sid = :who OR name = :who OR sid IN (SELECT room FROM moment WHERE instr(facts, :identity))"
            " ORDER BY coalesce(created, first_seen) DESC, sid",
            {"who": who, "identity": identity_fact(who)},
        )

    def search(self, text: str, limit: int, *, after: int = 0) -> list[RoomRow]:
        """The latest rooms that this text finds: see the contract. Rooms are looked through from the newest on."""
        with self._using() as db:
            # Absent in a store that an older tracer wrote and no writer has opened since.
            has_table = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'summary'").fetchone()
        places = (_IN_SUMMARY, _NOT_IN_SUMMARY) if has_table else ("", "")
        found = _FINDS.format(in_summary=places[0], not_in_summary=places[1]) if text else ""
        return self._rooms(
            f"coalesce(name, '') NOT LIKE '{SCRATCH}%' AND coalesce(name, '') NOT LIKE '{DEMO}%' {found}"
            " ORDER BY coalesce(created, first_seen) DESC, sid LIMIT :limit OFFSET :after",
            {
                "sid": text,
                "text": text.lower(),
                "written": as_written(text.lower()),
                "limit": limit,
                "after": after,
            },
        )

    def summaries_of(self, rooms: Sequence[str], *, version: int) -> list[StoredSummary]:
        """As ``summaries``, of the rooms with these SIDs, in no order."""
        return self._summaries(f"sid IN ({', '.join('?' * len(rooms))})", version, *rooms)

    def newest(self) -> int:
        """The number of the newest moment; 0 when there is none."""
        with self._using() as db:
            return int(db.execute("SELECT coalesce(max(seq), 0) FROM moment").fetchone()[0])

    def changed(self, room: str) -> int:
        """The number of a room's newest moment; 0 for an unknown room."""
        with self._using() as db:
            row = db.execute("SELECT changed FROM room WHERE sid = ?", (room,)).fetchone()
        return int(row[0]) if row else 0

    def changed_since(self, number: int, limit: int) -> list[RoomRow]:
        """Those of the latest ``limit`` rooms of which something came after the moment of this number, newest first."""
        latest = "SELECT sid FROM room ORDER BY coalesce(created, first_seen) DESC, sid LIMIT :limit"
        return self._rooms(
            f"changed > :number AND sid IN ({latest}) ORDER BY coalesce(created, first_seen) DESC, sid",
            {"number": number, "limit": limit},
        )

    def used(self) -> int:
        """Bytes that hold something, for which nothing is counted."""
        with self._using() as db:
            return _bytes(db)[0]

    def size(self) -> StoreSize:
        """What is in it."""
        with self._using() as db:
            used, free = _bytes(db)
            rooms, oldest, newest = db.execute(
                "SELECT count(*), min(coalesce(created, first_seen)), max(coalesce(created, first_seen)) FROM room"
            ).fetchone()
            unsent = db.execute("SELECT count(*) FROM outbox WHERE body IS NOT NULL").fetchone()[0]
            # Absent in a store that an older tracer wrote and no writer has opened since.
            columns = {row[1] for row in db.execute("PRAGMA table_info(outbox)")}
            refused = (
                db.execute("SELECT count(*) FROM outbox WHERE refused IS NOT NULL").fetchone()[0]
                if "refused" in columns
                else 0
            )
            kept = count(db)
            unsent += unsent_spans(db)
        return StoreSize(used, free, rooms, oldest, newest, unsent - refused, refused, kept)

    def _rooms(self, condition: str, values: dict[str, str | int]) -> list[RoomRow]:
        with self._using() as db:
            rows = db.execute(
                f"SELECT sid, name, created, finished, {_CAME} FROM room WHERE {condition}", values
            ).fetchall()
            # One query for all of them: 10,000 take half a second less than as many queries.
            counted = db.execute(
                "SELECT room, count(DISTINCT subject), count(DISTINCT CASE WHEN instr(facts, :agent) THEN subject END)"
                " FROM moment WHERE kind IN (:joining, :active) AND room IN (SELECT value FROM json_each(:rooms))"
                " GROUP BY room",
                {
                    "agent": IS_AGENT,
                    "joining": Kind.PARTICIPANT_JOINING.value,
                    "active": Kind.PARTICIPANT_ACTIVE.value,
                    "rooms": json.dumps([row[0] for row in rows]),
                },
            )
            counts = {room: (participants, agents) for room, participants, agents in counted}
        found, runs = [], self.listened() if any(row[3] is None for row in rows) else []
        for sid, name, created, finished, came in rows:
            participants, agents = counts.get(sid, (0, 0))
            row = RoomRow(sid, name, created, finished, participants - agents, agents)
            found.append(row_of(row, came, runs))
        return found

    def summaries(self, limit: int, *, since: int = 0, version: int) -> list[StoredSummary]:
        """The latest rooms created after ``since`` (ns since the epoch), newest first, with their summaries."""
        return self._summaries(
            "coalesce(created, first_seen) >= ? AND coalesce(name, '') NOT LIKE ?"
            " ORDER BY coalesce(created, first_seen) DESC, sid LIMIT ?",
            version,
            since,
            f"{SCRATCH}%",
            limit,
        )

    def _summaries(self, condition: str, version: int, *values: str | int) -> list[StoredSummary]:
        with self._using() as db:
            # Absent in a store that an older tracer wrote and no writer has opened since.
            has_table = db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'summary'").fetchone()
            body = "CASE WHEN summarized = changed AND version = ? THEN body END" if has_table else "? AND NULL"
            rows = db.execute(
                f"SELECT sid, finished IS NOT NULL, {body} FROM room"
                f" {'LEFT JOIN summary ON summary.room = sid' if has_table else ''} WHERE {condition}",
                (version, *values),
            )
            return [StoredSummary(sid, bool(finished), stored) for sid, finished, stored in rows]

    def unknown(self) -> list[Unknown]:
        """What servers sent that was not known, in order of its name; an older file does not have it."""
        with self._using() as db:
            if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'unknown'").fetchone():
                return []
            return [Unknown(*row) for row in db.execute("SELECT name, times, last FROM unknown ORDER BY name")]

    def unread(self) -> int:
        """How many pieces of evidence no moments were made of yet."""
        with self._using() as db:
            return unread(db)

    def evidence(self, room: str, until: int = NEWEST) -> list[Evidence]:
        """The evidence of a room, or of a trace, in the order it came; ``until``: up to the piece with this number."""
        with self._using() as db:
            return evidence_of(db, room, until)

    def close(self) -> None:
        """Close the file, when whoever uses it has finished."""
        with self._lock:  # a connection that is closed under a thread takes the process with it
            self._db.close()


def _bytes(db: sqlite3.Connection) -> tuple[int, int]:
    """How many hold something, and how many nothing."""
    page, pages, free = (
        int(db.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_size", "page_count", "freelist_count")
    )
    return (pages - free) * page, free * page
