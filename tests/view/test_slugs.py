from __future__ import annotations

import re

from tracer.view.slugs import SCHEMAS, SLUGS, table


def test_every_value_is_a_slug_and_stands_in_the_table() -> None:
    for field, (commands, values) in SLUGS.items():
        assert set(commands) <= set(SCHEMAS), field
        for value in values:
            assert re.fullmatch(r"[a-z]+(?:[._-][a-z]+)*", value), value
            assert f"`{value}`" in table()
