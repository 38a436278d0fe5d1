"""Whatever the other commands print of the recorded calls, `tracer explain` has something to say of it."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.calls.expected import EXPECTED
from tests.view.test_stats import shown
from tracer.check import Outcome, check
from tracer.doctor.diagnosis import CheckName, State
from tracer.explain import Group, explain, group_named
from tracer.labelled import Labelled
from tracer.latency.compare import between
from tracer.latency.stats import figures
from tracer.latency.summary import summarize
from tracer.service.replay import timelines
from tracer.view import check_json
from tracer.view import compare as compare_view
from tracer.view import doctor as doctor_view
from tracer.view import json as json_view
from tracer.view import stats as stats_view
from tracer.view import why as why_view
from tracer.view.check import CheckView
from tracer.view.legend import LINES
from tracer.view.rooms import COLUMNS
from tracer.view.terminal import TimelineView
from tracer.view.why import WhyView
from tracer.why import explain as why

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.timeline import Timeline

FOLDER = Path(__file__).parents[1] / "calls"
SLUGS = {
    *("kind", "state", "mode", "created_by", "end_reason", "disconnect_reason", "status", "owner", "witnesses"),
    *("from", "to", "symptom", "answer", "check", "counted", "apart", "a_state", "b_state", "rule"),
}
"""Keys under which JSON has a word of LiveKit's or tracer's."""
NAMED = {"causes", "not_ruled_out", "rules", "causes_only_in_a", "causes_only_in_b"}
"""Keys under which it has a list of things with a name."""


def slugs(told: Any, key: str = "") -> Iterator[str]:
    """Every word that a program compares."""
    if isinstance(told, dict):
        for inner, value in told.items():
            if key in NAMED and inner == "name":
                yield str(value)
            elif inner in ("counted", "apart") and isinstance(value, dict):
                yield from value
            else:
                yield from slugs(value, key if isinstance(value, list) and inner not in NAMED else inner)
    elif isinstance(told, list):
        yield from chain.from_iterable(slugs(one, key) for one in told)
    elif told is not None and key in SLUGS:
        yield str(told)


def printed(timeline: Timeline) -> Iterator[str]:
    """The lines of every view of one room, wide and narrow."""
    checked, explained = check(timeline), why(timeline)
    mine = summarize(timeline)
    for width in (60, 120):
        for view in (
            *(TimelineView(timeline, everything=True), WhyView(timeline, explained)),
            CheckView(checked, everything=True),
            stats_view.StatsView(figures([mine])),
            compare_view.CompareView(between(mine, mine), "a", "b"),
        ):
            yield from shown(view, width)


def signs(lines: list[str]) -> set[str]:
    """Signs that no keyboard has, each by itself."""
    return {char for line in lines for char in line if char > "~" and not char.isalnum()}


def headings(lines: list[str]) -> set[str]:
    """Of the tables: a line of words, two spaces between them."""
    heads = [line for line in lines if re.match(r"\s+(offset|owner) ", line)]
    return {word for line in heads for word in re.split(r"\s{2,}", line.strip()) if word}


def lanes(lines: list[str]) -> set[str]:
    """The lanes of a chart that are named after what the agent's code does."""
    return {found[1] for line in lines if (found := re.match(r"  ([a-z]+_[a-z_]+)  ", line))}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_word_heading_lane_and_sign_of_a_recorded_call_is_explained(name: str) -> None:
    for timeline in timelines(FOLDER / f"{name}.jsonl.gz"):
        lines = list(printed(timeline))
        mine = summarize(timeline)
        told = [
            json_view.timeline(timeline),
            why_view.as_json(timeline, why(timeline)),
            check_json.as_json([check(timeline)]),
            stats_view.as_json(figures([mine])),
            compare_view.as_json(between(mine, mine), "a", "b"),
        ]
        words = {*slugs(told), *signs(lines), *headings(lines), *lanes(lines)}
        assert {word for word in words if explain(word) is None} == set()


def test_every_value_that_has_a_label_is_explained_by_itself_and_by_its_label() -> None:
    every = [value for of in Labelled.__subclasses__() for value in of if of is not Group]
    assert len(every) > 20
    assert [value for value in every if explain(value.value) is None or explain(value.label) is None] == []
    outcomes = [name for value in Outcome for name in (value.value, value.label(1), value.label(2))]
    assert [name for name in outcomes if explain(name) is None] == []


def test_every_check_and_state_of_the_doctor_is_explained() -> None:
    assert [value for value in (*CheckName, *State) if explain(value) is None] == []
    assert [mark for mark in doctor_view.MARKS.values() if explain(mark) is None] == []


def test_every_line_of_the_legend_and_every_heading_of_the_list_is_explained() -> None:
    for sign, _ in LINES:
        assert explain(sign) is not None, sign
    assert [column.name for column in COLUMNS if column.name and explain(column.name) is None] == []


def test_a_group_is_found_by_its_name_and_by_one_of_it() -> None:
    for group in Group:
        assert group_named(f"{group}s".upper()) is group
        assert group_named(group.value) is (group if explain(group.value) is None else None)
    assert group_named("kinds") is Group.MOMENT
    assert group_named("job") is None
