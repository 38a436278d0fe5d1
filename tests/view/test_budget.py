from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Group

from tests.latency.test_gaps import HOUR, cold, late_caller, moved, without
from tests.moments import ADA, ROOM, any_moments, call
from tests.view.test_stats import HOSTILE, WIDTHS, shown
from tracer import keys
from tracer.latency.gaps import Paths
from tracer.latency.owner import Owner
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.view.budget import COLOURS, budget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.moment import Moment


def lines(moments: Sequence[Moment], width: int = 100) -> list[str]:
    return shown(Group(*budget(fold(ROOM, moments), width)), width)


def test_the_budget_of_a_call_at_a_width_of_100() -> None:
    assert lines(cold()) == GOLDEN.splitlines()


GOLDEN = """\
room created → session started: 2.4 s
    200 ms   8 %  ██▏               LiveKit server  dispatch created → job offered
    500 ms  21 %  █████▍            process start   job assigned → process started
     1.5 s  63 %  ████████████████  your code       process started → process ready
     44 ms   2 %  ▌                 worker          agent connecting → agent 1 JOINING
    100 ms   4 %  █▏                network         agent 1 JOINING → agent connected
     29 ms   1 %  ▎                 session start   session starting → session started
     17 ms   1 %  in 10 shorter gaps: LiveKit server, network, your code, worker, process start
→ longest gap you can shorten: 1.5 s, your code: make setup_fnc shorter, or keep processes warm so
that nobody waits for it: num_idle_processes
"""


@pytest.mark.parametrize("width", WIDTHS)
def test_every_gap_of_a_share_has_a_line_with_its_owner_at_every_width(width: int) -> None:
    text = "\n".join(lines(call(), width))
    gaps = [gap for gap in Paths(fold(ROOM, call())).first if gap.ns >= 0.005 * 392_000_000]
    assert len([line for line in text.splitlines() if " %  " in line]) == len(gaps) + 1
    for gap in gaps:
        assert gap.owner.label in text
    assert text.startswith("room created → session started: 392 ms\n")
    assert "longest gap you can shorten" not in text  # none is worth it


@pytest.mark.parametrize("width", WIDTHS)
def test_a_hostile_name_is_harmless_and_takes_no_figure_away(width: int) -> None:
    for name in HOSTILE:
        told = [
            replace(m, facts=tuple((k, name if k == keys.PARTICIPANT_IDENTITY else v) for k, v in m.facts))
            for m in late_caller(joining=2360, active=2460, published=2470, heard=2540)
            if not (m.kind is Kind.SESSION_STARTED or m.kind is Kind.SESSION_STARTING)
        ]
        found = lines(told, width)
        assert "2.5 s" in found[0], name
        assert any("2.0 s" in line and "caller" in line for line in found), name


def test_the_shorter_gaps_are_one_line_and_say_whose_they_are() -> None:
    [line] = [line for line in lines(call(), 200) if "shorter" in line]
    assert line.strip() == "2.0 ms   1 %  in 6 shorter gaps: LiveKit server, network, your code, process start"


@pytest.mark.parametrize(("by", "where"), [(HOUR, "60.0 min ahead of"), (-HOUR, "60.0 min behind")])
def test_a_clock_that_is_off_is_said_and_what_it_spoils_is_marked(by: float, where: str) -> None:
    found = lines(moved(call(), by), 200)
    assert found[0].startswith("room created → session started: ~")
    assert any(line.startswith("~ clock skew: the clock of the agent") and where in line for line in found)
    marked = [
        line for line in found[1:] if line.lstrip().startswith("~") and "clock" not in line and "shorter" not in line
    ]
    assert marked
    assert all(re.search(" network | worker ", line) for line in marked)
    assert not any(" min " in line and not line.startswith("~ clock skew") for line in found)


def test_a_clock_that_was_set_meanwhile_is_said() -> None:
    jumped = [m for m in moved(call(), -HOUR) if m.kind in (Kind.SESSION_STARTING, Kind.SESSION_STARTED)]
    text = "\n".join(lines([*without(Kind.SESSION_STARTING, Kind.SESSION_STARTED), *jumped]))
    assert "a clock was adjusted meanwhile, or a source is wrong" in text


def test_of_a_gap_that_began_before_the_caller_came_only_the_rest_counts() -> None:
    told = [m if m.subject != ADA else moved([m], 1_600, m.clock)[0] for m in cold()]
    text = " ".join(" ".join(lines(told)).split())
    assert "longest gap you can shorten: 506 ms (of 1.5 s: before that nobody waited), your code: make" in text


def test_no_line_has_0_per_cent() -> None:
    for moments in (cold(), call(), moved(call(), HOUR)):
        assert not any(" 0 %" in line for line in lines(moments, 120))


def test_each_owner_has_a_colour_of_its_own_and_none_is_that_of_a_failure() -> None:
    assert set(COLOURS) == set(Owner)
    assert len(set(COLOURS.values())) == len(COLOURS)
    assert not any("red" in colour for colour in COLOURS.values())


def test_without_a_gap_there_is_no_budget() -> None:
    assert lines([]) == []
    assert lines([m for m in call() if m.subject in (ROOM, ADA)]) == []


@given(any_moments(), st.sampled_from(WIDTHS))
def test_any_budget_can_be_shown(moments: list[Moment], width: int) -> None:
    lines(moments, width)
