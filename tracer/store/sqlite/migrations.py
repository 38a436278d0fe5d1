"""The tables, as the steps that made them. A step that was released is never edited: a change is a new step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracer.store.alike import KEYS_KEPT

if TYPE_CHECKING:
    import sqlite3

__all__ = ["APPLICATION_ID", "MIGRATIONS", "VERSION", "migrate"]

APPLICATION_ID = 0x4C4B5452
"""Marks a file as tracer's ("LKTR"), so that another program's database is never touched."""


def m001_initial(db: sqlite3.Connection) -> None:
    """Moments, rooms, webhook ids and the outbox.

    ``room.changed`` and ``room.exported`` are ``moment.seq``: of the newest moment, and of the newest one whose spans
    were handed to the outbox. A sent span keeps its row without its body, so that it never goes out twice.
    """
    db.execute(
        """
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
        )
        """
    )
    db.execute("CREATE INDEX moment_by_room ON moment (room, kind)")
    db.execute(
        """
        CREATE TABLE room (
            sid TEXT PRIMARY KEY,
            name TEXT,
            created INTEGER,
            finished INTEGER,
            first_seen INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            exported INTEGER NOT NULL DEFAULT 0
        )
        """
    )
    db.execute("CREATE INDEX room_by_name ON room (name, created)")
    db.execute("CREATE INDEX room_by_age ON room (first_seen)")
    db.execute("CREATE INDEX room_to_export ON room (sid) WHERE exported < changed")
    db.execute("CREATE TABLE delivery (event_id TEXT PRIMARY KEY) WITHOUT ROWID")
    db.execute(
        """
        CREATE TABLE outbox (
            seq INTEGER PRIMARY KEY,
            trace_id BLOB NOT NULL,
            span_id BLOB NOT NULL,
            body BLOB,
            UNIQUE (trace_id, span_id)
        )
        """
    )
    db.execute("CREATE INDEX outbox_unsent ON outbox (seq) WHERE body IS NOT NULL")


def m002_open_spans(db: sqlite3.Connection) -> None:
    """``outbox.open_job``: the job of a span that has begun and not ended. It is sent when it has."""
    db.execute("ALTER TABLE outbox ADD COLUMN open_job TEXT")
    db.execute("DROP INDEX outbox_unsent")
    db.execute("CREATE INDEX outbox_unsent ON outbox (seq) WHERE body IS NOT NULL AND open_job IS NULL")
    db.execute("CREATE INDEX outbox_open ON outbox (open_job) WHERE open_job IS NOT NULL")


def m003_summaries(db: sqlite3.Connection) -> None:
    """``room.summarized`` is ``room.changed`` as it was when the summary was made: a later moment makes it invalid."""
    db.execute(
        "CREATE TABLE summary (room TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID"
    )
    db.execute("ALTER TABLE room ADD COLUMN summarized INTEGER NOT NULL DEFAULT 0")
    db.execute("CREATE INDEX room_to_summarize ON room (changed) WHERE finished IS NOT NULL AND summarized < changed")
    db.execute("CREATE INDEX moment_of_worker ON moment (subject, kind, time) WHERE room = ''")
    db.execute("CREATE INDEX room_by_time ON room (coalesce(created, first_seen))")


def m004_refused_spans(db: sqlite3.Connection) -> None:
    """``outbox.refused`` is 1 for a span that the backend refuses: it is set aside."""
    db.execute("ALTER TABLE outbox ADD COLUMN refused INTEGER")
    db.execute("DROP INDEX outbox_unsent")
    db.execute(
        "CREATE INDEX outbox_unsent ON outbox (seq) WHERE body IS NOT NULL AND open_job IS NULL AND refused IS NULL"
    )
    db.execute("CREATE INDEX outbox_refused ON outbox (seq) WHERE refused IS NOT NULL")


def m005_agent_traces(db: sqlite3.Connection) -> None:
    """``agent_trace``: the rooms that the spans of an agent's own trace named.

    ``moment.trace`` is the trace of a moment that named no room: its room is its trace's, or the trace itself while
    none is known. ``outbox.unplaced`` is the trace of a span that waits for that, since ``outbox.since``.
    """
    db.execute("CREATE TABLE agent_trace (trace TEXT, room TEXT, PRIMARY KEY (trace, room)) WITHOUT ROWID")
    db.execute("ALTER TABLE moment ADD COLUMN trace TEXT")
    db.execute("CREATE INDEX moment_by_trace ON moment (trace) WHERE trace IS NOT NULL")
    db.execute("CREATE INDEX moment_unplaced ON moment (subject) WHERE trace IS NOT NULL AND room = trace")
    db.execute("CREATE INDEX moment_of_offer ON moment (subject) WHERE kind = 'job.offered'")
    db.execute("ALTER TABLE outbox ADD COLUMN unplaced TEXT")
    db.execute("ALTER TABLE outbox ADD COLUMN since INTEGER")
    db.execute("DROP INDEX outbox_unsent")
    db.execute(
        "CREATE INDEX outbox_unsent ON outbox (seq)"
        " WHERE body IS NOT NULL AND open_job IS NULL AND refused IS NULL AND unplaced IS NULL"
    )
    db.execute("CREATE INDEX outbox_unplaced ON outbox (unplaced) WHERE unplaced IS NOT NULL")


def m006_ages(db: sqlite3.Connection) -> None:
    """``delivery.at`` and ``outbox.since``, ns since the epoch, by which both can be deleted when they are old.

    ``room_to_export`` finds the rooms of which something came last.
    """
    now = time.time_ns()
    db.execute("ALTER TABLE delivery ADD COLUMN at INTEGER")
    db.execute("UPDATE delivery SET at = ?", (now,))
    db.execute("CREATE INDEX delivery_by_age ON delivery (at)")
    db.execute("UPDATE outbox SET since = ? WHERE since IS NULL", (now,))
    db.execute("DROP INDEX room_to_export")
    db.execute("CREATE INDEX room_to_export ON room (changed) WHERE exported < changed")
    db.execute("CREATE INDEX outbox_sent ON outbox (since) WHERE body IS NULL")


def m007_unknown(db: sqlite3.Connection) -> None:
    """``unknown``: the names of what a server sent and this version did not know, how often, and when last, ns."""
    db.execute(
        "CREATE TABLE unknown (name TEXT PRIMARY KEY, times INTEGER NOT NULL, last INTEGER NOT NULL) WITHOUT ROWID"
    )


def m008_evidence(db: sqlite3.Connection) -> None:
    """``evidence``: what came in, as it came, by room. ``unread``: the pieces that no moments were made of yet.

    ``unread.again`` is 1 for a piece that another version has read. ``moment.evidence`` is the piece that a moment was
    first made of. ``reading`` has one row: the version of the readers that read what is not unread.
    """
    db.execute(
        """
        CREATE TABLE evidence (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            room TEXT NOT NULL,
            form TEXT NOT NULL,
            at INTEGER NOT NULL,
            body BLOB NOT NULL
        )
        """
    )
    db.execute("CREATE INDEX evidence_by_room ON evidence (room, at)")
    db.execute("CREATE TABLE unread (seq INTEGER PRIMARY KEY, again INTEGER NOT NULL)")
    db.execute("CREATE INDEX unread_new ON unread (seq) WHERE again = 0")
    db.execute("CREATE TABLE reading (version INTEGER NOT NULL)")
    db.execute("ALTER TABLE moment ADD COLUMN evidence INTEGER")
    db.execute("CREATE INDEX moment_by_evidence ON moment (evidence) WHERE evidence IS NOT NULL")


def m009_unsent_evidence(db: sqlite3.Connection) -> None:
    """``unsent``: the pieces of evidence whose spans the backend may not have, with how many there are.

    ``sent``: the ids of spans that were sent from evidence, one behind the other, those of one request and trace in a
    row. What an older tracer sent is in the outbox, for as long as its keys are kept.
    """
    db.execute("CREATE TABLE unsent (seq INTEGER PRIMARY KEY, spans INTEGER NOT NULL)")
    kept = time.time_ns() - KEYS_KEPT
    db.execute("INSERT INTO unsent SELECT seq, 0 FROM evidence WHERE form <> 'webhook' AND at > ?", (kept,))
    db.execute("CREATE TABLE sent (trace_id BLOB NOT NULL, span_ids BLOB NOT NULL, since INTEGER NOT NULL)")
    db.execute("CREATE INDEX sent_by_trace ON sent (trace_id)")
    db.execute("CREATE INDEX sent_by_age ON sent (since)")


def m010_listened(db: sqlite3.Connection) -> None:
    """``listened``: from when until when each run of `tracer serve` or `tracer observe` listened, ns.

    Of who wrote an older file it is known only that somebody listened until the newest came.
    """
    db.execute(
        "CREATE TABLE listened (run TEXT PRIMARY KEY, since INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID"
    )
    db.execute(
        "INSERT INTO listened SELECT 'before', 0, max("
        "(SELECT latest FROM moment ORDER BY seq DESC LIMIT 1),"
        " coalesce((SELECT at FROM evidence ORDER BY seq DESC LIMIT 1), 0)) WHERE EXISTS (SELECT 1 FROM moment)"
    )


def m011_evidence_of_room(db: sqlite3.Connection) -> None:
    """``evidence_of_room``: by room, the pieces that were read; ``unread.room`` of those that were not.

    An index of evidence had to be changed before a request was answered, at another place for each room.
    """
    db.execute(
        """
        CREATE TABLE evidence_of_room (
            room TEXT NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (room, at, seq)
        ) WITHOUT ROWID
        """
    )
    db.execute("ALTER TABLE unread ADD COLUMN room TEXT")
    db.execute("UPDATE unread SET room = (SELECT room FROM evidence WHERE evidence.seq = unread.seq) WHERE again = 0")
    db.execute(
        "INSERT INTO evidence_of_room SELECT room, at, seq FROM evidence"
        " WHERE seq NOT IN (SELECT seq FROM unread WHERE again = 0) ORDER BY room, at, seq"
    )
    db.execute("DROP INDEX evidence_by_room")


MIGRATIONS = (
    m001_initial,
    m002_open_spans,
    m003_summaries,
    m004_refused_spans,
    m005_agent_traces,
    m006_ages,
    m007_unknown,
    m008_evidence,
    m009_unsent_evidence,
    m010_listened,
    m011_evidence_of_room,
)
"""In order; a file's ``user_version`` is how many of them it has had."""
VERSION = len(MIGRATIONS)
"""The version that this tracer reads and writes."""


def migrate(db: sqlite3.Connection) -> None:
    """Bring the file to ``VERSION`` in one transaction, unless another process has been first."""
    db.execute("BEGIN IMMEDIATE")
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        for migration in MIGRATIONS[version:]:
            migration(db)
        if version < VERSION:
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
