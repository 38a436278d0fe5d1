from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tests.check.judging import judged, swapped, violated
from tests.moments import ADA, JOB, any_moments, call, moment, ms
from tracer import keys
from tracer.check import RULES, Outcome, check
from tracer.moment import Kind
from tracer.service.replay import timelines

if TYPE_CHECKING:
    import random

    from tracer.moment import Moment


def test_the_rules_are_numbered_named_and_described() -> None:
    assert [rule.number for rule in RULES] == list(range(1, 11))
    assert len({rule.name for rule in RULES}) == 10
    for rule in RULES:
        assert type(rule).__doc__
        assert rule.name.replace("-", "").isalpha()
        assert len(rule.sentence) <= 50, "it must fit beside its count in 80 columns"


def test_a_true_call_holds() -> None:
    checked = judged(*call())
    assert [j.answer for j in checked.judgements] == [Outcome.HOLDS] * 10
    assert checked.answer is Outcome.HOLDS
    assert not checked.violated


def test_a_recorded_call_holds() -> None:
    with resources.as_file(resources.files("tracer.demo").joinpath("call.jsonl")) as path:
        [timeline] = timelines(path)
    checked = check(timeline)
    assert [j.answer for j in checked.judgements] == [Outcome.HOLDS] * 10, [v.sentence for v in checked.violated]
    inconclusive = [v.sentence for j in checked.judgements for v in j.having(Outcome.INCONCLUSIVE)]
    assert len(inconclusive) <= 6, inconclusive


def test_without_moments_every_rule_is_inconclusive() -> None:
    checked = judged()
    assert checked.answer is Outcome.INCONCLUSIVE
    assert all(j.summary.startswith("inconclusive: ") for j in checked.judgements)
    assert checked.clocks.offsets == {}


def test_nothing_fails_by_what_came_of_a_job_whose_spans_were_lost() -> None:
    wrong = swapped(call(), (Kind.JOB_RECEIVED, JOB), (Kind.JOB_ENTRYPOINT_STARTED, JOB))
    known = {keys.SPANS_FIRST: 3, keys.SPANS_LAST: 9}
    numbered = moment(Kind.JOB_SPANS_REPORTED, JOB, ms(900), witness="agent", occurrence="a-process", told=known)
    assert violated(judged(*wrong)) == [3]
    lost = judged(*wrong, numbered)
    assert violated(lost) == []
    assert f"spans of job {JOB} were lost on their way" in {v.why for v in lost.judgements[2].verdicts}
    other = moment(Kind.JOB_SPANS_REPORTED, "AJ_2", ms(900), witness="agent", occurrence="a-process", told=known)
    assert violated(judged(*wrong, other)) == [3]


def test_where_spans_were_lost_what_others_reported_still_fails() -> None:
    wrong = swapped(call(), (Kind.PARTICIPANT_JOINING, ADA), (Kind.PARTICIPANT_LEFT, ADA))
    known = {keys.SPANS_FIRST: 3, keys.SPANS_LAST: 9}
    numbered = moment(Kind.JOB_SPANS_REPORTED, JOB, ms(900), witness="agent", occurrence="a-process", told=known)
    assert violated(judged(*wrong, numbered)) == violated(judged(*wrong)) == [2, 10]


def test_without_an_agents_witness_its_rules_are_inconclusive() -> None:
    answers = [j.answer for j in judged(*(m for m in call() if m.witness != "agent")).judgements]
    assert Outcome.VIOLATED not in answers
    assert answers[2] is answers[3] is answers[4] is Outcome.INCONCLUSIVE


def test_redacted_moments_hide_identities_and_nothing_is_violated() -> None:
    assert not judged(*(m.redacted() for m in call())).violated


@given(any_moments(), st.randoms(use_true_random=False))
def test_any_moments_are_judged_alike_in_any_order(moments: list[Moment], chance: random.Random) -> None:
    other = list(moments)
    chance.shuffle(other)
    first, second = judged(*moments), judged(*other)
    assert [j.summary for j in first.judgements] == [j.summary for j in second.judgements]
    assert [v.sentence for v in first.violated] == [v.sentence for v in second.violated]


@given(st.lists(st.sampled_from(call()), unique=True))
def test_no_part_of_a_true_call_is_a_violation(moments: list[Moment]) -> None:
    assert [v.sentence for v in judged(*moments).violated] == []
