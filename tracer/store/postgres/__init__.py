"""The store in PostgreSQL: any number of receivers and readers share it, on one machine or many."""

from __future__ import annotations

from tracer.store.postgres.reader import PostgresReader
from tracer.store.postgres.writer import PostgresStore

__all__ = ["PostgresReader", "PostgresStore"]
