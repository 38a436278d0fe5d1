from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.moments import ADA, JOB, any_moments, moment, ms
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.timeline.step import Step, merge

if TYPE_CHECKING:
    import random


def one(*moments: Moment) -> Step:
    (step,) = merge(moments)
    return step


def test_two_witnesses_narrow_each_other() -> None:
    step = one(
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(0), ms(97), witness="webhook", clock="receiver"),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(90), ms(104), ms(97)),
    )
    assert (step.earliest, step.latest) == (ms(90), ms(97))
    assert step.witnesses == ("observer", "webhook")
    assert not step.contradicted
    assert step.uncertainty == (ms(97) - ms(90) + 1) // 2


def test_the_narrowest_witness_tells_the_time_and_the_clock() -> None:
    step = one(
        moment(Kind.JOB_OFFERED, JOB, ms(200), ms(300), ms(250), witness="agent", clock="agent"),
        moment(Kind.JOB_OFFERED, JOB, ms(201)),
    )
    assert (step.time, step.clock, step.uncertainty) == (ms(201), "server", 0)


def test_the_time_is_moved_into_what_all_witnesses_leave_open() -> None:
    step = one(
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(10), ms(20), ms(20)),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(0), ms(15), ms(5), witness="webhook"),
    )
    assert (step.earliest, step.time, step.latest) == (ms(10), ms(15), ms(15))


def test_witnesses_without_a_common_instant_are_a_finding_and_never_an_average() -> None:
    step = one(
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(0), ms(10), witness="webhook"),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(50), ms(55)),
    )
    assert step.contradicted
    assert (step.earliest, step.time, step.latest) == (ms(50), ms(55), ms(55))


def test_what_a_later_moment_knows_counts() -> None:
    step = one(
        moment(Kind.JOB_OFFERED, JOB, ms(1), told={keys.JOB_STATUS: "JS_PENDING", keys.WORKER_ID: "AW_1"}),
        moment(Kind.JOB_OFFERED, JOB, ms(1), ms(2), told={keys.JOB_STATUS: "JS_RUNNING"}),
    )
    assert step.facts == {keys.JOB_STATUS: "JS_RUNNING", keys.WORKER_ID: "AW_1"}


def test_two_sessions_of_one_job_are_two_steps() -> None:
    steps = merge(moment(Kind.SESSION_STARTED, JOB, ms(at), occurrence=which) for at, which in ((1, "a"), (9, "b")))
    assert {(step.occurrence, step.time) for step in steps} == {("a", ms(1)), ("b", ms(9))}


def test_equally_narrow_witnesses_that_contradict_each_other_are_settled_in_one_way_only() -> None:
    told = [
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(0), ms(10), ms(5)),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(5), ms(15), ms(5)),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(90), ms(100), ms(95)),
    ]
    assert {(one(*order).earliest, one(*order).latest) for order in (told, told[::-1], told[1:] + told[:1])} == {
        (ms(0), ms(10))
    }


@given(any_moments(), st.randoms(use_true_random=False))
def test_merging_knows_no_order_and_no_repetition(moments: list[Moment], chance: random.Random) -> None:
    repeated = [*moments, *chance.sample(moments, len(moments) // 2)]
    chance.shuffle(repeated)
    assert merge(repeated) == merge(moments)


@given(any_moments())
def test_a_step_lies_in_every_interval_that_was_told_unless_contradicted(moments: list[Moment]) -> None:
    for step in merge(moments):
        told = [m for m in moments if (m.kind, m.subject, m.occurrence) == (step.kind, step.subject, step.occurrence)]
        assert step.earliest <= step.time <= step.latest
        assert step.contradicted is (max(m.earliest for m in told) > min(m.latest for m in told))
        if not step.contradicted:
            assert all(m.earliest <= step.earliest <= step.latest <= m.latest for m in told)
