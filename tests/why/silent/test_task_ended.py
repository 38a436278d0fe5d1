from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, JOB, MICROPHONE, ms
from tests.why.cases import Case, check, error, names, of_job, timeline, with_facts, without
from tests.why.silent.calls import ask, closed, failure, long_call, speaks
from tracer import keys
from tracer.kinds import Kind
from tracer.why import explain
from tracer.why.call import Call
from tracer.why.served import lacks

if TYPE_CHECKING:
    from tracer.moment import Fact, Moment
    from tracer.why import Explanation

NO_KEY = error("ValueError", "no key")


def ended(at: float, task: str = "stt_node", attributes: dict[str, Fact] | None = None) -> list[Moment]:
    """A task of the session ended, with an error or without."""
    return [of_job(Kind.SESSION_TASK_ENDED, at, {keys.TASK: task, **(attributes or {})}, f"{task}-{at}")]


def says(at: float, seconds: float = 3.0) -> list[Moment]:
    """The caller speaks, by the session's VAD."""
    return [of_job(Kind.SESSION_CALLER_SPOKE, at, {keys.SPOKE_FOR: seconds}, f"said-{at}")]


def understood(began: float, over: float) -> list[Moment]:
    """A turn of the caller's was transcribed, from its beginning to its end."""
    return [of_job(Kind.SESSION_TURN_TRANSCRIBED, over, {keys.TURN_LASTED: (over - began) / 1000}, f"turn-{began}")]


def turn(at: float) -> list[Moment]:
    """The caller speaks, is understood and answered."""
    return [*says(at, 2.0), *understood(at, at + 2800), *ask(at + 2900, 300), *speaks(at + 3500)]


def listens_by(what: str, *moments: Moment) -> list[Moment]:
    """The long call whose session understands its caller by this, with these moments too."""
    made = with_facts(long_call(), Kind.SESSION_STARTING, JOB, {keys.LISTENS_BY: what})
    return [*made, *moments]


def explained(*moments: Moment, now: float = 60_000, by: str = "stt") -> Explanation:
    return explain(timeline(listens_by(by, *moments), now=ms(now)))


def found(*moments: Moment) -> list[tuple[str, bool]]:
    return [(one.cause.name, one.certain) for one in explained(*moments).findings]


SURE = [("session-task-ended", True)]
TASK_ENDED = (
    Case(
        "the stt_node raised",
        "session-task-ended",
        listens_by("stt", *ended(900, attributes=NO_KEY), *speaks(1200), *says(4000), *says(9000)),
        f"The agent's stt_node raised ValueError: no key in job {JOB}, and of what ada said for 6.0 s nothing was"
        " transcribed.",
        ((Kind.SESSION_TASK_ENDED, JOB),),
    ),
    Case(
        "what plays the agent's voice raised",
        "session-task-ended",
        listens_by("stt", *turn(4000), *ended(20_000, "_audio_forwarding_task", NO_KEY)),
        "What plays the agent's voice (livekit-agents' _audio_forwarding_task) raised ValueError: no key in job"
        f" {JOB}, and for 14.1 s ada heard nothing of it.",
        ((Kind.SESSION_TASK_ENDED, JOB),),
    ),
)


@pytest.mark.parametrize("case", TASK_ENDED, ids=lambda case: case.label)
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("task", ["stt_node", "_stt_pump", "_stt_task", "_forward_audio_task"])
def test_a_session_that_no_longer_understands_its_caller_is_found_without_a_word_of_theirs(task: str) -> None:
    assert found(*ended(900, task, NO_KEY)) == SURE
    assert found(*ended(900, task, NO_KEY), *speaks(1200)) == SURE  # the greeting


def test_without_a_vad_an_stt_may_understand_the_caller_all_the_same() -> None:
    broken = ended(900, "_vad_task", NO_KEY)
    assert found(*broken) == [("session-task-ended", False)]
    assert found(*broken, *says(4000), *says(9000)) == SURE
    assert found(*broken, *turn(28_000)) == []
    so_far = [m for m in listens_by("stt", *broken) if m.time < ms(10_000)]
    assert explain(timeline(so_far, now=ms(10_000))).findings == ()


def test_of_a_task_that_nobody_misses_nothing_is_said() -> None:
    for task in ("_text_forwarding_task", "capture_text", "_anything"):
        assert explained(*turn(4000), *ended(8000, task, NO_KEY)).well is True


def test_a_session_that_understands_the_caller_again_is_well() -> None:
    assert explained(*ended(900, attributes=NO_KEY), *turn(4000)).well is True
    assert explained(*turn(4000), *ended(12_000, "_tts_task", NO_KEY), *turn(14_000)).well is True


def test_a_turn_that_was_over_later_had_been_understood_before() -> None:
    heard = [*says(4000, 2.0), *understood(4000, 9000), *ask(6500, 300), *speaks(7000)]
    assert found(*heard, *ended(6000, attributes=NO_KEY), *says(12_000)) == SURE


def test_one_that_ends_without_an_error_matters_where_the_caller_spoke() -> None:
    assert found(*ended(900), *says(4000)) == SURE
    silent = explained(*ended(900))
    assert (silent.findings, silent.well) == ((), None)
    assert "the agent's stt_node ended without an error, and whether it understood ada is not known" in silent.summary
    assert found(*ended(900), *says(4000, 1.0)) == []  # a cough


def test_where_somebody_is_answered_all_the_same_it_is_not_known_what_was_missed() -> None:
    writes = [*ask(5000, 300), *speaks(5600), *ask(9000, 300), *speaks(9600)]
    explanation = explained(*ended(900, attributes=NO_KEY), *writes)
    assert (explanation.findings, explanation.well) == ((), None)
    assert found(*ended(900, attributes=NO_KEY), *writes, *says(12_000)) == SURE


@pytest.mark.parametrize(("at", "expected"), [(31_000, SURE), (31_200, []), (34_090, [])])
def test_what_ends_as_the_caller_leaves_is_nothing(at: float, expected: object) -> None:
    assert found(*turn(4000), *ended(at, attributes=NO_KEY)) == expected


def test_with_its_agent_and_with_its_session_a_task_ends() -> None:
    handed_over = of_job(Kind.SESSION_AGENT_CHANGED, 9000)
    assert found(*turn(4000), *ended(8900, attributes=NO_KEY), handed_over, *says(12_000)) == []
    assert found(*turn(4000), handed_over, *ended(9050), *says(12_000)) == []
    assert found(*turn(4000), handed_over, *ended(9050, attributes=NO_KEY), *says(12_000)) == SURE  # the next agent's
    shut = closed(listens_by("stt", *turn(4000), *ended(8900, attributes=NO_KEY)), 9000, "user_initiated")
    assert "session-task-ended" not in names(explain(timeline(shut)))


def test_the_error_of_a_model_is_told_by_its_own_cause() -> None:
    failed = [*failure(20_000), *ended(20_001, "_llm_inference_task", NO_KEY)]
    assert found(*turn(4000), *failed) == [("model-failed", True)]


def test_nobody_misses_a_task_when_nobody_is_there() -> None:
    alone = [*without(long_call(), ADA, MICROPHONE), *ended(900, attributes=NO_KEY)]
    assert "session-task-ended" not in names(explain(timeline(alone)))


# What the caller says, and nobody transcribes.


def test_a_caller_of_whom_nothing_was_transcribed_is_not_well() -> None:
    explanation = explained(*speaks(1200), *says(4000), *says(9000))
    assert (explanation.findings, explanation.well) == ((), None)
    assert "ada spoke for 6.0 s, and nothing of it was transcribed" in explanation.summary
    assert explained(*speaks(1200), *says(4000, 1.0)).well is True


def test_one_who_was_understood_before_and_then_no_more() -> None:
    explanation = explained(*turn(4000), *says(12_000), *says(18_000))
    assert "ada spoke for 6.0 s, and nothing more of it was transcribed" in explanation.summary
    assert explained(*turn(4000), *says(12_000, 4.0)).well is True


def test_one_who_speaks_again_and_waits_in_vain_was_not_understood() -> None:
    answered = [*understood(4000, 6800), of_job(Kind.AGENT_SPEAKING, 7500, {keys.SPOKE_FOR: 2.0}, "speech")]
    twice = [*answered, *says(12_000, 1.2), *says(19_000, 1.2)]
    assert "ada spoke for 2.4 s, and nothing more of it was transcribed" in explained(*twice).summary
    assert explained(*twice, *speaks(21_000)).well is True
    assert explained(*answered, *says(26_000, 1.2), *says(29_000, 1.2)).well is True  # and hangs up


def test_words_that_came_and_no_turn_that_was_over() -> None:
    over = "ada spoke for 6.0 s, and no turn of theirs was over"
    assert over in explained(*says(4000), *ask(7000, 200), *says(9000)).summary
    last = of_job(Kind.SESSION_TURN_TRANSCRIBED, 34_150, {keys.TURN_LASTED: 30.0}, "turn-at-last")
    assert over in explained(*says(4000), *says(9000), last).summary


def test_speech_without_a_pause_may_be_noise() -> None:
    began = of_job(Kind.SESSION_CALLER_SPOKE, 4000, occurrence="speech")
    explanation = explained(began)
    assert explanation.well is None
    assert "by its session ada spoke for 30.1 s without a pause, and it did not answer" in explanation.summary
    assert explained(began, *turn(20_000)).well is True


def test_what_is_said_while_the_agent_speaks_may_be_ignored() -> None:
    agent = of_job(Kind.AGENT_SPEAKING, 3500, {keys.SPOKE_FOR: 9.0}, "speech")
    assert explained(agent, *says(4000), *says(8000)).well is True


@pytest.mark.parametrize("by", ["realtime", "nothing"])
def test_a_session_without_an_stt_transcribes_nothing(by: str) -> None:
    assert explained(*speaks(1200), *says(4000), *says(9000), by=by).well is True
    assert explain(timeline([*long_call(), *speaks(1200), *says(4000)])).well is True  # not known


def test_an_agent_that_it_was_handed_over_to_may_have_no_stt() -> None:
    assert explained(of_job(Kind.SESSION_AGENT_CHANGED, 3000), *says(4000), *says(9000)).well is True


def test_while_the_call_goes_on_the_words_may_still_come() -> None:
    there = without(listens_by("stt", *speaks(1200), *says(10_000)), Kind.SESSION_CLOSED)
    there = [m for m in there if m.time < ms(14_000)]
    assert explain(timeline(there, now=ms(14_000))).well is True
    assert explain(timeline(there, now=ms(16_100))).well is None


def test_an_agent_whose_every_answer_is_not_said_is_not_well_however_often_it_is_asked() -> None:
    silent = [m for at in (4000, 12_000, 20_000, 30_500) for m in turn(at) if m.kind is not Kind.AGENT_SPEAKING]
    explanation = explained(*silent)
    assert explanation.well is None
    [lack] = lacks(Call(timeline(listens_by("stt", *silent))))
    assert lack.sentence == "a model answered, and in 26.9 s no word of the agent was recorded"
    assert lacks(Call(timeline(listens_by("stt", *silent, *speaks(34_000))))) == []


def test_words_of_the_caller_show_that_an_older_agent_heard_them() -> None:
    older = (Kind.SESSION_WAITING_FOR_AUDIO, Kind.SESSION_AUDIO_RECEIVED)
    assert "nothing shows that an agent heard ada" in explain(timeline(without(listens_by("stt"), *older))).summary
    assert explain(timeline(without(listens_by("stt", *turn(4000)), *older))).well is True
