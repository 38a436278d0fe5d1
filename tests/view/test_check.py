from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from rich.cells import cell_len
from rich.console import Console

from tests.clocks.test_offsets import shifted
from tests.moments import ADA, JOB, ROOM, any_moments, call, moment, ms
from tracer import keys
from tracer.check import RoomCheck, check
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.view.check import CheckView


def judged(*moments: Moment) -> RoomCheck:
    return check(fold(ROOM, moments))


def shown(checked: RoomCheck, width: int = 80, *, everything: bool = False, colours: bool = False) -> str:
    file = io.StringIO()
    out = Console(
        file=file,
        width=width,
        force_terminal=colours,
        color_system="truecolor" if colours else None,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    out.print(CheckView(checked, everything=everything))
    return file.getvalue()


def wrong_call() -> list[Moment]:
    """A call in which ada left before she came."""
    moments = [m for m in call() if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, ADA)]
    return [*moments, moment(Kind.PARTICIPANT_LEFT, ADA, ms(-5000), witness="webhook")]


def test_a_line_for_each_rule_and_one_for_each_clock() -> None:
    lines = shown(judged(*call())).splitlines()
    assert lines[0] == f"room demo  {ROOM}"
    assert lines[1].startswith("✓ all 10 rules pass; ")
    assert [line.split()[:2] for line in lines[3:13]] == [["✓", str(number)] for number in range(1, 11)]
    assert lines[5].endswith("4 pass, 1 inconclusive")
    narrow = shown(judged(*call()), 60).splitlines()
    assert narrow[5].endswith("4 of 5 pass")
    assert lines[14:] == [
        "clocks, compared to the server's",
        f"  agent of {JOB}  between 45 ms behind and 0.4 ms ahead",
        "  receiver          between 4.9 s behind and 14 ms ahead",
    ]


def test_what_is_violated_stands_below_with_its_raw_times() -> None:
    text = shown(judged(*wrong_call()))
    assert text.splitlines()[1] == "✗ 10 rules: 1 fails, 9 pass"
    assert "✗ ada left between 5.1 s and 6.0 s before ada was ACTIVE" in " ".join(text.split())
    assert "webhook  server    2025-11-22T19:51:01.000000000Z" in text
    assert "observer receiver  2025-11-22T19:51:06.090000000Z + 14 ms" in text


def test_what_was_not_observed_says_why() -> None:
    text = " ".join(shown(judged(*(m for m in call() if m.witness != "agent"))).split())
    assert "? 3 jobs are received, accepted, assigned, started not observed no agent reported" in text


def test_clock_skew_comes_first() -> None:
    text = shown(judged(*shifted(call(), 3600 * NS_PER_S)))
    assert text.splitlines()[2].startswith(f"! clock skew: agent of {JOB} is between 3,599.955 s and 3,600.000")
    assert "upper bound: #7 job offered before #15 job received" in text


def test_an_unbounded_and_a_contradictory_clock_are_shown() -> None:
    moments = [
        moment(Kind.JOB_OFFERED, JOB, ms(5)),
        moment(Kind.JOB_RECEIVED, JOB, ms(4), witness="agent", clock="agent"),
        moment(Kind.JOB_ENDED, JOB, ms(90), witness="agent", clock="agent"),
        moment(Kind.JOB_ASSIGNED, JOB, ms(80), witness="agent", clock="agent"),
    ]
    assert "at least 1.0 ms behind" in shown(judged(*moments))
    late = moment(Kind.JOB_ENDED, JOB, ms(10))
    text = " ".join(shown(judged(*moments, late)).split())
    assert "at least 70 ms ahead and at least 1.0 ms behind: contradictory" in text
    assert "no offset of the clock" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for moments in (call(), wrong_call(), shifted(call(), 10**15), []):
        checked = judged(*moments)
        for everything in (False, True):
            lines = shown(checked, width, everything=everything).splitlines()
            assert max(map(cell_len, lines)) <= width
            assert all(line == line.rstrip() for line in lines)


def test_names_do_nothing_to_a_terminal() -> None:
    name = "\x1b[31m[bold red]ada\u202e\n👩‍👩‍👧"
    moments = [
        replace(m, facts=tuple((k, name if k == keys.PARTICIPANT_IDENTITY else v) for k, v in m.facts))
        for m in wrong_call()
    ]
    text = shown(judged(*moments), everything=True)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[bold red]ada" in text


def test_colours_are_for_terminals() -> None:
    assert "\x1b[" in shown(judged(*wrong_call()), colours=True)
    assert "\x1b" not in shown(judged(*wrong_call()))


def test_many_are_cut_short_unless_all_are_wanted() -> None:
    moments = [moment(Kind.ROOM_CREATED, ROOM, ms(9000))]
    moments += [moment(Kind.PARTICIPANT_JOINING, f"PA_{n:02}", ms(n)) for n in range(20)]
    assert "… 15 more fail: --all" in shown(judged(*moments))
    assert "--all" not in shown(judged(*moments), everything=True)


def test_details_that_are_not_shown_are_a_word_away() -> None:
    assert shown(judged()).splitlines()[1] == "? 10 rules: 10 inconclusive"
    summary = "✓ all 10 rules pass; 7 of 44 details inconclusive"
    assert shown(judged(*call())).splitlines()[1] == f"{summary} (--all)"
    assert shown(judged(*call()), everything=True).splitlines()[1] == summary


@given(any_moments())
def test_any_moments_are_shown(moments: list[Moment]) -> None:
    checked = judged(*moments)
    for everything in (False, True):
        text = shown(checked, 60, everything=everything)
        assert max(map(cell_len, text.splitlines())) <= 60


def test_what_is_coloured_is_the_mark_and_what_fails() -> None:
    said = shown(judged(*call()), colours=True)
    rules = [line for line in said.splitlines() if " pass" in line][1:]
    assert rules
    for line in rules:
        green = re.findall(r"\x1b\[[\d;]*32m([^\x1b]*)", line)
        assert green == ["✓ "], line
