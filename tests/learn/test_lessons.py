"""The six steps, held to a recorded call, and to what a line has room for."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.learn.orders import ORDERS, assert_as_taught
from tests.moments import ROOM, call
from tests.view.test_stats import shown
from tracer.demo.failures import FAILURES
from tracer.demo.scenarios import SCENARIOS
from tracer.explain import explain
from tracer.kinds import Kind
from tracer.learn import lessons
from tracer.learn.lessons import LESSONS
from tracer.learn.shown import AT, WHAT, ListView, QuestionView, ResultView
from tracer.service.replay import timelines
from tracer.timeline.fold import fold

if TYPE_CHECKING:
    from tracer.learn.lesson import Lesson
    from tracer.timeline.timeline import Timeline


@pytest.fixture(scope="module")
def recorded() -> Timeline:
    """The demo's recorded call."""
    with resources.as_file(resources.files("tracer.demo").joinpath("call.jsonl")) as path:
        return timelines(path)[0]


def test_every_file_is_a_step_and_plays_a_scenario_of_the_demo() -> None:
    files = {path.stem for path in Path(lessons.__file__).parent.glob("*.py")} - {"__init__"}
    assert len(files) == len(LESSONS) == 6
    for lesson in LESSONS:
        assert type(lesson.scenario) in {type(one) for one in (SCENARIOS | FAILURES).values()}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.scenario.name)
def test_a_step_fits_a_line_says_why_and_is_not_in_the_real_order(lesson: Lesson) -> None:
    assert 4 <= len(lesson.items) <= 9
    assert "never happens" in lesson.situation or not any(item.never for item in lesson.items)
    for item in lesson.items:
        assert len(item.text) <= WHAT - 2
        assert item.why[0].isupper() or item.why.startswith(("joined", "departure"))
        assert item.why.endswith(".")
    assert [word for word in lesson.words if explain(word) is None] == []
    assert max(map(len, lesson.code.splitlines()), default=0) <= 76 - AT // 3


def test_every_step_has_the_order_that_calls_are_held_to() -> None:
    assert ORDERS.keys() == {lesson.scenario.name for lesson in LESSONS}
    for lesson in LESSONS:
        order = ORDERS[lesson.scenario.name]
        assert order != tuple(sorted(order))
        never = {number for number, item in enumerate(lesson.items, 1) if item.never}
        assert never.isdisjoint(order)


def test_the_first_step_answers_a_newcomers_three_questions(recorded: Timeline) -> None:
    text = " ".join(" ".join(shown(ResultView(LESSONS[0], recorded, (2, 3, 5, 1, 6, 4)), 80)).split())
    for question in ("Room first?", "When is the agent made?", "How does the caller's data get into the instructions?"):
        assert question in text
    assert "await ctx.wait_for_participant()" in text


def test_the_real_order_is_shown_with_its_times_and_the_guess_beside_it(recorded: Timeline) -> None:
    assert_as_taught(LESSONS[0].scenario, recorded)
    real = (3, 5, 2, 6, 1, 4)
    right, wrong = (shown(ResultView(LESSONS[0], recorded, guess), 80) for guess in (real, [*real[1:], real[0]]))
    assert "All in the right order." in right
    assert [line[0] for line in wrong[1:7]] == ["✗", "✓", "✓", "✓", "✓", "✓"]
    assert wrong[1].split()[-4:] == ["created", "0.0", "ms", "6"]
    assert any(line.startswith("the room is created: ") for line in wrong)
    assert not any(line.startswith("the caller joins (JOINING): ") for line in wrong)


def test_what_was_not_observed_is_neither_right_nor_wrong() -> None:
    without = fold(ROOM, [moment for moment in call() if moment.kind is not Kind.DISPATCH_CREATED])
    view = ResultView(LESSONS[0], without, (3, 5, 2, 6, 1, 4))
    assert {place.right for place in view.places} == {True}
    assert any(line.endswith("not observed") for line in shown(view, 80))


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.scenario.name)
def test_it_is_readable_at_any_width_whatever_was_observed(lesson: Lesson, width: int, recorded: Timeline) -> None:
    for timeline in (recorded, fold(ROOM, call()), fold(ROOM, [])):
        shown(ResultView(lesson, timeline, None), width)
        shown(ResultView(lesson, timeline, tuple(range(1, len(lesson.items) + 1))), width)
    shown(QuestionView(1, lesson), width)


def test_the_list_says_what_was_done_and_what_comes_next() -> None:
    def listed(done: set[int]) -> str:
        return "\n".join(shown(ListView(done), 80))

    assert "  1  One call" in listed(set())
    assert "learn 1" in listed(set())
    assert "✓ 1  One call" in listed({1, 3})
    assert "learn 2" in listed({1, 3})
    assert "All done." in listed(set(range(1, 7)))
