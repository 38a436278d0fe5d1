from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tests.moments import ADA, ROOM, call, moment, ms
from tests.watch.test_rooms import waiting
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.view.moments import MomentLines

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline


def test_each_moment_is_a_line_once_however_late_it_comes() -> None:
    moments = call()
    lines = MomentLines(120)
    printed = [line.plain for end in range(1, len(moments) + 1) for line in lines.new(fold(ROOM, moments[:end]))]
    rows = [line for line in printed if "✕" not in line]
    assert len({line[5:] for line in rows}) == len(rows)
    assert [int(line.split()[0]) for line in rows] == list(range(1, len(rows) + 1))
    assert all("+-" not in line for line in rows), "no time since a later one"


def test_what_is_missing_is_said_again_after_four_times_as_long() -> None:
    lines = MomentLines(120)
    said = [at for at in range(0, 60_000, 250) if any("✕" in one.plain for one in lines.new(by(at)))]
    assert said[0] in (500, 750)
    assert len(said) == 4
    assert all(later >= 3.5 * earlier for earlier, later in pairwise(said))
    over = [*waiting(), moment(Kind.ROOM_FINISHED, ROOM, ms(60_000))]
    [line] = [one.plain for one in lines.new(fold(ROOM, over, now=ms(61_000))) if "✕" in one.plain]
    assert "when the room closed" in line
    assert list(lines.new(fold(ROOM, over, now=ms(999_000)))) == []


def test_a_line_is_no_wider_than_it_may_be() -> None:
    for width in (60, 80, 120, 200):
        assert all(line.cell_len <= width for line in MomentLines(width).new(fold(ROOM, call(), now=ms(60_000))))


def by(at: int) -> Timeline:
    told = [*waiting(), moment(Kind.PARTICIPANT_JOINED, ADA, ms(3))]
    return fold(ROOM, told, now=ms(at))
