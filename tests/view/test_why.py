from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from tests.moments import ABOUT_ADA, ADA, ROOM, _webhook, any_moments, ms
from tests.why.cases import CASES, HOUR, Case, healthy, in_room, lonely, off, timeline, with_facts
from tests.why.test_room_expired import EXPIRED
from tracer import keys
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.view.terminal import TimelineView
from tracer.view.why import MOST_FINDINGS, MOST_STEPS, WhyView, as_json
from tracer.why import explain
from tracer.why.disconnected.removed import Removed

if TYPE_CHECKING:
    from tracer.moment import Moment
    from tracer.timeline.timeline import Timeline

HOSTILE = "\x1b[31mred\x07\u202egnihton [red]markup[/red] :boom: \r\nline\x9b2J \ud83d\udca5 \u2019" + "\u0301" * 30
"""What nobody should be called."""


def printed(view: object, width: int) -> list[str]:
    out = Console(file=io.StringIO(), width=width, color_system=None, highlight=False, markup=False, emoji=False)
    out.print(view)
    text = out.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    return str(text).split("\n")[:-1]


def printed_why(made: Timeline, width: int = 100) -> list[str]:
    return printed(WhyView(made, explain(made)), width)


def case(cause: str) -> Case:
    return next(one for one in CASES if one.cause == cause)


def test_a_cause_with_its_evidence_and_advice() -> None:
    assert printed_why(case("session-closed").timeline) == [
        "room demo  RM_ev5rQjUVknES",
        "✗ The agent's session closed, and its job went on.",
        "",
        "1. The session of job AJ_i9CF closed, and for 3.1 s more ada had an agent in the room that could",
        "  not hear or speak.",
        "     999.5 ms  session closed  source: agent",
        "      6.502 s  job shutting down (AJ_i9CF)  room disconnected  source: agent",
        "   → When the session is over, end the job too (ctx.shutdown()), or start a new session.",
        "   session-closed",
    ]


def test_what_was_before_a_room_has_the_details_of_its_own_room() -> None:
    line = next(line for line in printed_why(EXPIRED[0].timeline) if "room finished" in line)
    assert line.split("  ")[-2] == "empty timeout"


def test_a_call_that_went_well() -> None:
    assert printed_why(timeline(healthy())) == ["room demo  RM_ev5rQjUVknES", "✓ All went well."]


def test_what_is_likely_is_called_so_and_what_is_not_ruled_out_is_listed_with_how_to_find_out() -> None:
    lines = printed_why(timeline(lonely("helper")))
    assert lines[1] == "✗ Probably, no worker was registered for the dispatched agent."
    assert any("(likely, not proven)" in line for line in lines)
    after = lines[lines.index("Not ruled out:") :]
    assert any("tracer.instrument" in line for line in after)
    assert any(line.lstrip().startswith("the worker registered after the dispatch was created: ") for line in after)


def test_of_very_many_the_rest_is_counted() -> None:
    removed = {keys.DISCONNECT_REASON: "PARTICIPANT_REMOVED", keys.PARTICIPANT_KIND: "STANDARD"}
    crowd = [_webhook(Kind.PARTICIPANT_LEFT, f"PA_{n}", 500 + n, removed) for n in range(40)]
    lines = printed_why(timeline([*healthy(), *crowd]))
    assert f"… and {40 - MOST_FINDINGS} more: {40 - MOST_FINDINGS} x removed; --format json has them all" in lines
    deleted = {keys.DISCONNECT_REASON: "ROOM_DELETED", keys.PARTICIPANT_KIND: "STANDARD"}
    crowd = [_webhook(Kind.PARTICIPANT_LEFT, f"PA_{n}", 500 + n, deleted) for n in range(40)]
    lines = printed_why(timeline([*healthy(), *crowd]))
    assert f"   … and {41 - MOST_STEPS} more moments" in lines


def test_an_agents_time_is_shown_by_its_own_clock() -> None:
    one = case("session-closed")
    made = replace(one, moments=off(one.moments, HOUR)).timeline
    assert any(line.lstrip().startswith("1:00:01.000  session closed") for line in printed_why(made))


def test_json_holds_every_field() -> None:
    for one in CASES:
        made = one.timeline
        document = as_json(made, explain(made))
        assert json.loads(json.dumps(document, allow_nan=False)) == document
        assert list(document) == [
            "schema",
            "room",
            "well",
            "summary",
            "advice",
            "listened_until",
            "causes",
            "not_ruled_out",
        ]
        assert (document["schema"], document["room"]) == ("tracer.why/1", {"sid": ROOM, "name": "demo"})
        first = document["causes"][0]
        assert list(first) == ["name", "symptom", "about", "sentence", "certain", "advice", "evidence"]
        assert first["name"] == one.cause
        assert [(step["kind"], step["subject"]) for step in first["evidence"]] == list(one.evidence)
        assert all(
            list(step) == ["kind", "subject", "time", "earliest", "latest", "witnesses", "clock"]
            for step in first["evidence"]
        )


def test_json_of_nothing() -> None:
    made = fold(ROOM, [])
    assert as_json(made, explain(made)) == {
        "schema": "tracer.why/1",
        "room": {"sid": ROOM, "name": None},
        "well": False,
        "summary": "Nothing is known of any agent in this room: no dispatch, job or agent was recorded.",
        "advice": "",
        "listened_until": None,
        "causes": [],
        "not_ruled_out": [],
    }


def harmless(lines: list[str]) -> None:
    for line in lines:
        assert not {char for char in line if ord(char) < 32 or 127 <= ord(char) < 160}
        assert not {char for char in line if char in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200f"}


@pytest.mark.slow
@pytest.mark.parametrize("width", [20, 80])
def test_no_name_is_acted_on_by_a_terminal(width: int) -> None:
    def named(moments: list[Moment] | None) -> list[Moment] | None:
        """With what people and code choose themselves."""
        return moments and [
            replace(m, facts=tuple((k, HOSTILE + str(v) if keys.is_personal(k) else v) for k, v in m.facts))
            for m in moments
        ]

    for one in CASES:
        shown = timeline(named(one.moments) or [], one.workers, earlier=named(one.earlier), later=named(one.later))
        lines = printed_why(shown, width)
        harmless(lines)
        assert all(cell_len(line) <= width for line in lines), one.label


def test_an_agent_name_in_the_summary_is_harmless_too() -> None:
    named = [replace(m, subject="AD_x") for m in lonely(HOSTILE) if m.kind is Kind.DISPATCH_CREATED]
    made = timeline([*healthy(), *named])
    lines = printed_why(made)
    assert "No agent joined for the dispatch of" in lines[1]
    harmless(lines)


def test_markup_is_text() -> None:
    about = {**ABOUT_ADA, keys.PARTICIPANT_IDENTITY: "[red]:boom:[/red]", keys.DISCONNECT_REASON: "PARTICIPANT_REMOVED"}
    lines = printed_why(timeline(with_facts(healthy(), Kind.PARTICIPANT_LEFT, ADA, about)))
    assert any(line.startswith("1. The caller [red]:boom:[/red] was removed by an API call,") for line in lines)


@given(any_moments(), any_moments(), any_moments(8), st.integers(20, 200))
def test_anything_fits_any_terminal(
    moments: list[Moment], workers: list[Moment], other: list[Moment], width: int
) -> None:
    made = timeline(moments, workers, earlier=other, later=in_room("RM_after", other), now=ms(100_000))
    lines = printed_why(made, width)
    harmless(lines)
    assert all(cell_len(line) <= width for line in lines)
    json.dumps(as_json(made, explain(made)), allow_nan=False)
    harmless(printed(TimelineView(made), max(width, 60)))


@pytest.mark.slow
def test_every_case_fits_every_terminal_and_no_wider_than_prose_is_read() -> None:
    for one in CASES:
        view = WhyView(one.timeline, one.explanation)
        for width in (20, 80, 200):
            lines = printed(view, width)
            assert all(cell_len(line) <= min(width, 120) for line in lines), (one.label, width)
            assert "".join(f"{one.cause}".split()) in "".join("".join(lines).split()), (one.label, width)


def test_a_cause_of_another_name_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Removed, "advice", "[b]Do[/b] it.")
    made = replace(case("removed").timeline)  # of which nothing was worked out yet
    assert "   → [b]Do[/b] it." in printed(WhyView(made, explain(made)), 80)


def test_who_came_to_the_room_after_it_has_the_name_that_they_have_here() -> None:
    made = case("caller-away").timeline
    assert made.later
    evidence = [step.subject for finding in explain(made).findings for step in finding.evidence]
    assert any(subject in made.later.by_sid for subject in evidence)
    assert not [line for line in printed_why(made) if "PA_" in line.partition("source")[0]]
