"""An agent that comes to no end of what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import ms
from tests.why.cases import names, of_job, timeline
from tests.why.silent.calls import long_call
from tracer import keys
from tracer.kinds import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Fact, Moment
    from tracer.why import Explanation

LEFT = 34_100
"""When ada leaves, ms."""


def said(at: float, seconds: float | None, cut: str | None = None, played: float | None = None) -> list[Moment]:
    """The agent spoke for so long, and was interrupted, if it was, by this."""
    made = [of_job(Kind.AGENT_SPEAKING, at, {keys.SPOKE_FOR: seconds} if seconds else {}, f"spoke-{at}")]
    if cut is not None and seconds is not None:
        by: dict[str, Fact] = {keys.TURN_LASTED: seconds + 1.5, **({keys.INTERRUPTED_BY: cut} if cut else {})}
        by |= {keys.PLAYED_FOR: played} if played is not None else {}
        made.append(of_job(Kind.AGENT_INTERRUPTED, at + seconds * 1000 + 500, by, f"turn-{at}"))
    return made


def heard(at: float, seconds: float) -> Moment:
    return of_job(Kind.SESSION_CALLER_SPOKE, at, {keys.SPOKE_FOR: seconds}, f"caller-{at}")


def turn(at: float, seconds: float) -> Moment:
    """A turn of the caller's that was over then."""
    return of_job(Kind.SESSION_TURN_TRANSCRIBED, at, {keys.TURN_LASTED: seconds}, f"turn-of-caller-{at}")


def explained(*more: list[Moment], now: int = ms(60_000)) -> Explanation:
    return explain(timeline([*long_call(), *(moment for one in more for moment in one)], now=now))


CUT = [said(at, 1.2, "user_turn", 1.0) for at in (1000, 9000, 15_000)]


AHEAD = [of_job(Kind.AGENT_INTERRUPTED, 34_200 + at, {keys.TURN_LASTED: 33.5 - at}, f"ahead-{at}") for at in range(4)]
"""Answers that were made before the caller's turn was over, and not said."""


def test_when_each_reply_was_interrupted_the_call_is_not_called_well() -> None:
    answer = explained(*CUT, [turn(30_000, 1.0)], said(31_000, 2.5, "user_turn", 2.4))
    assert (names(answer), answer.well) == ([], None)
    assert answer.summary.endswith("but each of the agent's 4 replies was interrupted, the longest after 2.4 s.")
    assert "min_interruption_duration" in answer.advice


def test_of_an_older_agent_it_is_known_how_long_it_spoke() -> None:
    answer = explained(*[said(at, 1.2, "") for at in (1000, 9000, 15_000, 32_000)])
    assert answer.summary.endswith("but each of the agent's 4 replies was interrupted, the longest after 1.2 s.")


def test_an_agent_that_interrupts_itself_is_said_to() -> None:
    answer = explained(*[said(at, 0.2, "programmatic", 0.1) for at in (1000, 9000, 15_000, 32_000)])
    assert "4 replies was interrupted by its own code, the longest" in answer.summary
    assert "session.interrupt()" in answer.advice


@pytest.mark.parametrize(
    "replies",
    [
        [*CUT, said(31_000, 2.0)],
        [said(1000, 2.0), *CUT[1:], said(31_000, 1.0, "user_turn", 0.9)],
        [*CUT[:2], said(31_000, 2.0)],
        [*CUT[:2], said(32_000, 2.0, "programmatic", 1.9)],
        [*CUT, said(33_000, 1.0)],
        [said(1000, 1.0), said(9000, 1.0), said(15_000, 1.0), said(33_500, 0.5, "programmatic", 0.4), AHEAD],
    ],
    ids=[
        "served at last",
        "served at first",
        "two, and served",
        "the third by the end",
        "a goodbye to the end",
        "answers made ahead",
    ],
)
def test_a_caller_who_interrupts_and_is_served_is_served(replies: list[list[Moment]]) -> None:
    assert "interrupted" not in explained(*replies).summary


def test_an_answer_without_an_end_is_not_well() -> None:
    answer = explained(said(1000, 1.0), [turn(3000, 1.0)], said(3500, 31.0, "programmatic", 30.0))
    assert answer.summary.endswith("but the agent spoke without an end for 30.6 s.")
    assert answer.well is None
    assert "max_tokens" in answer.advice


def test_nor_is_one_that_a_caller_speaks_to_in_vain() -> None:
    for words in ([heard(21_000, 1.5), heard(26_000, 1.0)], [turn(23_000, 1.0), turn(28_000, 1.0)]):
        answer = explained(said(1000, 1.0), [turn(17_000, 1.0)], said(18_000, 16.5), words)
        assert answer.summary.endswith("but the agent spoke without an end for 16.1 s, also while ada spoke to it.")


@pytest.mark.parametrize(
    "replies",
    [
        [said(1000, 1.0), said(18_000, 16.5)],
        [said(1000, 32.0)],
        [said(1000, 1.0), said(18_000, 16.5), [heard(21_000, 0.5)]],
        [said(1000, 1.0), said(18_000, 16.5), [turn(18_500, 2.0), turn(23_000, 1.0)]],
        [said(1000, 1.0), said(30_000, 4.5), [heard(30_500, 3.0)]],
    ],
    ids=["hung up on", "long, to its end", "one word", "a turn of before, and one", "at the end"],
)
def test_a_long_answer_is_no_endless_one(replies: list[list[Moment]]) -> None:
    assert "without an end" not in explained(*replies).summary


@pytest.mark.parametrize(("now", "told"), [(50_000, False), (63_000, True)])
def test_while_a_call_goes_on_a_long_answer_has_more_time(now: float, told: bool) -> None:
    going_on = [m for m in long_call() if m.time < ms(LEFT)]
    answer = explain(timeline([*going_on, *said(1000, None)], now=ms(now)))
    assert ("spoke without an end for 62.0 s" in answer.summary) is told


@pytest.mark.parametrize(("now", "told"), [(34_000, True), (39_500, False)])
def test_that_a_reply_was_interrupted_is_reported_a_little_later_than_it_was_over(now: float, told: bool) -> None:
    going_on = [m for m in long_call() if m.time < ms(LEFT)]
    replies = [moment for one in (*CUT, said(32_000, 1.5)) for moment in one]
    answer = explain(timeline([*going_on, *replies], now=ms(now)))
    assert ("each of the agent's 3 replies" in answer.summary) is told
