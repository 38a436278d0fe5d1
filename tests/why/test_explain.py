from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import AGENT, ROOM, any_moments, call, ms
from tests.why.cases import (
    CASES,
    HOUR,
    Case,
    doubted,
    healthy,
    lonely,
    names,
    observed,
    off,
    registered,
    timeline,
    until,
    without,
)
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.timeline.overdue import expected
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.why import explain

if TYPE_CHECKING:
    import random

    from tracer.moment import Moment
    from tracer.timeline.timeline import Timeline
    from tracer.why import Explanation

OFF = [by * NS_PER_MS for by in (20, 300, 5_000, 30_000)] + [HOUR]
"""How far clocks are off, ns."""


def sure(explanation: Explanation) -> set[str]:
    return {finding.cause.name for finding in explanation.findings if finding.certain}


def label_of(case: Case) -> str:
    return f"{case.cause}: {case.label}"


# Each case against every cause.


def test_a_case_has_one_certain_cause_at_the_most_and_others_only_for_a_reason() -> None:
    for case in CASES:
        explanation = case.explanation
        assert names(explanation)[0] == case.cause, label_of(case)
        assert sure(explanation) - {case.cause} <= case.beside, label_of(case)


def test_evidence_is_of_the_timeline_and_in_order_of_time() -> None:
    for case in CASES:
        made = case.timeline
        neighbours = [step for other in (made.earlier, made.later) if other for step in other.steps]
        known = {*map(id, made.steps), *map(id, neighbours), *(id(step) for w in made.workers for step in w.steps)}
        for finding in case.explanation.findings:
            assert finding.evidence, label_of(case)
            assert {id(step) for step in finding.evidence} <= known, label_of(case)
            assert [step.time for step in finding.evidence] == sorted(step.time for step in finding.evidence), label_of(
                case
            )


# Clocks.


def shifted(case: Case, by: int) -> Case:
    return replace(case, moments=off(case.moments, by), workers=off(case.workers, by))


@pytest.mark.slow
def test_clocks_that_are_20_ms_apart_change_nothing() -> None:
    for case in CASES:
        found = [(f.cause, f.certain) for f in case.explanation.findings]
        for by in (20 * NS_PER_MS, -20 * NS_PER_MS):
            explanation = shifted(case, by).explanation
            assert [(f.cause, f.certain) for f in explanation.findings] == found, (label_of(case), by)


@pytest.mark.slow
@pytest.mark.parametrize("by", [*OFF, *(-by for by in OFF)])
def test_an_agents_clock_that_is_off_makes_no_wrong_cause_certain(by: int) -> None:
    for case in CASES:
        assert sure(shifted(case, by).explanation) - {case.cause} <= case.beside, label_of(case)


def test_where_the_offset_is_proven_the_cause_is_found_all_the_same() -> None:
    offsets = (*OFF, *(-by for by in OFF))
    for number, case in enumerate(c for c in CASES if not c.workers and c.cause != "process-failed"):
        connected = any(m.kind is Kind.AGENT_CONNECTED for m in case.moments)
        if connected and any(m.kind is Kind.PARTICIPANT_JOINING and m.subject == AGENT for m in case.moments):
            found = names(case.explanation)
            for by in (offsets[number % len(offsets)], -offsets[number % len(offsets)]):  # every one, by turns
                assert names(shifted(case, by).explanation) == found, (label_of(case), by)


@pytest.mark.parametrize("moments", [healthy(), observed(healthy())], ids=["all", "observed"])
def test_a_healthy_call_is_healthy_by_any_clock(moments: list[Moment]) -> None:
    for by in (0, *OFF, *(-by for by in OFF)):
        explanation = explain(timeline(off(moments, by), off(registered(), by)))
        assert (names(explanation), explanation.well) == ([], True), by
        assert explanation.summary == "All went well."


def test_evidence_has_the_times_that_were_recorded_though_the_clock_was_corrected() -> None:
    case = next(case for case in CASES if case.cause == "session-closed")
    (finding,) = explain(timeline(off(case.moments, HOUR))).findings
    assert "for 3.1 s more" in finding.sentence
    assert finding.evidence[0].time == ms(1000) + HOUR


# What can be said, and what not.


def test_a_call_of_which_a_part_was_not_listened_to_is_not_known_to_be_well() -> None:
    healthy_one = timeline(healthy(), registered())
    assert explain(healthy_one).well
    away = replace(healthy_one, unheard=((ms(500), ms(500) + 12 * NS_PER_S),))
    explanation = explain(away)
    assert (explanation.findings, explanation.well) == ((), None)
    assert explanation.summary == (
        "Nothing wrong was recorded, but tracer did not listen for 12.0 s while this room was open."
    )


def test_a_call_with_a_dispatch_nobody_answered() -> None:
    explanation = explain(fold(ROOM, call()))
    assert (explanation.findings, explanation.well) == ((), None)
    assert explanation.summary == (
        "No agent joined for the dispatch of 'ghost', and the recorded events don't explain why: the room closed before"
        " its jobs were listed."
    )


@pytest.mark.parametrize(
    ("moments", "now"),
    [
        ([m for m in lonely() if m.time < ms(900)], 1000.7),
        ([m for m in [*lonely(), *until(Kind.JOB_ACCEPTED)] if m.time < ms(900)], 1000.7),
        ([m for m in healthy() if m.time < ms(300)], 1000.7),
    ],
    ids=["asked for", "job offered", "agent joining"],
)
def test_of_a_room_that_is_a_second_old_it_is_too_early_to_say(moments: list[Moment], now: float) -> None:
    explanation = explain(timeline([m for m in moments if m.subject != AGENT], now=ms(now)))
    assert (explanation.findings, explanation.well) == ((), None)
    assert explanation.summary == "It is too early to say: an agent was requested 1.0 s ago."


def test_of_a_job_that_only_the_agent_reports_it_is_too_early_too() -> None:
    told = [
        m for m in healthy() if m.witness != "observer" and m.kind is not Kind.DISPATCH_CREATED and m.subject != AGENT
    ]
    for now, begins in ((1200, "It is too early to say: an agent was requested 1.0 s ago"), (9000, "No agent joined")):
        so_far = [m for m in told if m.time < ms(300)]
        assert explain(timeline(so_far, now=ms(now))).summary.startswith(begins)


def test_while_a_healthy_call_goes_on_nothing_is_found() -> None:
    for seconds in (0.1, 0.25, 0.4, 1.0, 3.0, 4.12, 6.4):
        at = ms(seconds * 1000)
        explanation = explain(timeline([m for m in healthy() if m.latest <= at], registered(), now=at))
        assert explanation.findings == (), seconds
        assert explanation.well in (True, None), seconds
        if seconds in (1.0, 3.0):
            assert explanation.summary == "All is well so far."


ALONE = {"webhooks": ("observer", "agent"), "observer": ("webhook", "agent"), "agent": ("webhook", "observer")}


@pytest.mark.parametrize(
    "moments",
    [
        without(healthy(), *ALONE["webhooks"]),
        without(observed(healthy()), "agent"),
        without(healthy(), *ALONE["agent"]),
    ],
    ids=ALONE,
)
def test_one_witness_alone_claims_nothing_of_a_healthy_call(moments: list[Moment]) -> None:
    explanation = explain(timeline(moments))
    assert (explanation.findings, explanation.well) == ((), None)
    assert explanation.summary.startswith("Nothing wrong was recorded, but ")


@pytest.mark.parametrize("others", ALONE.values(), ids=ALONE)
def test_one_witness_alone_makes_no_wrong_cause_certain(others: tuple[str, str]) -> None:
    for case in CASES:
        alone = replace(case, moments=without(case.moments, *others), workers=without(case.workers, *others))
        assert sure(alone.explanation) - {case.cause} <= case.beside, label_of(case)


@pytest.mark.parametrize("missing", ["webhook", "observer", "agent"])
def test_a_witness_that_is_missing_makes_no_wrong_cause_certain(missing: str) -> None:
    for case in CASES:
        kept = observed(case.moments) if missing == "webhook" else without(case.moments, missing)
        rest = replace(case, moments=kept, workers=without(case.workers, missing))
        assert sure(rest.explanation) - {case.cause} <= case.beside, label_of(case)


def test_of_a_room_that_only_webhooks_told_of_it_is_not_known_whether_anybody_was_asked_for() -> None:
    explanation = explain(timeline([m for m in lonely() if m.witness == "webhook"]))
    assert (explanation.findings, explanation.well) == ((), None)
    assert explanation.summary.startswith("Nothing is known of any agent in this room")


def test_nothing_is_no_cause() -> None:
    explanation = explain(fold(ROOM, []))
    assert (explanation.findings, explanation.doubts, explanation.well) == ((), (), None)


def test_every_single_moment_that_is_missing_makes_no_wrong_cause_certain() -> None:
    for moment in healthy():
        rest = [m for m in healthy() if m != moment]
        wrong = sure(explain(timeline(rest, registered())))
        # Of a job without an end, nobody knows; of a webhook that did not come, all do.
        assert wrong <= {"lost-webhooks"}, (moment.kind, moment.subject, wrong)


def test_the_worst_comes_first_and_what_is_certain_before_what_is_not() -> None:
    mixed = [m for case in CASES for m in case.moments]
    findings = explain(timeline(mixed, [m for case in CASES for m in case.workers])).findings
    order = [(finding.cause.symptom.rank, not finding.certain) for finding in findings]
    assert order == sorted(order)


def test_what_is_certain_leaves_no_doubt_of_the_same_symptom() -> None:
    for case in CASES:
        explanation = case.explanation
        symptoms = {finding.cause.symptom for finding in explanation.findings if finding.certain}
        assert not symptoms & {doubt.cause.symptom for doubt in explanation.doubts}
        assert not {finding.cause for finding in explanation.findings} & {doubt.cause for doubt in explanation.doubts}


def test_a_doubt_says_how_to_find_out() -> None:
    hows = [how for case in CASES for how in doubted(case.explanation).values()]
    assert hows
    assert all(how.startswith(("instrument ", "check ", "look in its log for ")) for how in hows)


def test_a_summary_keeps_the_words_of_the_cause() -> None:
    removed = next(case for case in CASES if case.cause == "removed")
    assert removed.explanation.summary == "Somebody was removed by an API call."
    killed = next(case for case in CASES if case.cause == "process-killed" and not case.certain)
    assert killed.explanation.summary == "Probably, the job process was killed, or crashed."


# Whatever is recorded.


def mixed(moments: list[Moment], workers: list[Moment], earlier: list[Moment], later: list[Moment]) -> Timeline:
    return timeline(moments, workers, earlier=earlier, later=later, now=ms(100_000))


CONFUSED = st.lists(
    st.one_of(
        *(st.sampled_from(case.moments) for case in CASES), *(st.sampled_from(c.workers) for c in CASES if c.workers)
    ),
    max_size=60,
    unique=True,
)
"""Moments of several cases at once."""
ANYTHING = st.one_of(any_moments(), CONFUSED)


@given(ANYTHING, ANYTHING, any_moments(10), any_moments(10), st.integers(0, 2**62))
def test_anything_is_explained(
    moments: list[Moment], workers: list[Moment], earlier: list[Moment], later: list[Moment], now: int
) -> None:
    made = replace(mixed(moments, workers, earlier, later), now=now)
    explanation = explain(made)
    known = [*made.steps, *(step for worker in made.workers for step in worker.steps)]
    known += [step for other in (made.earlier, made.later) if other for step in other.steps]
    for finding in explanation.findings:
        assert finding.evidence
        assert {id(step) for step in finding.evidence} <= {*map(id, known)}
        assert finding.sentence.endswith(".")
    assert explanation.summary
    assert explanation.well is not True or not (explanation.findings or explanation.doubts)
    # A lack that is certain is no good call; that something is late may be a report that was lost.
    lacking = explanation.well is False and explanation.summary.startswith("No cause was found, but")
    assert (explanation.well is False) == bool(explanation.findings or lacking)
    assert not (lacking and "something is missing" in explanation.summary)
    expected(made)


@given(ANYTHING, ANYTHING, st.randoms(use_true_random=False))
def test_the_order_of_moments_changes_nothing(
    moments: list[Moment], workers: list[Moment], chance: random.Random
) -> None:
    before = explain(mixed(moments, workers, [], []))
    shuffled = [*moments, *chance.sample(moments, len(moments) // 2)]
    chance.shuffle(shuffled)
    chance.shuffle(workers)
    after = explain(mixed(shuffled, workers, [], []))
    assert after.summary == before.summary
    assert [(f.cause, f.sentence, f.certain) for f in after.findings] == [
        (f.cause, f.sentence, f.certain) for f in before.findings
    ]
    assert after.doubts == before.doubts


@given(st.sets(st.sampled_from(without(healthy(), "observer"))), st.integers(0, 60_000))
def test_whatever_is_lost_of_a_healthy_call_no_wrong_cause_is_certain(lost: set[Moment], now: float) -> None:
    # What the observer does not see, it sees at its next look.
    rest = [moment for moment in healthy() if moment not in lost]
    rest += [m for m in observed(healthy()) if m.kind in (Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED)]
    assert sure(explain(timeline(rest, registered(), now=ms(6600) + round(now * NS_PER_MS)))) <= {"lost-webhooks"}


def test_to_instrument_is_advised_once() -> None:
    silent = [m for m in healthy() if m.witness != "agent"]
    doubts = explain(timeline(silent)).doubts
    assert len([doubt for doubt in doubts if "instrument" in doubt.how]) == 1
    alone = explain(timeline(lonely())).doubts
    assert len([doubt for doubt in alone if "instrument" in doubt.how]) <= 1


def test_what_can_be_found_out_in_the_same_way_is_one_doubt() -> None:
    for case in CASES:
        hows = [doubt.how for doubt in case.explanation.doubts]
        assert len(set(hows)) == len(hows), case.label
