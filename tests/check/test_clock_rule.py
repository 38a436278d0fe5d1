from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.check.judging import HOUR, judged, sentences, violated
from tests.clocks.test_offsets import connected, exact, joining, offered, shifted
from tests.moments import (
    JOB,
    ROOM,
    call,
    moment,
    ms,
)
from tracer.check import Outcome
from tracer.moment import Kind


@given(st.integers(-20 * HOUR, 20 * HOUR))
def test_an_agents_clock_may_be_off_by_anything(ns: int) -> None:
    checked = judged(*shifted(call(), ns))
    assert not checked.violated
    assert checked.judgements[9].answer is Outcome.HOLDS
    assert checked.judgements[3].answer is Outcome.HOLDS


def test_witnesses_that_differ_as_their_clocks_do_are_no_violation() -> None:
    ended = moment(Kind.JOB_ENDED, JOB, ms(201), ms(6530))
    checked = judged(*shifted(call(), HOUR), ended)
    assert not checked.violated
    (step,) = (step for step in checked.timeline.steps if step.contradicted)
    assert step.kind is Kind.JOB_ENDED
    (sentence,) = (s for s in sentences(checked, 10, Outcome.HOLDS) if "differ" in s)
    assert sentence == f"job {JOB} ended: agent and observer differ, and so do their clocks"


def test_witnesses_of_one_clock_that_differ_are_a_violation() -> None:
    other = moment(Kind.ROOM_CREATED, ROOM, ms(7000), witness="webhook")
    checked = judged(moment(Kind.ROOM_CREATED, ROOM, ms(0), ms(1)), other)
    assert sentences(checked, 10, Outcome.VIOLATED) == [
        "the room was created: observer and webhook cannot both be right, they are 7.0 s apart"
    ]
    same = judged(moment(Kind.ROOM_CREATED, ROOM, ms(0)), moment(Kind.ROOM_CREATED, ROOM, ms(7000)))
    assert "two reports of the observer" in sentences(same, 10, Outcome.VIOLATED)[0]


def test_witnesses_that_cannot_both_be_right_put_nothing_else_out_of_order() -> None:
    checked = judged(*call(), moment(Kind.ROOM_CREATED, ROOM, ms(7000), witness="webhook"))
    (verdict,) = checked.violated
    assert [step.kind for step in verdict.steps] == [Kind.ROOM_CREATED]
    assert checked.judgements[0].answer is Outcome.HOLDS
    assert not any(offset.contradictory for offset in checked.clocks.offsets.values())


def test_a_clock_that_was_set_during_the_call_is_a_violation() -> None:
    first = [offered(200), exact(Kind.JOB_RECEIVED, 200.5), exact(Kind.AGENT_CONNECTING, 210), joining(250)]
    later = [offered(900, "AJ_2"), exact(Kind.JOB_RECEIVED, 600, job="AJ_2")]
    checked = judged(*first, connected(260), *later)
    assert violated(checked) == [10]
    (sentence,) = sentences(checked, 10, Outcome.VIOLATED)
    assert sentence == (
        "no offset of the clock of the agent on vm puts both in order, job AJ_2 was offered before job AJ_2 was "
        f"received and job {JOB} began to connect before agent-{JOB} was JOINING"
    )
    assert checked.judgements[3].answer is not Outcome.VIOLATED, "which of the two is wrong is not known"
