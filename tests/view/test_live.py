from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from tests.moments import ROOM, call, ms
from tests.watch.test_rooms import waiting
from tests.why.cases import CASES
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.view.live import FOOT, LiveView

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline


def drawn(timeline: Timeline, width: int = 80, height: int = 24, *, summary: bool = False) -> list[str]:
    file = io.StringIO()
    out = Console(file=file, width=width, height=height, color_system=None, markup=False, emoji=False)
    out.print(LiveView(timeline, summary=summary))
    return file.getvalue().splitlines()


@pytest.mark.parametrize("size", [(80, 24), (80, 8), (60, 5), (120, 40), (200, 50)])
@pytest.mark.parametrize("summary", [True, False])
def test_it_is_no_higher_than_the_screen_and_no_wider(size: tuple[int, int], summary: bool) -> None:
    for case in CASES[::7]:
        lines = drawn(fold(ROOM, case.moments), *size, summary=summary)
        assert len(lines) <= size[1], case.cause
        assert max(map(len, lines)) <= size[0]
        assert lines[-1] == FOOT


def test_the_latest_moments_are_those_that_are_shown() -> None:
    timeline = fold(ROOM, [one for one in call() if one.kind is not Kind.ROOM_FINISHED])
    lines = drawn(timeline, 100, 24)
    assert any("offset" in line for line in lines)
    assert "room created" not in "".join(lines)
    assert "session closed" in "".join(lines)


def test_what_is_open_ticks_and_what_is_missing_says_for_how_long() -> None:
    early, late = (drawn(fold(ROOM, waiting(), now=ms(at))) for at in (1500, 9500))
    assert "open for 1.5 s" in early[1]
    assert "open for 9.5 s" in late[1]
    assert any("no job" in line and "1.5 s" in line for line in early)
    assert any("no job" in line and "9.5 s" in line for line in late)
    assert all(line.rstrip().endswith("▸") for line in late if line.startswith(("room  ", "ada  ")))


def test_the_axis_goes_on_until_now() -> None:
    lines = drawn(fold(ROOM, waiting(), now=ms(61_000)))
    assert "61.0 s" in lines[2]
