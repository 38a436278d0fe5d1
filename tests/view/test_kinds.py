from __future__ import annotations

import re

from tracer.kinds import Kind
from tracer.view.kinds import table


def test_each_kind_has_its_row_in_causal_order_and_each_row_all_its_cells() -> None:
    header, rule, *rows = table().splitlines()
    assert [re.match(r"\| `([a-z._]+)` \|", row)[1] for row in rows] == list(Kind)  # type: ignore[index]
    assert {row.count("|") for row in (header, rule, *rows)} == {7}
    assert "| ada JOINING |" in table()
