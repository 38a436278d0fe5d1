"""An agent that speaks, and sends silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import JOB, VOICE
from tests.why.cases import Case, check, found, of_job, timeline, with_facts, without
from tests.why.silent.calls import long_call
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Fact


def spoke(at: float, seconds: float, silent: float = 0.0) -> list[Moment]:
    """The agent spoke for so long, and of its end so many seconds were silence."""
    made = [of_job(Kind.AGENT_SPEAKING, at, {keys.SPOKE_FOR: seconds}, f"spoke-{at}")]
    over = at + seconds * 1000
    told = [of_job(Kind.AGENT_SPEAKS_SILENCE, over + 5, {keys.SILENT_FOR: silent}, f"silent-{at}")] if silent else []
    return [*made, *told]


def voiced(*more: Moment) -> list[Moment]:
    """A call whose session has published its audio."""
    return [*long_call(), *more]


def stopped(at: float, seconds: float, played: float) -> list[Moment]:
    """The agent spoke for so long, of which so much was played when it was interrupted."""
    known: dict[str, Fact] = {keys.TURN_LASTED: seconds + 2.5, keys.PLAYED_FOR: played}
    return [*spoke(at, seconds), of_job(Kind.AGENT_INTERRUPTED, at + seconds * 1000 + 2000, known, f"cut-{at}")]


SPEAKS_SILENCE = (
    Case(
        "the TTS gives zeros",
        "agent-speaks-silence",
        voiced(*spoke(1000, 2.0, 1.9), *spoke(9000, 3.0, 3.0), *spoke(15_000, 0.4)),
        f"The agent of job {JOB} spoke 2 times to ada, and nothing that can be heard left its audio track.",
        ((Kind.AGENT_SPEAKS_SILENCE, JOB), (Kind.AGENT_SPEAKS_SILENCE, JOB)),
    ),
    Case(
        "silent from one time on",
        "agent-speaks-silence",
        voiced(*spoke(1000, 2.0), *spoke(9000, 1.5, 1.5), *spoke(15_000, 2.0, 1.9)),
        f"The agent of job {JOB} spoke to ada, and the last 2 times nothing that can be heard left its audio track.",
        ((Kind.AGENT_SPEAKS_SILENCE, JOB), (Kind.AGENT_SPEAKS_SILENCE, JOB)),
        certain=False,
    ),
    Case(
        "stuck in the middle",
        "agent-speaks-silence",
        voiced(*spoke(1000, 2.0), *spoke(9000, 12.0, 9.0)),
        f"The agent of job {JOB} spoke to ada, and for 9.0 s of it nothing that can be heard left its audio track.",
        ((Kind.AGENT_SPEAKS_SILENCE, JOB),),
        certain=False,
    ),
    Case(
        "what stops is interrupted",
        "agent-speaks-silence",
        voiced(*stopped(1000, 4.0, 1.0), *stopped(9000, 3.5, 0.5), *spoke(20_000, 2.0)),
        f"The agent of job {JOB} spoke to ada, and of 2 of its replies only a part had been played when they were"
        " interrupted: 1.0 s in the 4.0 s for which it spoke.",
        ((Kind.AGENT_SPEAKING, JOB), (Kind.AGENT_INTERRUPTED, JOB)),
        certain=False,
    ),
)


@pytest.mark.parametrize("case", SPEAKS_SILENCE, ids=lambda case: case.label)
def test_it_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


def test_it_is_found_while_the_agent_still_speaks() -> None:
    speaking = of_job(Kind.AGENT_SPEAKING, 1000, occurrence="open")
    silent = of_job(Kind.AGENT_SPEAKS_SILENCE, 4010, {keys.SILENT_FOR: 3.0}, "silent")
    assert found(voiced(speaking, silent)) == ["agent-speaks-silence"]


@pytest.mark.parametrize(
    "moments",
    [
        voiced(*spoke(1000, 2.0)),
        voiced(*spoke(1000, 2.0), *spoke(9000, 6.0, 3.5)),
        without(voiced(*spoke(1000, 2.0, 2.0)), VOICE),
        with_facts(voiced(*spoke(1000, 2.0, 2.0)), Kind.TRACK_PUBLISHED, VOICE, {keys.TRACK_SOURCE: "UNKNOWN"}),
        voiced(*spoke(1000, 2.0, 2.0), of_job(Kind.SESSION_AUDIO_OUTPUT_OFF, 900, occurrence="off")),
        voiced(*spoke(40_000, 2.0, 2.0)),
        voiced(*stopped(1000, 4.0, 1.0), *spoke(9000, 2.0)),
        voiced(*stopped(1000, 4.0, 3.9), *stopped(9000, 3.0, 2.5), *spoke(15_000, 2.0)),
        voiced(*stopped(1000, 4.0, 0.0), *stopped(9000, 3.0, 0.0), *spoke(15_000, 2.0)),
        voiced(*stopped(1000, 4.0, 1.0), *stopped(32_500, 4.0, 1.0)),
        voiced(*stopped(1000, 5.0, 2.4), *stopped(9000, 9.0, 6.4)),
        voiced(*stopped(1000, 4.0, 1.0), of_job(Kind.AGENT_STALLED, 3000, occurrence="loop"), *stopped(9000, 3.0, 0.5)),
    ],
    ids=[
        "heard",
        "a pause",
        "an avatar speaks for it",
        "music",
        "its output is turned off",
        "when the caller has left",
        "one that stopped",
        "interrupted in mid word",
        "an output that does not report what it played",
        "the end of the call",
        "a machine without CPU to spare",
        "a loop that stood still",
    ],
)
def test_what_can_be_heard_elsewhere_or_by_nobody_is_none(moments: list[Moment]) -> None:
    assert found(moments) == []


def test_what_it_said_last_and_once_is_not_known_to_have_been_heard() -> None:
    answer = explain(timeline(voiced(*spoke(1000, 2.0), *spoke(9000, 1.5, 1.5))))
    assert (answer.well, found(voiced(*spoke(1000, 2.0), *spoke(9000, 1.5, 1.5)))) == (None, [])
    assert "when it last spoke to ada, for 1.5 s" in answer.summary
    assert "last spoke" not in explain(timeline(voiced(*spoke(9000, 1.5, 1.5), *spoke(12_000, 2.0)))).summary


def test_of_a_reply_that_could_be_heard_at_first_the_model_whose_words_it_is_may_have_stopped() -> None:
    def advice(*moments: Moment) -> str:
        (finding,) = explain(timeline(voiced(*moments))).findings
        return finding.advice

    assert "LLM whose words it speaks" in advice(*spoke(1000, 2.0), *spoke(9000, 12.0, 9.0))
    assert "LLM" not in advice(*spoke(1000, 2.0), *spoke(9000, 12.0, 12.0))
