from __future__ import annotations

import pytest

from tracer.view.bar import bar


@pytest.mark.parametrize(
    ("part", "shown"),
    [(16, "████"), (8, "██"), (9, "██▎"), (1, "▎"), (0.01, "▏"), (0, ""), (-1, ""), (99, "████"), (15.99, "████")],
)
def test_a_bar_has_eighths_of_a_column(part: float, shown: str) -> None:
    assert bar(part, 16, 4) == shown


def test_of_nothing_there_is_no_bar() -> None:
    assert bar(1, 0, 4) == ""
