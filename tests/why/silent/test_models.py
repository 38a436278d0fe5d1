from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, JOB, MICROPHONE, _webhook, ms
from tests.why.cases import Case, bob, check, ended_early, error, found, healthy, moved, of_job, timeline, without
from tests.why.silent.calls import CASES, ask, blocked, closed, failure, joins, long_call, speaks
from tracer import keys
from tracer.moment import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment
    from tracer.why import Finding


def of(*moments: Moment, now: float = 60_000) -> Finding | None:
    """What is found in the long call with these moments too."""
    findings = explain(timeline([*long_call(), *moments], now=ms(now))).findings
    assert len(findings) <= 1
    return findings[0] if findings else None


def named(*moments: Moment) -> tuple[str, bool] | None:
    finding = of(*moments)
    return (finding.cause.name, finding.certain) if finding else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


def turn(at: float) -> list[Moment]:
    """A turn that goes well."""
    return [*ask(at, 300), *speaks(at + 700)]


# A model that fails.


@pytest.mark.parametrize("span", ["llm_node", "tts_node", "agent_turn"])
def test_a_failure_that_the_next_answer_makes_good(span: str) -> None:
    assert named(*failure(5000, span), *turn(6000)) is None
    assert named(*failure(5000, span), *turn(12_000)) is None
    assert named(*failure(5000, span), *turn(14_000)) == ("model-failed", False)  # 9 s of silence
    assert named(*turn(4000), *failure(5000, span)) == ("model-failed", True)


@pytest.mark.parametrize("span", ["llm_request", "llm_request_run", "tts_request", "stt_request"])
def test_a_request_that_fails_alone_is_tried_again_or_something_elses(span: str) -> None:
    assert named(*turn(4000), *failure(5000, span)) is None


def test_in_node_the_last_try_fails_and_the_turn_ends_without_an_answer() -> None:
    def unanswered(at: float) -> Moment:
        return of_job(Kind.MODEL_GAVE_NO_ANSWER, at, occurrence=f"turn@{at}")

    tried = failure(5000, "llm_request_run")
    assert named(*turn(4000), *tried, unanswered(5001)) == ("model-failed", True)
    assert named(*turn(4000), *tried, unanswered(5001), *turn(7000)) is None
    assert named(*turn(4000), *tried, unanswered(9000), *turn(9500)) is None  # another turn's, which was interrupted


@pytest.mark.parametrize(("at", "expected"), [(31_000, ("model-failed", True)), (31_200, None), (34_090, None)])
def test_what_fails_as_the_caller_leaves_is_nothing(at: float, expected: object) -> None:
    assert named(*turn(4000), *failure(at)) == expected


def test_what_fails_when_nobody_is_there_is_nothing() -> None:
    assert named(*turn(4000), *failure(34_130)) is None
    assert found([*without(long_call(), ADA, MICROPHONE), *failure(5000)]) == []


def test_a_voice_that_fails_is_not_good_again_with_the_next_text() -> None:
    finding = of(
        *turn(3000), *ask(9000, 200), *failure(9500, "tts_node"), *ask(12_000, 200), *failure(12_500, "tts_node")
    )
    assert finding
    assert (finding.cause.name, finding.certain) == ("model-failed", True)
    assert finding.sentence.startswith(
        "The agent's TTS failed 2 times (APIConnectionError: the model is away), and for 25.1 s"
    )


def test_who_waits_has_waited_since_the_model_was_asked() -> None:
    tried = [*turn(4000), *ask(27_000, 200), *failure(32_000, "tts_node")]
    finding = of(*tried)
    assert finding
    assert "and for 7.1 s ada had no answer" in finding.sentence
    assert named(*turn(4000), *ask(30_000, 200), *speaks(30_300), *failure(32_000, "tts_node")) is None
    assert named(*turn(4000), *ask(9000, 200), *failure(16_000, "tts_node"), *turn(17_000)) is None


def test_an_apology_of_the_agents_own_is_not_an_answer() -> None:
    twice = [*failure(5000), *speaks(5100), *failure(9000), *speaks(9100)]
    assert named(*twice) == ("model-failed", False)
    assert named(*twice, *turn(12_500)) is None
    assert named(*failure(5000), *speaks(5100)) is None


def died(at: float, kind: str, *moments: Moment) -> list[Moment]:
    return [*closed(long_call(), at, "error", {keys.ERROR_TYPE: kind}), *moments]


@pytest.mark.parametrize(
    ("kind", "model"),
    [("stt_error", "STT"), ("tts_error", "TTS"), ("realtime_model_error", "realtime model"), ("other_error", "model")],
)
def test_a_session_that_closed_for_an_error_names_the_model(kind: str, model: str) -> None:
    (finding,) = explain(timeline(died(9000, kind))).findings
    assert finding.sentence.startswith(
        f"The agent's {model} failed ({kind}), and the session of job {JOB} closed for it"
    )
    assert finding.certain


def test_a_session_that_closed_for_an_error_is_replaced_or_not() -> None:
    again = [of_job(kind, 9500, occurrence="another") for kind in (Kind.SESSION_STARTING, Kind.SESSION_STARTED)]
    assert found(died(9000, "llm_error", *again)) == []
    late = [moved(m, 12_500) for m in again]
    (finding,) = explain(timeline(died(9000, "llm_error", *late))).findings
    assert (finding.cause.name, finding.certain) == ("model-failed", False)


def test_an_agent_that_ends_its_job_after_an_error_failed_all_the_same() -> None:
    ended = [m for m in ended_early(3000, "the session failed") if m.kind is not Kind.SESSION_CLOSED]
    recorded = closed(ended, 2990, "error", {keys.ERROR_TYPE: "llm_error"})
    (finding,) = [f for f in explain(timeline(recorded)).findings if f.cause.name == "model-failed"]
    assert finding.sentence.endswith(f"the session of job {JOB} closed for it while ada was there.")


def test_who_joins_later_finds_nothing_either() -> None:
    first = [moved(m, 30_000) if m.time > ms(6000) else m for m in healthy()]
    recorded = closed([*first, *joins(7000, 25_000)], 4160, "error", {keys.ERROR_TYPE: "llm_error"})
    assert found(recorded) == ["model-failed"]


# on_enter.


RAISED = failure(400, "on_enter", error("KeyError", "'name'"))


def test_an_on_enter_that_had_greeted_raised_too_late_to_matter() -> None:
    assert named(*RAISED, *speaks(395)) is None
    assert named(*RAISED, *speaks(500)) is None
    assert named(*RAISED, *turn(6000)) is None
    assert named(*RAISED, *turn(12_000)) == ("on-enter-raised", False)


def test_an_on_enter_that_raises_because_the_call_ends_is_nothing() -> None:
    assert named(*turn(4000), *failure(34_120, "on_enter")) is None


def test_a_turn_whose_hook_raised_is_nothing_where_the_next_is_answered() -> None:
    raised = failure(5000, "on_user_turn_completed", error("KeyError", "'customer'"))
    assert named(*turn(2000), *raised) == ("on-turn-raised", True)
    assert named(*turn(2000), *raised, *turn(8000)) is None
    assert named(*turn(2000), *raised, *turn(14_000)) == ("on-turn-raised", False)
    assert named(*turn(2000), *failure(32_000, "on_user_turn_completed")) is None  # the caller left then


def test_an_answer_that_was_made_ahead_of_a_turn_that_raised_is_none() -> None:
    raised = [failure(at + 100, "on_user_turn_completed", error("KeyError", "'customer'")) for at in (5000, 12_000)]
    ahead = [*ask(5000, 300), *ask(12_000, 300)]
    assert named(*turn(2000), *ahead, *raised[0], *raised[1]) == ("on-turn-raised", True)
    assert named(*turn(2000), *ahead, *raised[0]) is None  # the second turn was answered


# A model that is silent.


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        (ask(10_000, given_up=7900), None),
        (ask(10_000, given_up=8100), ("model-silent", True)),
        (ask(10_000, 9900), None),  # slow, and it came
        (ask(10_000, 12_000), ("model-silent", False)),
        ([*ask(10_000, given_up=9000), *speaks(13_000)], None),  # the agent said something meanwhile
        ([*ask(31_000, given_up=3150)], None),  # then the caller left
        ([m for at in range(10_000, 30_000, 2000) for m in ask(at, given_up=1)], None),  # a node that declines
        ([m for at in range(10_000, 30_000, 2000) for m in [*ask(at, given_up=1500), *speaks(at + 800)]], None),
        ([*(m for at in range(10_000, 30_000, 2000) for m in ask(at, given_up=1500)), *turn(30_000)], None),
        ([of_job(Kind.MODEL_ASKED, 10_000, error("ToolError", "no"), "ask")], None),
    ],
    ids=[
        "given up after 7.9 s",
        "after 8.1 s",
        "answered after 9.9 s",
        "after 12 s",
        "spoke meanwhile",
        "the caller left",
        "declines to answer",
        "interrupted while it spoke",
        "a caller who talks for long, and is answered",
        "a tool said no",
    ],
)
def test_a_model_that_is_given_time(moments: list[Moment], expected: object) -> None:
    assert named(*moments) == expected


def test_while_the_event_loop_stands_still_no_model_can_answer() -> None:
    stood = [m for at in (10_500, 13_000, 15_500) for m in blocked(at, 2.4)]
    answer = explain(timeline([*long_call(), *ask(10_000, given_up=9900), *stood]))
    assert [one.cause.name for one in answer.findings] == ["event-loop-blocked"]


def test_while_the_call_goes_on_it_is_said_for_how_long_so_far() -> None:
    going_on = [m for m in long_call() if m.time < ms(30_000)]
    waits = [m for at in range(5000, 19_000, 2000) for m in ask(at, given_up=1900)]
    (finding,) = explain(timeline([*going_on, *waits], now=ms(20_000))).findings
    assert "asked 7 times, and gave no answer for at least 13.9 s, while ada waited" in finding.sentence
    (finding,) = explain(timeline([*going_on, *ask(5000)], now=ms(20_000))).findings
    assert "asked once, and gave no answer for 15.0 s so far, while ada waited" in finding.sentence


def test_where_the_sessions_end_is_missing_the_answer_may_be_too() -> None:
    kept = [one for one in [*long_call(), *ask(10_000, given_up=8100)] if one.kind is not Kind.SESSION_CLOSED]
    finding = explain(timeline(kept, now=ms(60_000))).findings[0]
    assert (finding.cause.name, finding.certain) == ("model-silent", False)


def test_a_session_of_text_has_no_voice() -> None:
    texts = [*ask(5000, 300), *ask(15_000, 300)]
    assert doubted(*texts) == ["model-silent"]
    assert explain(timeline(without([*long_call(), *texts], Kind.SESSION_AUDIO_PUBLISHED))).doubts == ()
    assert doubted(*texts, *speaks(6000)) == []
    assert doubted(*ask(5000, 300)) == []  # a tool takes long, or there was nothing to say


def test_that_nothing_of_an_agents_voice_was_recorded_is_no_proof_that_it_was_silent() -> None:
    answered = explain(timeline([*long_call(), *ask(5000, 300), *ask(15_000, 300)]))
    assert (answered.findings, answered.well) == ((), None)
    assert answered.summary.endswith("a model answered, and in 28.8 s no word of the agent was recorded.")
    (doubt,) = answered.doubts
    assert "its LLM answered 2 times, and in 28.8 s no agent_speaking was recorded" in doubt.how


def doubted(*more: Moment) -> list[str]:
    """The causes that cannot be ruled out of a long call with these moments, in which none was found."""
    explained = explain(timeline([*long_call(), *more]))
    assert explained.findings == ()
    return [doubt.cause.name for doubt in explained.doubts]


def test_of_two_callers_the_one_who_stays_waited() -> None:
    assert named(*bob(1000, 3000), *ask(2000, given_up=9000)) == ("model-silent", True)
    gone = _webhook(Kind.PARTICIPANT_LEFT, ADA, 6000, {keys.DISCONNECT_REASON: "CLIENT_INITIATED"})
    early = [m for m in long_call() if (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, ADA)]
    assert "model-silent" not in found([*early, gone, *ask(2000, given_up=9000)])


def test_an_answer_of_text_that_is_not_complete_yet_may_have_begun() -> None:
    going_on = [m for m in long_call() if m.time < ms(30_000)]
    text = without([*going_on, *ask(5000)], Kind.SESSION_AUDIO_PUBLISHED)
    assert explain(timeline(text, now=ms(20_000))).findings == ()


def test_a_greeting_that_fails_after_a_hand_over_is_missed_though_the_first_agent_spoke() -> None:
    changed = of_job(Kind.SESSION_AGENT_CHANGED, 7000, occurrence="handed over")
    raised = failure(7100, "on_enter", error("ValueError", "no prompt"))
    assert named(*turn(5000), changed, *raised) == ("on-enter-raised", True)
    assert named(*turn(5000), changed, *speaks(7050), *raised) is None


def test_who_speaks_again_does_not_make_the_answer_before_heard() -> None:
    """Their next turn asks the model anew; the agent's own tool would too, with nobody speaking between."""
    spoke = of_job(Kind.SESSION_CALLER_SPOKE, 14_000, {keys.SPOKE_FOR: 1.5}, "again")
    live = [m for m in long_call() if m.time < ms(34_000)]
    greeted = of_job(Kind.AGENT_SPEAKING, 1700, {keys.SPOKE_FOR: 1.0}, "greeted")
    waits = [*live, *ask(1500, answered=100), greeted, *ask(3000, answered=200)]
    again = explain(timeline([*waits, spoke, *ask(16_000)], now=ms(17_000)))
    assert "a model answered, and in 13.8 s no word of the agent was recorded" in again.summary
    assert "a model answered" not in explain(timeline([*waits, *ask(16_000)], now=ms(17_000))).summary
