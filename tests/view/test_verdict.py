from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from rich.cells import cell_len

import tests.calls
from tests.latency.test_gaps import without
from tests.moments import ROOM, any_moments, call, moment, ms
from tests.view.test_stats import shown
from tracer import keys
from tracer.latency.gaps import Paths
from tracer.latency.summary import summarize
from tracer.moment import Kind
from tracer.service.replay import timelines
from tracer.timeline.fold import fold
from tracer.view.names import with_names
from tracer.view.terminal import TimelineView
from tracer.view.verdict import ready_after
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment

RECORDINGS = sorted(Path(tests.calls.__file__).parent.glob("*.jsonl.gz"))


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.name.partition(".")[0])
def test_a_summary_is_the_answer_of_why_and_fits_80x24(path: Path) -> None:
    for timeline in timelines(path):
        explanation = explain(timeline)
        lines = shown(TimelineView(timeline, summary=True), 80)
        assert lines[0][0] == {True: "✓", False: "✗", None: "?"}[explanation.well]
        assert with_names(timeline, explanation.summary) in " ".join(" ".join(lines[:4]).split())
        assert len(lines) < 24
        assert max(map(cell_len, lines)) <= 80
        assert any(line.startswith("room  ") for line in lines)


def test_of_a_large_room_a_summary_says_how_many_rows_are_left_out() -> None:
    crowd = [
        moment(kind, f"PA_{n}", ms(1000 + n), told={keys.PARTICIPANT_IDENTITY: f"guest {n}"})
        for n in range(40)
        for kind in (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)
    ]
    jobs = [moment(Kind.JOB_OFFERED, f"AJ_{n}", ms(1000 + n)) for n in range(40)]
    lines = shown(TimelineView(fold(ROOM, [*call(), *crowd, *jobs]), summary=True), 80)
    assert len(lines) == 23
    assert "more rows: without --summary" in lines[-1]


def test_the_time_until_the_agent_was_ready_is_that_of_the_budget() -> None:
    lines = shown(TimelineView(fold(ROOM, call())), 120)
    assert "agent ready after 392 ms" in "\n".join(lines[:3])
    assert any(line.endswith("session started: 392 ms") for line in lines)


def test_of_an_agent_that_was_never_ready_no_time_is_given() -> None:
    assert ready_after(fold(ROOM, without(Kind.SESSION_STARTED))) == ""
    assert ready_after(fold(ROOM, [])) == ""


@given(any_moments())
def test_any_timeline_has_a_verdict(moments: list[Moment]) -> None:
    assert shown(TimelineView(fold(ROOM, moments), summary=True), 60)[0][0] in "✓✗?"


def test_an_agent_is_not_ready_in_a_room_that_was_over_before() -> None:
    """A worker that is told late: its agent comes into the next room of the name."""
    found = timelines(Path(tests.calls.__file__).parent / "earlier_room.jsonl.gz")
    [ended] = [one for one in found if one.room.sid == "RM_UpZNjFxmGKcj"]
    assert ready_after(ended) == ""
    assert Paths(ended).ready_after is None
    assert summarize(ended).ready_after is None
    assert all("agent ready" not in line for line in shown(TimelineView(ended, summary=True), 80))
