from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from tracer.view.prose import wrapped

SENTENCE = "The server chose a worker and is about to offer it the job, which it may refuse."


def lines(width: int, indent: int = 0, hang: int | None = None) -> list[str]:
    out = Console(file=io.StringIO(), width=200, color_system=None)
    for line in wrapped(out, Text(SENTENCE), width, indent, hang):
        out.print(line)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


@pytest.mark.parametrize(("indent", "hang", "later"), [(0, None, 2), (5, None, 7), (0, 12, 12), (4, 0, 0)])
def test_later_lines_are_indented_by_two_more_or_as_told(indent: int, hang: int | None, later: int) -> None:
    first, *rest = lines(40, indent, hang)
    assert len(first) - len(first.lstrip()) == indent
    assert rest
    assert {len(line) - len(line.lstrip()) for line in rest} == {later}


@pytest.mark.parametrize("width", [40, 60, 80])
def test_no_line_is_wider_and_no_word_is_lost(width: int) -> None:
    found = lines(width, 3)
    assert max(map(len, found)) <= width
    assert " ".join(" ".join(found).split()) == SENTENCE
