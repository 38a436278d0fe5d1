from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from tests.view.test_stats import HOSTILE, shown
from tracer.latency.summary import Counted, JobSummary, Summary
from tracer.store import RoomRow
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.view.rooms import RoomsView, as_json

NOW = 1_763_841_066 * NS_PER_S


def row(sid: str, name: str = "demo", *, is_open: bool = False) -> RoomRow:
    return RoomRow(sid, name, NOW, None if is_open else NOW + 6 * NS_PER_S, 2, 1)


READY = JobSummary("", Counted.MEASURED, (), 392 * NS_PER_MS, None)
ROWS = [row("RM_ev5rQjUVknES"), row("RM_nFyAF2c9Lk31", "failed"), row("RM_unknownUnkno"), row("RM_open", is_open=True)]
SUMMARIES = {
    "RM_ev5rQjUVknES": Summary(Counted.MEASURED, (READY,), well=True),
    "RM_nFyAF2c9Lk31": Summary(Counted.NOT_READY, (), ("no-worker", "late"), well=False),
    "RM_unknownUnkno": Summary(Counted.NO_AGENT),
}


def test_each_room_has_its_verdict_the_cause_and_when_its_agent_was_ready() -> None:
    head, *lines = shown(RoomsView(ROWS, SUMMARIES), 120)
    assert head.split() == ["room", "sid", "created", "(UTC)", "lasted", "callers", "agents", "ready", "cause"]
    assert [line[0] for line in lines] == ["✓", "✗", "?", "…"]
    assert lines[0].endswith("392 ms")
    assert lines[1].endswith("  no-worker")
    assert "open" in lines[3]


def test_a_room_that_is_over_is_not_shown_as_open_for_want_of_a_summary() -> None:
    lines = shown(RoomsView([row("RM_over"), row("RM_open", is_open=True)], {}), 120)
    assert [line[0] for line in lines[1:3]] == ["·", "…"]
    assert lines[-1].startswith("·  1 room that is over, not read")


@pytest.mark.parametrize("width", [44, 60, 80, 120, 200])
def test_no_sid_is_cut_at_any_width(width: int) -> None:
    for name in ("a name that is longer than anybody can want it to be", *HOSTILE):
        lines = shown(RoomsView([row("RM_ev5rQjUVknES", name)], SUMMARIES), width)
        assert "RM_ev5rQjUVknES" in lines[1]
        assert "392 ms" in lines[1]


@pytest.mark.parametrize(("width", "cut"), [(80, True), (140, True), (200, False), (400, False)])
def test_a_name_is_cut_only_where_there_is_no_room_for_it(width: int, cut: bool) -> None:
    long = f"call-{'0123456789' * 8}-end"
    line = shown(RoomsView([row("RM_ev5rQjUVknES", long)], SUMMARIES), width)[1]
    assert (long not in line) == cut


def test_what_is_left_out_is_counted() -> None:
    assert shown(RoomsView(ROWS, SUMMARIES, 3), 120)[-1] == "3 rooms of tracer doctor and tracer demo not listed: --all"
    none, hidden = shown(RoomsView([], {}, 1), 120)
    assert none.startswith("no rooms yet")
    assert hidden.startswith("1 room of")


def test_the_mark_has_the_colour_of_the_verdict() -> None:
    out = Console(file=io.StringIO(), width=120, force_terminal=True, color_system="standard")
    out.print(RoomsView(ROWS, SUMMARIES))
    assert isinstance(out.file, io.StringIO)
    assert "\x1b[1;31m✗" in out.file.getvalue()
    assert "\x1b[1;32m✓" in out.file.getvalue()


def test_what_is_not_known_is_null() -> None:
    known = [(one["well"], one["causes"], one["ready_ms"]) for one in as_json(ROWS, SUMMARIES)["rooms"]]
    assert known == [(True, [], 392.0), (False, ["no-worker", "late"], None), (None, [], None), (None, None, None)]


def test_ten_thousand_rooms_are_listed_in_a_moment() -> None:
    rows = [row(f"RM_{n:012}") for n in range(10_000)]
    summaries = {one.sid: SUMMARIES["RM_nFyAF2c9Lk31"] for one in rows}
    began = time.process_time()
    assert len(shown(RoomsView(rows, summaries), 120)) == 10_001
    assert time.process_time() - began < 5
