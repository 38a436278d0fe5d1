"""docs/chaos.md: what was done, how often, and what came of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from tests.soak.options import Report
from tests.soak.page import write as write_part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.chaos.options import Row

__all__ = ["rows_of", "write"]

PAGE = Path(__file__).parents[2] / "docs" / "chaos.md"


def rows_of(rows: Iterable[Row]) -> str:
    """A table in Markdown."""
    lines = ["| what was done | how often | what came of it | |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.often} | {row.outcome} | {'right' if row.right else '**wrong**'} |" for row in rows]
    return "\n".join(lines)


def write(rows: Iterable[Row]) -> None:
    """Put the table in the place of the one before. Raises ValueError where the page has no such place."""
    text = f"{rows_of(rows)}\n\nSQLite {sqlite3.sqlite_version}."
    write_part("chaos", Report(text, right=True), PAGE)
