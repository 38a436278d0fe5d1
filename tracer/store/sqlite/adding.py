"""Storing what came in: all of a commit together, so that a room is noted once in it and not for each moment."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracer.store.alike import MOST_UNKNOWN, digest_of, news_of
from tracer.store.contract import Evidence
from tracer.store.sqlite.agent_traces import moved_by, named_by_jobs, room_of
from tracer.store.sqlite.evidence import is_first, log, log_unread, take
from tracer.store.sqlite.reader import COLUMNS
from tracer.timeline.trace_jobs import is_trace

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

    from tracer.moment import Moment
    from tracer.store.alike import RoomNews
    from tracer.store.contract import Arrival, Outgoing

__all__ = ["add", "queue"]

_INSERT = f"INSERT OR IGNORE INTO moment (digest, trace, evidence, {COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"


def add(cursor: sqlite3.Cursor, arrivals: Iterable[Arrival | Evidence]) -> list[bool]:
    """Store all of these, within a transaction. For each: False when its webhook was stored or its evidence read."""
    fresh: list[bool] = []
    later: list[Evidence] = []
    told: list[tuple[Moment, int]] = []
    for arrival in arrivals:
        if isinstance(arrival, Evidence):
            later.append(arrival)
            continue
        fresh += log_unread(cursor, later)
        later = []
        evidence = _evidence(cursor, arrival)
        fresh.append(evidence is not None)
        if evidence is None:
            continue
        for trace, room in arrival.traces:
            told += moved_by(cursor, trace, room)
        told += [(moment, evidence) for moment in arrival.moments]
        queue(cursor, arrival.outgoing)
        _count_unknown(cursor, arrival.unknown)
    fresh += log_unread(cursor, later)
    while told:
        told = _add_moments(cursor, told)
    return fresh


def _evidence(cursor: sqlite3.Cursor, arrival: Arrival) -> int | None:
    """Number of the evidence that an arrival is of, 0 where there is none; None when it was stored before."""
    piece = arrival.evidence
    if piece is None:
        return 0 if not arrival.event_id or is_first(cursor, arrival.event_id) else None
    if piece.number:
        return piece.number if take(cursor, piece.number) else None
    return log(cursor, piece) or None


def _add_moments(cursor: sqlite3.Cursor, told: list[tuple[Moment, int]]) -> list[tuple[Moment, int]]:
    """Add moments, each with the number of its evidence; those that are moved to their room by what was added."""
    (before,) = cursor.execute("SELECT coalesce(max(seq), 0) FROM moment").fetchone()
    rooms: dict[str, str] = {}
    added: dict[bytes, tuple[str, str | None, Moment]] = {}
    rows = []
    for moment, evidence in told:
        row, trace, room = moment.row(), None, moment.room
        identity = digest_of(row)
        if is_trace(room):
            trace = room
            room = rooms.get(trace) or rooms.setdefault(trace, room_of(cursor, trace))
        added.setdefault(identity, (room, trace, moment))
        rows.append((identity, trace, evidence or None, room, *row[1:]))
    cursor.executemany(_INSERT, rows)
    # In the order of their numbers: what is new is above what was there.
    new = [
        (number, *added[identity])
        for number, identity in cursor.execute("SELECT seq, digest FROM moment WHERE seq > ? ORDER BY seq", (before,))
    ]
    _note(cursor, news_of((number, room, moment) for number, room, _, moment in new))
    moved: list[tuple[Moment, int]] = []
    for _, room, trace, moment in new:
        if room and (trace is None or is_trace(room)):
            for unplaced, named in named_by_jobs(cursor, moment, trace):
                moved += moved_by(cursor, unplaced, named)
    return moved


def _note(cursor: sqlite3.Cursor, rooms: Mapping[str, RoomNews]) -> None:
    """Keep what the list of rooms shows, and that there is something new of these rooms."""
    now = time.time_ns()
    cursor.executemany(
        "INSERT INTO room (sid, name, created, finished, first_seen, changed) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (sid) DO UPDATE SET"
        " name = coalesce(name, excluded.name),"
        " created = min(coalesce(created, excluded.created), coalesce(excluded.created, created)),"
        " finished = min(coalesce(finished, excluded.finished), coalesce(excluded.finished, finished)),"
        " changed = excluded.changed",
        [(sid, room.name, room.created, room.finished, now, room.changed) for sid, room in rooms.items()],
    )
    # Perhaps a rejoin: the summary of the room before would count it.
    cursor.executemany(
        "UPDATE room SET summarized = 0 WHERE summarized > 0 AND sid = (SELECT before.sid FROM room AS now"
        " JOIN room AS before ON before.name = now.name AND before.created < now.created"
        " WHERE now.sid = ? ORDER BY before.created DESC LIMIT 1)",
        [(sid,) for sid, room in rooms.items() if room.joined],
    )


def queue(cursor: sqlite3.Cursor, outgoing: Iterable[Outgoing]) -> None:
    """Put spans into the outbox. An ended one replaces the same while it was open; others stay as they are."""
    cursor.executemany(
        "INSERT INTO outbox (trace_id, span_id, body, open_job, unplaced, since) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (trace_id, span_id) DO UPDATE SET body = excluded.body, open_job = excluded.open_job"
        " WHERE open_job IS NOT NULL",
        [
            (item.trace_id, item.span_id, item.body, item.open_job or None, item.unplaced or None, time.time_ns())
            for item in outgoing
        ],
    )


def _count_unknown(cursor: sqlite3.Cursor, names: Iterable[str]) -> None:
    cursor.executemany(
        "INSERT INTO unknown SELECT ?1, 1, ?2 WHERE (SELECT count(*) FROM unknown) < ?3"
        " OR EXISTS (SELECT 1 FROM unknown WHERE name = ?1)"
        " ON CONFLICT (name) DO UPDATE SET times = times + 1, last = ?2",
        [(name, time.time_ns(), MOST_UNKNOWN) for name in names],
    )
