"""The store in one SQLite file: an append-only log of moments, and the spans still to be exported."""

from __future__ import annotations

from tracer.store.sqlite.reader import SqliteReader
from tracer.store.sqlite.writer import SqliteStore

__all__ = ["SqliteReader", "SqliteStore"]
