from __future__ import annotations

import re
from pathlib import Path

from tracer.view.slugs import BEGIN, END, SCHEMAS, SLUGS, table

ROOT = Path(__file__).parents[2]


def test_the_document_has_the_table_that_the_code_makes() -> None:
    text = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    _, _, after = text.partition(f"{BEGIN}\n")
    block, end, _ = after.partition(END)
    assert end, "the markers are missing"
    assert block == table(), "out of date: python -m tracer.view.slugs prints the table"


def test_the_document_names_every_schema() -> None:
    text = (ROOT / "docs/json.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`tracer\.(\w+)/1`", text)) == set(SCHEMAS)


def test_every_value_is_a_slug_and_is_found_where_it_says() -> None:
    for field, (commands, values) in SLUGS.items():
        assert set(commands) <= set(SCHEMAS), field
        for value in values:
            assert re.fullmatch(r"[a-z]+(?:[._-][a-z]+)*", value), value
