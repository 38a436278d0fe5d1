"""Storing what came in: all of a commit in a few statements, however many requests it holds.

The network lies between this process and the database, so that a statement for each moment would cost most of the time.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracer.moment import Kind, Moment
from tracer.store.alike import MOST_UNKNOWN, digest_of, news_of
from tracer.store.contract import Evidence, Form, Outgoing
from tracer.store.postgres.connecting import kept, storable
from tracer.store.postgres.reader import COLUMNS
from tracer.timeline.trace_jobs import is_trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from psycopg import Connection

    from tracer.store.contract import Arrival
    from tracer.store.postgres.connecting import Row

__all__ = ["CHANNEL", "add", "piece_in", "queue"]

CHANNEL = "livekit_tracer"
"""On which processes hear of each other's webhooks."""
TOLD_AT_ONCE = 300
"""Numbers in one notification: it holds 8,000 bytes."""
_ARRAYS = "%s::bytea[], %s::text[], %s::bigint[], " + ", ".join(
    f"%s::{kind}[]" for kind in ("text",) * 4 + ("bigint",) * 3 + ("text",) * 3
)
"""A moment's columns as so many arrays: its identity, its trace, its evidence, and ``COLUMNS``."""


@dataclass(slots=True)
class _Told:
    """A moment on its way into a table."""

    moment: Moment
    """As it came: its room can be a trace."""
    evidence: int
    """Number of the piece it was made of; 0 for none."""


def add(db: Connection[Row], items: Sequence[Arrival | Evidence], sender: str) -> list[bool]:
    """Store all of these, within a transaction. For each: False when its webhook was stored or its evidence read.

    Other processes hear which webhooks are new, and that they are this sender's.
    """
    fresh = _fresh(db, items)
    numbers = _log(db, items, fresh)
    _tell_others(db, items, fresh, numbers, sender)
    arrivals = [
        (item, number)
        for item, number, is_new in zip(items, numbers, fresh, strict=True)
        if is_new and not isinstance(item, Evidence)
    ]
    _add_moments(
        db,
        [_Told(moment, number) for arrival, number in arrivals for moment in arrival.moments],
        {pair: None for arrival, _ in arrivals for pair in arrival.traces},
    )
    queue(db, [span for arrival, _ in arrivals for span in arrival.outgoing])
    _count_unknown(db, Counter(name for arrival, _ in arrivals for name in arrival.unknown))
    return fresh


def piece_in(item: Arrival | Evidence) -> Evidence | None:
    """The evidence that an item is, or was made of."""
    return item if isinstance(item, Evidence) else item.evidence


def _fresh(db: Connection[Row], items: Sequence[Arrival | Evidence]) -> list[bool]:
    """Of each whether it comes for the first time, which is noted; and what pieces were taken for is dropped."""
    events: dict[str, int] = {}
    taken: dict[int, int] = {}
    for index, item in enumerate(items):
        piece = piece_in(item)
        if piece and piece.number:
            taken.setdefault(piece.number, index)
        elif event := piece.event_id if piece else item.event_id:
            events.setdefault(kept(event), index)
    fresh = [not (piece.number or piece.event_id) if (piece := piece_in(item)) else not item.event_id for item in items]
    if events:
        for (event,) in db.execute(
            "INSERT INTO delivery SELECT unnest(%s::text[]), %s ON CONFLICT DO NOTHING RETURNING event_id",
            (list(events), time.time_ns()),
        ):
            fresh[events[event]] = True
    if taken:
        mine = [seq for (seq,) in db.execute("DELETE FROM unread WHERE seq = ANY(%s) RETURNING seq", (list(taken),))]
        for table in ("moment", "worker_moment") if mine else ():
            db.execute(f"DELETE FROM {table} WHERE evidence = ANY(%s)", (mine,))
        for number in mine:
            fresh[taken[number]] = True
    return fresh


def _log(db: Connection[Row], items: Sequence[Arrival | Evidence], fresh: Sequence[bool]) -> list[int]:
    """Append what is new evidence. For each item the number of its piece, 0 where there is none."""
    numbers = [0] * len(items)
    new: list[tuple[int, Evidence, bool]] = []
    for index, item in enumerate(items):
        piece = piece_in(item)
        if piece and piece.number:
            numbers[index] = piece.number
        elif piece and fresh[index]:
            new.append((index, piece, item is piece))
    if not new:
        return numbers
    given = db.execute("SELECT nextval('evidence_number') FROM generate_series(1, %s)", (len(new),)).fetchall()
    for (index, *_), (number,) in zip(new, given, strict=True):
        numbers[index] = number
    pieces = [piece for _, piece, _ in new]
    db.execute(
        "INSERT INTO evidence (seq, room, form, at, body)"
        " SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::bytea[])",
        (
            [number for (number,) in given],
            [kept(piece.room) for piece in pieces],
            [piece.form.value for piece in pieces],
            [piece.at for piece in pieces],
            [piece.body for piece in pieces],
        ),
    )
    sendable = [
        (number, piece) for (number,), piece in zip(given, pieces, strict=True) if piece.form is not Form.WEBHOOK
    ]
    if sendable:
        db.execute(
            "INSERT INTO unsent SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[])",
            (
                [number for number, _ in sendable],
                [piece.at for _, piece in sendable],
                [piece.spans for _, piece in sendable],
            ),
        )
    later = [(numbers[index], piece.at) for index, piece, is_unread in new if is_unread]
    if later:
        db.execute(
            "INSERT INTO unread (seq, at, again) SELECT *, false FROM unnest(%s::bigint[], %s::bigint[])",
            ([number for number, _ in later], [at for _, at in later]),
        )
    return numbers


def _tell_others(
    db: Connection[Row], items: Sequence[Arrival | Evidence], fresh: Sequence[bool], numbers: Sequence[int], sender: str
) -> None:
    new = []
    for item, is_new, number in zip(items, fresh, numbers, strict=True):
        piece = piece_in(item)
        if is_new and piece and piece.form is Form.WEBHOOK and not piece.number:
            new.append(str(number))
    for start in range(0, len(new), TOLD_AT_ONCE):
        told = " ".join([sender, *new[start : start + TOLD_AT_ONCE]])
        db.execute("SELECT pg_notify(%s, %s)", (CHANNEL, told))


def _add_moments(db: Connection[Row], told: list[_Told], named: dict[tuple[str, str], None]) -> None:
    """``named`` are traces and the rooms that their spans named."""
    if not (told or named):
        return
    traces = {one.moment.room for one in told if is_trace(one.moment.room)}
    changed = _name(db, named)
    rooms = _rooms_of(db, traces)
    changed |= _name(db, dict.fromkeys(_named_by_jobs(db, told, {trace for trace in traces if rooms[trace] == trace})))
    rooms = _rooms_of(db, traces | changed)
    told = _moved(db, {trace: rooms[trace] for trace in changed}) + told
    _note(db, _insert(db, "moment", [one for one in told if one.moment.room], rooms))
    _insert(db, "worker_moment", [one for one in told if not one.moment.room], rooms)


def _name(db: Connection[Row], pairs: Iterable[tuple[str, str]]) -> set[str]:
    """Note that these traces are of these rooms; the traces of which that was not known."""
    listed = [(kept(trace), kept(room)) for trace, room in pairs]
    if not listed:
        return set()
    new = db.execute(
        "INSERT INTO agent_trace SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING RETURNING trace",
        ([trace for trace, _ in listed], [room for _, room in listed]),
    )
    return {trace for (trace,) in new}


def _rooms_of(db: Connection[Row], traces: set[str]) -> dict[str, str]:
    """The room of each trace; the trace itself while that is not known, or where there are several."""
    rooms = {trace: trace for trace in traces}
    if traces:
        rooms |= db.execute(
            "SELECT trace, min(room) FROM agent_trace WHERE trace = ANY(%s) GROUP BY trace HAVING count(*) = 1",
            (list(traces),),
        ).fetchall()
    return rooms


def _named_by_jobs(db: Connection[Row], told: list[_Told], unplaced: set[str]) -> Iterator[tuple[str, str]]:
    """Traces whose room a job names: the server's offer is in the room, and the agent's own moment in the trace."""
    offered = {
        one.moment.subject: one.moment.room
        for one in told
        if one.moment.kind is Kind.JOB_OFFERED and one.moment.room and not is_trace(one.moment.room)
    }
    if offered:
        for trace, job in db.execute(
            "SELECT DISTINCT trace, subject FROM moment WHERE subject = ANY(%s) AND trace IS NOT NULL AND room = trace",
            ([kept(job) for job in offered],),
        ):
            yield trace, offered[job]
    waiting = {(one.moment.room, one.moment.subject) for one in told if one.moment.room in unplaced}
    if not waiting:
        return
    for job, room in db.execute(
        "SELECT subject, min(room) FROM moment WHERE subject = ANY(%s) AND kind = 'job.offered' AND trace IS NULL"
        " GROUP BY subject",
        ([kept(job) for _, job in waiting],),
    ):
        offered.setdefault(job, room)
    for trace, job in sorted(waiting):
        if job in offered:
            yield trace, offered[job]


def _moved(db: Connection[Row], rooms: dict[str, str]) -> list[_Told]:
    """Remove the moments of these traces that are not in the room they now belong to; they come back as they came."""
    if not rooms:
        return []
    columns = ", ".join(f"moment.{column}" for column in COLUMNS.split(", "))
    rows = db.execute(
        "DELETE FROM moment USING unnest(%s::text[], %s::text[]) AS now (trace, room)"
        f" WHERE moment.trace = now.trace AND moment.room <> now.room"
        f" RETURNING moment.seq, moment.trace, coalesce(moment.evidence, 0), {columns}",
        (list(rooms), list(rooms.values())),
    ).fetchall()
    rows.sort()
    return [_Told(Moment.from_row((trace, *row)), evidence) for _, trace, evidence, _, *row in rows]


def _insert(
    db: Connection[Row], table: str, told: Sequence[_Told], rooms: dict[str, str]
) -> list[tuple[int, str, Moment]]:
    """Store moments; of those that were not there, the number, the room and the moment."""
    if not told:
        return []
    by_identity: dict[bytes, tuple[str, Moment]] = {}
    rows = []
    for one in told:
        row = one.moment.row()
        identity, trace = digest_of(row), one.moment.room if is_trace(one.moment.room) else None
        room = rooms[trace] if trace else kept(one.moment.room)
        by_identity.setdefault(identity, (room, one.moment))
        _, kind, subject, occurrence, *rest = row
        rows.append(
            (identity, trace, one.evidence or None, room, kind, kept(str(subject)), kept(str(occurrence)), *rest)
        )
    new = db.execute(
        f"INSERT INTO {table} (digest, trace, evidence, {COLUMNS}) SELECT * FROM unnest({_ARRAYS})"
        " ON CONFLICT DO NOTHING RETURNING seq, digest",
        [list(column) for column in zip(*rows, strict=True)],
    )
    return [(seq, *by_identity[bytes(identity)]) for seq, identity in new]


def _note(db: Connection[Row], new: Iterable[tuple[int, str, Moment]]) -> None:
    """Keep what the list of rooms shows, and that there is something new of these rooms."""
    rooms = news_of(new)
    if not rooms:
        return
    values = list(rooms.values())
    db.execute(
        "INSERT INTO room AS old (sid, name, created, finished, changed, earliest, latest, first_seen)"
        " SELECT *, %s FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],"
        " %s::bigint[])"
        " ON CONFLICT (sid) DO UPDATE SET name = coalesce(old.name, excluded.name),"
        " created = least(old.created, excluded.created), finished = least(old.finished, excluded.finished),"
        " changed = excluded.changed,"
        " earliest = least(old.earliest, excluded.earliest), latest = greatest(old.latest, excluded.latest)",
        (
            time.time_ns(),
            list(rooms),
            [room.name and storable(room.name) for room in values],
            [room.created for room in values],
            [room.finished for room in values],
            [room.changed for room in values],
            [room.earliest for room in values],
            [room.latest for room in values],
        ),
    )
    if joined := [sid for sid, room in rooms.items() if room.joined]:
        # Perhaps a rejoin: the summary of the room before would count it.
        db.execute(
            "UPDATE room SET summarized = 0 FROM room AS now CROSS JOIN LATERAL (SELECT sid FROM room AS other"
            " WHERE md5(other.name) = md5(now.name) AND other.name = now.name AND other.created < now.created"
            " ORDER BY other.created DESC LIMIT 1) AS before"
            " WHERE room.sid = before.sid AND room.summarized > 0 AND now.sid = ANY(%s)",
            (joined,),
        )


def queue(db: Connection[Row], outgoing: Iterable[Outgoing]) -> None:
    """Put spans into the outbox. An ended one replaces the same while it was open; others stay as they are."""
    spans: dict[tuple[bytes, bytes], Outgoing] = {}
    for span in outgoing:
        before = spans.get((span.trace_id, span.span_id))
        if before is None or before.open_job:
            spans[span.trace_id, span.span_id] = span
    if not spans:
        return
    values = list(spans.values())
    columns: list[list[Any]] = [
        [span.trace_id for span in values],
        [span.span_id for span in values],
        [span.body for span in values],
        [kept(span.open_job) or None for span in values],
        [kept(span.unplaced) or None for span in values],
    ]
    db.execute(
        "INSERT INTO outbox AS old (trace_id, span_id, body, open_job, unplaced, since)"
        " SELECT *, %s FROM unnest(%s::bytea[], %s::bytea[], %s::bytea[], %s::text[], %s::text[])"
        " ON CONFLICT (trace_id, span_id) DO UPDATE SET body = excluded.body, open_job = excluded.open_job"
        " WHERE old.open_job IS NOT NULL",
        (time.time_ns(), *columns),
    )


def _count_unknown(db: Connection[Row], names: Counter[str]) -> None:
    if not names:
        return
    listed = {"names": [kept(name) for name in names], "times": list(names.values()), "now": time.time_ns()}
    came = "unnest(%(names)s::text[], %(times)s::bigint[]) WITH ORDINALITY AS came (name, times, place)"
    db.execute(
        f"WITH known AS (UPDATE unknown SET times = unknown.times + came.times, last = %(now)s FROM {came}"
        " WHERE came.name = unknown.name RETURNING unknown.name)"
        f" INSERT INTO unknown SELECT name, times, %(now)s FROM {came}"
        " WHERE NOT EXISTS (SELECT 1 FROM known WHERE known.name = came.name)"
        " ORDER BY place LIMIT greatest(0, %(most)s - (SELECT count(*) FROM unknown))",
        listed | {"most": MOST_UNKNOWN},
    )
