from __future__ import annotations

import pytest

from tests.moments import ADA, ROOM, call, moment, ms
from tests.watch.test_rooms import waiting
from tests.why.cases import CASES
from tracer import keys
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.timeline.overdue import expected
from tracer.view.moment import MissingView, MomentView
from tracer.view.rows import MomentRows
from tracer.view.write import as_text
from tracer.why import explain

HOSTILE = "[bold]\x1b[2J\u202e" + "y" * 300


def test_it_says_what_it_means_when_it_was_and_who_reported_it() -> None:
    timeline = fold(ROOM, call())
    [row] = [
        row
        for row in MomentRows(timeline, explain(timeline).findings).rows
        if row.step.kind is Kind.PARTICIPANT_JOINING
    ][:1]
    shown = as_text(MomentView(timeline, row), width=80)
    assert "ada JOINING" in shown
    for words in (Kind.PARTICIPANT_JOINING.info.meaning, "±0.5 ms", "webhook said", "observer said", ADA):
        assert words.split("`")[0][:30] in shown, words
    assert f"{keys.PARTICIPANT_IDENTITY} = ada" in shown


def test_the_problem_that_rests_on_it_is_named() -> None:
    case = next(case for case in CASES if case.cause == "session-closed")
    timeline = fold(ROOM, case.moments)
    findings = explain(timeline).findings
    shown = [
        as_text(MomentView(timeline, row, findings)) for row in MomentRows(timeline, explain(timeline).findings).rows
    ]
    assert 0 < sum("problem  " in one for one in shown) < len(shown)


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_every_moment_of_every_case_fits(width: int) -> None:
    for case in CASES[::9]:
        timeline = fold(ROOM, case.moments)
        for row in MomentRows(timeline, explain(timeline).findings, everything=True).rows:
            lines = as_text(MomentView(timeline, row, explain(timeline).findings), width=width).splitlines()
            assert max(map(len, lines)) <= max(width, 40)


def test_text_from_outside_is_harmless_and_bounded() -> None:
    told = {keys.PARTICIPANT_IDENTITY: HOSTILE, HOSTILE: HOSTILE, **{f"k{n}": "v" for n in range(500)}}
    timeline = fold(ROOM, [moment(Kind.PARTICIPANT_JOINING, "PA_\x1b", ms(1), told=told)])
    [row] = MomentRows(timeline, explain(timeline).findings).rows
    shown = as_text(MomentView(timeline, row), width=100)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "[bold]" in shown
    assert len(shown.splitlines()) < 60


def test_what_is_missing_says_after_what_and_for_how_long() -> None:
    timeline = fold(ROOM, waiting(), now=ms(9000))
    [missing] = expected(timeline)
    shown = as_text(MissingView(timeline, missing), width=80)
    assert "dispatched, no job" in shown
    assert "for 9.0 s by now" in shown
    assert "dispatch created, 1.0 ms" in shown
