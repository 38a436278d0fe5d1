from __future__ import annotations

from pathlib import Path

from tracer.view.kinds import BEGIN, END, table

ROOT = Path(__file__).parents[2]


def test_the_document_has_the_table_that_the_code_makes() -> None:
    text = (ROOT / "docs/moments.md").read_text(encoding="utf-8")
    _, _, after = text.partition(f"{BEGIN}\n")
    block, end, _ = after.partition(END)
    assert end, "the markers are missing"
    assert block == table(), "out of date: python -m tracer.view.kinds prints the table"
