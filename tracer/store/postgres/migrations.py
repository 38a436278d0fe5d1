"""The tables, as the steps that made them. A step that was released is never edited: a change is a new step.

What they hold is told in ``tracer.store.sqlite.migrations``; this says where they differ.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tracer.store.alike import KEYS_KEPT
from tracer.store.postgres.locks import MIGRATE

if TYPE_CHECKING:
    from psycopg import Connection

__all__ = ["MIGRATIONS", "SAYING", "SCHEMA", "VERSION", "migrate"]

SCHEMA = "livekit_tracer"
"""Where all is, apart from whatever else the database has."""
TEXT = 'text COLLATE "C"'
"""Ordered by its bytes, as in SQLite, whatever the database's language."""
_MOMENT = f"""
    seq bigint NOT NULL DEFAULT nextval('moment_number'),
    digest bytea NOT NULL,
    room {TEXT} NOT NULL,
    kind {TEXT} NOT NULL,
    subject {TEXT} NOT NULL,
    occurrence {TEXT} NOT NULL,
    earliest bigint NOT NULL,
    latest bigint NOT NULL,
    time bigint NOT NULL,
    clock {TEXT} NOT NULL,
    witness {TEXT} NOT NULL,
    facts text NOT NULL,
    trace {TEXT},
    evidence bigint
"""


def m001_initial(db: Connection[Any]) -> None:
    """``moment`` and ``evidence`` are partitioned by day, so that what is old is dropped and not deleted.

    What workers say of themselves is apart, in ``worker_moment``: the last of it outlives every day. ``room.earliest``
    and ``latest`` bound the times of a room's moments, ns: in which days to look. ``unread.reader`` is the process that
    has a piece in hand, and ``until``, ns since the epoch, when another may take it.
    """
    db.execute(
        f"""
        CREATE SEQUENCE moment_number;
        CREATE TABLE moment ({_MOMENT}, UNIQUE (digest, time)) PARTITION BY RANGE (time);
        CREATE TABLE moment_other PARTITION OF moment DEFAULT;
        CREATE INDEX ON moment (room, kind);
        CREATE INDEX ON moment (trace) WHERE trace IS NOT NULL;
        CREATE INDEX ON moment (subject) WHERE trace IS NOT NULL AND room = trace;
        CREATE INDEX ON moment (subject) WHERE kind = 'job.offered';
        CREATE INDEX ON moment (evidence) WHERE evidence IS NOT NULL;

        CREATE TABLE worker_moment ({_MOMENT}, PRIMARY KEY (seq), UNIQUE (digest));
        CREATE INDEX ON worker_moment (subject, kind, time);
        CREATE INDEX ON worker_moment (evidence) WHERE evidence IS NOT NULL;

        CREATE SEQUENCE evidence_number;
        CREATE TABLE evidence (
            seq bigint NOT NULL DEFAULT nextval('evidence_number'),
            room {TEXT} NOT NULL,
            form {TEXT} NOT NULL,
            at bigint NOT NULL,
            body bytea NOT NULL
        ) PARTITION BY RANGE (at);
        CREATE TABLE evidence_other PARTITION OF evidence DEFAULT;
        CREATE INDEX ON evidence (seq);
        CREATE INDEX ON evidence (room, seq);

        CREATE TABLE unread (
            seq bigint PRIMARY KEY,
            at bigint NOT NULL,
            again boolean NOT NULL,
            reader text NOT NULL DEFAULT '',
            until bigint NOT NULL DEFAULT 0
        );
        CREATE INDEX ON unread (seq) WHERE NOT again;
        CREATE TABLE reading (version integer NOT NULL);

        CREATE TABLE delivery (event_id {TEXT} PRIMARY KEY, at bigint NOT NULL);
        CREATE INDEX ON delivery (at);

        CREATE TABLE outbox (
            seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            trace_id bytea NOT NULL,
            span_id bytea NOT NULL,
            body bytea,
            open_job {TEXT},
            unplaced {TEXT},
            refused boolean NOT NULL DEFAULT false,
            since bigint NOT NULL,
            UNIQUE (trace_id, span_id)
        );
        CREATE INDEX ON outbox (seq)
            WHERE body IS NOT NULL AND open_job IS NULL AND NOT refused AND unplaced IS NULL;
        CREATE INDEX ON outbox (open_job) WHERE open_job IS NOT NULL;
        CREATE INDEX ON outbox (unplaced) WHERE unplaced IS NOT NULL;
        CREATE INDEX ON outbox (seq) WHERE refused;
        CREATE INDEX ON outbox (since) WHERE body IS NULL;

        CREATE TABLE agent_trace (trace {TEXT}, room {TEXT}, PRIMARY KEY (trace, room));
        CREATE INDEX ON agent_trace (room);

        CREATE TABLE room (
            sid {TEXT} PRIMARY KEY,
            name {TEXT},
            created bigint,
            finished bigint,
            first_seen bigint NOT NULL,
            changed bigint NOT NULL,
            exported bigint NOT NULL DEFAULT 0,
            summarized bigint NOT NULL DEFAULT 0,
            earliest bigint NOT NULL,
            latest bigint NOT NULL
        );
        CREATE INDEX ON room (md5(name), created); -- a name can be longer than an index takes
        CREATE INDEX ON room (coalesce(created, first_seen), sid);
        CREATE INDEX ON room (changed);
        CREATE INDEX ON room (latest);
        CREATE INDEX ON room (changed) WHERE exported < changed;
        CREATE INDEX ON room (changed) WHERE finished IS NOT NULL AND summarized < changed;

        CREATE TABLE summary (room {TEXT} PRIMARY KEY, version integer NOT NULL, body text NOT NULL);
        CREATE TABLE unknown (name {TEXT} PRIMARY KEY, times bigint NOT NULL, last bigint NOT NULL);
        """
    )


def m002_unsent_evidence(db: Connection[Any]) -> None:
    """``unsent`` and ``sent``, as in SQLite's ``m009_unsent_evidence``."""
    db.execute(
        """
        CREATE TABLE unsent (seq bigint PRIMARY KEY, at bigint NOT NULL, spans bigint NOT NULL);
        CREATE TABLE sent (trace_id bytea NOT NULL, span_ids bytea NOT NULL, since bigint NOT NULL);
        CREATE INDEX ON sent (trace_id);
        CREATE INDEX ON sent (since);
        """
    )
    kept = time.time_ns() - KEYS_KEPT
    db.execute("INSERT INTO unsent SELECT seq, at, 0 FROM evidence WHERE form <> 'webhook' AND at > %s", (kept,))


def m003_listened(db: Connection[Any]) -> None:
    """``listened``: from when until when each run of `tracer serve` or `tracer observe` listened, ns."""
    db.execute(f"CREATE TABLE listened (run {TEXT} PRIMARY KEY, since bigint NOT NULL, until bigint NOT NULL)")
    db.execute("INSERT INTO listened SELECT 'before', 0, max(latest) FROM room HAVING count(*) > 0")


SAYING = {
    "moment": {"facts": "text", "occurrence": TEXT},
    "worker_moment": {"facts": "text", "occurrence": TEXT},
    "evidence": {"body": "bytea"},
    "outbox": {"body": "bytea"},
    "room": {"name": TEXT},
    "summary": {"body": "text"},
}
"""The columns that can hold what people are called, or said."""


def m004_no_samples(db: Connection[Any]) -> None:
    """PostgreSQL's statistics keep samples of each column, and what is forgotten would stay in them."""
    for table, columns in SAYING.items():
        for column, kind in columns.items():
            db.execute(f"ALTER TABLE {table} ALTER {column} SET STATISTICS 0")
            db.execute(f"ALTER TABLE {table} ALTER {column} TYPE {kind}")  # it is that, but now without statistics


MIGRATIONS = (m001_initial, m002_unsent_evidence, m003_listened, m004_no_samples)
"""In order; ``version.number`` is how many of them the tables have had."""
VERSION = len(MIGRATIONS)
"""The version that this tracer reads and writes."""


def migrate(db: Connection[Any]) -> None:
    """Bring the tables to ``VERSION`` in one transaction, unless another process has been first."""
    with db.transaction():
        MIGRATE.take(db)
        db.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        db.execute("CREATE TABLE IF NOT EXISTS version (number integer NOT NULL)")
        row = db.execute("SELECT number FROM version").fetchone()
        for migration in MIGRATIONS[row[0] if row else 0 :]:
            migration(db)
        db.execute("DELETE FROM version")
        db.execute("INSERT INTO version VALUES (%s)", (VERSION,))
