from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.matrix.page import read, write
from tests.matrix.rows import ROWS, Row

if TYPE_CHECKING:
    from pathlib import Path

OLD = Row("1.3.12")
BEFORE = """# Versions

<!-- matrix:begin -->
| row | livekit-agents | OpenTelemetry SDK | Python | livekit-server | the call | made on |
|---|---|---|---|---|---|---|
| `livekit-agents-0.9` | 0.9 | 1.0 | 3.9 | 1.0 | right | 2020-01-01 |
| `livekit-agents-1.3.12` | 1.3.12 | 1.39.1 | 3.11.2 | 1.13.5 | right | 2020-01-01 |
<!-- matrix:end -->

And more.
"""


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "versions.md"
    path.write_text(BEFORE)
    return path


def test_a_run_of_one_row_changes_that_row_only(page: Path) -> None:
    newer = Row(python="3.12")
    write(newer, ("1.8.9", "1.45.2", "3.12.1", "1.13.5"), right=True, page=page)
    after = read(page)
    assert list(after) == [str(row) for row in ROWS]  # in their order; the one that the matrix no longer has is gone
    assert after[str(OLD)] == ("1.3.12", "1.39.1", "3.11.2", "1.13.5", "right", "2020-01-01")
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    assert after[str(newer)] == ("1.8.9", "1.45.2", "3.12.1", "1.13.5", "right", today)
    assert {cells[4] for name, cells in after.items() if name not in (str(OLD), str(newer))} == {"not made"}
    text = page.read_text()
    assert text.startswith("# Versions\n\n<!-- matrix:begin -->\n| row |")
    assert text.endswith("<!-- matrix:end -->\n\nAnd more.\n")


def test_a_call_that_went_wrong_takes_the_place_of_one_that_did_not(page: Path) -> None:
    write(OLD, ("1.3.12", "1.39.1", "3.11.7", "1.13.5"), right=False, page=page)
    assert read(page)[str(OLD)][2:5] == ("3.11.7", "1.13.5", "**wrong**")


def test_a_page_without_the_table_is_said(page: Path) -> None:
    page.write_text("# Versions\n")
    with pytest.raises(ValueError, match="no table"):
        write(OLD, ("", "", "", ""), right=True, page=page)


def test_the_page_has_each_row_and_no_call_went_wrong() -> None:
    known = read()
    assert list(known) == [str(row) for row in ROWS]
    assert not [name for name, cells in known.items() if "wrong" in cells[4]]
