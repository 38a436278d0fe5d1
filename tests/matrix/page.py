"""The table in docs/versions.md: how the call went with each row of the matrix, and when it was made.

A row that is not run stays as it is, so that any of them can be run alone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.matrix.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.matrix.rows import Row

__all__ = ["PAGE", "read", "write"]

PAGE = Path(__file__).parents[2] / "docs" / "versions.md"
BEGIN, END = "<!-- matrix:begin -->\n", "<!-- matrix:end -->"
HEAD = ("row", "livekit-agents", "OpenTelemetry SDK", "Python", "livekit-server", "the call", "made on")
NOT_MADE = ("", "", "", "", "not made", "")


def read(page: Path = PAGE) -> dict[str, tuple[str, ...]]:
    """What the page has of each row: the cells after its name. Raises ValueError where the page has no such table."""
    return {name.strip("`"): tuple(cells) for name, *cells in map(_cells, _table(page.read_text("utf-8"))[2:])}


def write(row: Row, with_versions: tuple[str, str, str, str], *, right: bool, page: Path = PAGE) -> None:
    """Put how the call went into its row: right, or not. ``with_versions`` in the order of the columns.

    Raises ValueError where the page has no such table.
    """
    known = read(page)
    outcome = "right" if right else "**wrong**"
    known[str(row)] = (*with_versions, outcome, f"{datetime.now(UTC):%Y-%m-%d}")
    text = page.read_text("utf-8")
    table = "\n".join(_table(text))
    page.write_text(text.replace(table, "\n".join(_lines(known))), "utf-8")


def _lines(known: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The table, each row in its order, whether it is known or not; those that the matrix no longer has are gone."""
    rows = [(f"`{row}`", *known.get(str(row), NOT_MADE)) for row in ROWS]
    return [_line(HEAD), "|" + "---|" * len(HEAD), *map(_line, rows)]


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _table(text: str) -> list[str]:
    found = re.search(f"{BEGIN}(.*?)\n{END}", text, re.DOTALL)
    if not found:
        raise ValueError(f"no table between {BEGIN.strip()} and {END}")
    return found[1].splitlines()
