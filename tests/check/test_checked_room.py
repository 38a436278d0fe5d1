from __future__ import annotations

from tests.check.judging import judged, sentences, violated
from tests.clocks.test_offsets import exact
from tests.moments import (
    ABOUT_ADA,
    ABOUT_AGENT,
    ABOUT_ROOM,
    ADA,
    AGENT,
    DISPATCH,
    JOB,
    ROOM,
    call,
    moment,
    ms,
)
from tracer import keys
from tracer.check import Outcome
from tracer.moment import Kind


def test_the_time_between_two_steps_is_in_the_sentence() -> None:
    checked = judged(*call())
    assert f"job {JOB} was accepted 0.8 ms after it was received" in sentences(checked, 3)
    assert f"agent-{JOB} was JOINING 44 ms after job {JOB} began to connect, each by its own clock" in sentences(
        checked, 4
    )


def test_a_violation_says_by_how_much() -> None:
    moments = [
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(5000), ms(5001) - 1, told=ABOUT_ADA),
        moment(Kind.PARTICIPANT_LEFT, ADA, ms(3000), told=ABOUT_ADA),
    ]
    assert sentences(judged(*moments), 2) == ["ada left 2.0 s before ada was JOINING"]


def test_what_could_have_been_at_any_time_hides_nothing() -> None:
    moments = [
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(5000)),
        moment(Kind.PARTICIPANT_JOINED, ADA, ms(0), ms(9000), clock="receiver"),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(0), ms(9000)),
        moment(Kind.PARTICIPANT_LEFT, ADA, ms(3000)),
    ]
    checked = judged(*moments)
    (verdict,) = checked.violated
    assert [step.kind for step in verdict.steps] == [Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_LEFT]
    assert violated(checked) == [2]


def test_within_one_timestamp_the_order_is_inconclusive() -> None:
    moments = [moment(Kind.ROOM_CREATED, ROOM, ms(0), ms(1) - 1), moment(Kind.DISPATCH_CREATED, DISPATCH, ms(0.4))]
    first = judged(*moments).judgements[0]
    assert first.answer is Outcome.INCONCLUSIVE
    (verdict,) = first.verdicts
    assert (
        verdict.sentence
        == f"dispatch {DISPATCH} was created between 0.6 ms before and 0.4 ms after the room was created"
    )
    assert verdict.why == "the times overlap: the time between them is known only to within 1.0 ms"
    assert first.summary == "1 inconclusive"
    later = moment(Kind.PARTICIPANT_JOINING, ADA, ms(2))
    assert judged(*moments, later).judgements[0].summary == "1 passes, 1 inconclusive"


def test_clocks_that_nothing_bounds_leave_it_open() -> None:
    moments = [exact(Kind.JOB_ASSIGNED, 5), moment(Kind.PARTICIPANT_ACTIVE, AGENT, ms(1), told=ABOUT_AGENT)]
    listed = moment(Kind.JOB_OFFERED, JOB, ms(0), told={keys.PARTICIPANT_IDENTITY: "agent-" + JOB})
    (verdict,) = judged(*moments, listed).judgements[7].verdicts
    assert verdict.answer is Outcome.INCONCLUSIVE
    assert verdict.why == "the clock skew of the agent on vm is unknown"


def test_text_from_outside_stays_as_it_came() -> None:
    hostile = "\x1b[31m[bold]ada"
    moments = [
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(5), told={keys.PARTICIPANT_IDENTITY: hostile}),
        moment(Kind.PARTICIPANT_LEFT, ADA, ms(9)),
    ]
    assert hostile in sentences(judged(*moments), 2)[0]


def test_what_one_clock_shows_exactly_is_judged_though_what_lies_between_is_imprecise() -> None:
    joined = ABOUT_ADA
    moments = [
        moment(Kind.ROOM_CREATED, ROOM, ms(0), told=ABOUT_ROOM),
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(8000), told=joined),
        moment(Kind.PARTICIPANT_LEFT, ADA, ms(2000), ms(20_000), ms(9000), told=joined),
        moment(Kind.ROOM_FINISHED, ROOM, ms(3000), told=ABOUT_ROOM),
    ]
    assert 9 in violated(judged(*moments))
