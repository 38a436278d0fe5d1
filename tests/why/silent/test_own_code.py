"""A function tool, on_user_turn_completed or on_enter that does not return."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import AGENT, JOB, _webhook, ms
from tests.why.cases import Case, bob, check, found, of_job, timeline
from tests.why.silent.calls import ask, long_call
from tracer import keys
from tracer.moment import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment

TOOL, TURN, ENTER, EXIT = "function_tool", "on_user_turn_completed", "on_enter", "on_exit"


def code(at: float, until: float | None = None, name: str = TOOL) -> list[Moment]:
    """The agent's own code runs from then, ms, until then."""
    known = {keys.SPAN_NAME: name, **({keys.TOOL_NAME: "look_up"} if name == TOOL else {})}
    made = [of_job(Kind.AGENT_CODE_BEGAN, at, known, f"{name}-{at}")]
    if until is not None:
        made.append(of_job(Kind.AGENT_CODE_RETURNED, until, known, f"{name}-{at}"))
    return made


def speech(at: float, seconds: float | None) -> Moment:
    known = {keys.SPOKE_FOR: seconds} if seconds is not None else {}
    return of_job(Kind.AGENT_SPEAKING, at, known, f"speech-{at}")


def named(*moments: Moment, now: float = 60_000) -> tuple[str, bool] | None:
    findings = explain(timeline([*long_call(), *moments], now=ms(now))).findings
    return (findings[0].cause.name, findings[0].certain) if findings else None


MUSIC = {keys.TRACK_SOURCE: "UNKNOWN"}

OWN_CODE = (
    Case(
        "a tool",
        "own-code-hangs",
        [*long_call(), *ask(3000, 300), *code(3400, 34_140)],
        f"The function tool look_up of job {JOB} did not return, and for 30.7 s ada heard nothing.",
        ((Kind.AGENT_CODE_BEGAN, JOB), (Kind.AGENT_CODE_RETURNED, JOB)),
    ),
    Case(
        "after the caller's turn",
        "own-code-hangs",
        [*long_call(), *code(20_000, name=TURN)],
        f"The on_user_turn_completed of job {JOB} did not return, and for 14.1 s ada heard nothing.",
        ((Kind.AGENT_CODE_BEGAN, JOB),),
    ),
)
HANGS = ("own-code-hangs", True)
LIKELY = ("own-code-hangs", False)


@pytest.mark.parametrize("case", OWN_CODE, ids=lambda case: case.label)
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(
    ("began", "returned", "name", "expected"),
    [
        (5000, 14_900, TOOL, None),  # some seconds, as many tools take
        (5000, 24_900, TOOL, None),
        (5000, 25_100, TOOL, LIKELY),  # it did return
        (25_000, None, TOOL, None),  # the caller left 9 s later
        (23_000, None, TOOL, LIKELY),
        (23_000, None, TURN, HANGS),
        (5000, 14_900, TURN, None),
        (5000, 17_000, TURN, LIKELY),  # the answer waits for it, and the next turn for that
        (12_000, None, TOOL, HANGS),
        (23_000, None, ENTER, None),  # may listen first
        (5000, None, ENTER, LIKELY),
    ],
)
def test_for_how_long(began: float, returned: float | None, name: str, expected: object) -> None:
    assert named(*code(began, returned, name)) == expected


def test_while_it_is_under_way_the_seconds_so_far_are_said() -> None:
    room = [m for m in [*long_call(), *code(4000)] if m.time <= ms(30_000)]
    assert explain(timeline(room, now=ms(13_000))).findings == ()
    [finding] = explain(timeline(room, now=ms(16_000))).findings
    assert finding.sentence.endswith("did not return, and for 12.0 s so far ada heard nothing.")


def test_what_is_said_meanwhile_counts_for_as_long_as_it_takes() -> None:
    assert named(*code(12_000), speech(12_500, 12.0)) is None
    assert named(*code(12_000), speech(12_500, 2.0)) == LIKELY
    assert named(*code(12_000), speech(12_500, None)) is None  # still being said
    assert named(*code(23_000, name=TURN), speech(22_000, 5.0)) is None


def test_a_tool_in_which_the_conversation_goes_on() -> None:
    assert named(*code(5000), *code(5100, name=ENTER), *ask(5200, 200), speech(5500, 2.0)) is None
    assert named(*code(5000), *ask(6000, 200), speech(6500, 2.0)) is None


def test_an_agent_that_has_greeted_may_wait_in_on_enter() -> None:
    assert named(*code(2000, name=ENTER), speech(2500, 2.0)) is None


def test_a_tool_that_plays_something_or_has_company() -> None:
    music = _webhook(Kind.TRACK_PUBLISHED, "TR_music", 8000, {**MUSIC, keys.PARTICIPANT_ID: AGENT})
    assert named(*code(5000), music) is None
    assert found([*long_call(), *code(5000), *bob(6000, 33_000)]) == []


def test_what_is_asked_ahead_while_a_turn_is_completed_is_not_answered_before_it() -> None:
    assert named(*code(5000, 17_000, TURN), *ask(9000, 200), *ask(13_000, 200)) == LIKELY
    assert named(*code(5000, 17_000, TURN), *ask(9000, 200), speech(9500, 3.0)) is None
    assert named(*code(5000, 27_000, TOOL), *ask(9000, 200), *ask(13_000, 200), speech(17_000, 2.0)) is None


def test_an_agent_that_does_not_leave_its_session_keeps_the_next_from_speaking() -> None:
    assert named(*code(10_000, name=EXIT)) == HANGS
    assert named(*code(10_000, 10_500, name=EXIT)) is None
    assert named(*code(34_120, name=EXIT)) is None  # the caller had left, and the session was closing
