from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given

from tests.calls.expected import EXPECTED
from tests.moments import JOB, ROOM, any_moments, call, moment, ms
from tests.why.cases import CASES
from tracer import keys
from tracer.moment import Fact, Kind, Moment
from tracer.service.replay import timelines
from tracer.timeline.fold import fold
from tracer.units import FOREVER
from tracer.view.failed import failed_stretches, has_failed
from tracer.view.lanes import Form, lanes
from tracer.why import explain

CALLS = Path(__file__).parents[1] / "calls"


def by_agent(kind: Kind, at: float, told: dict[str, Fact] | None = None, occurrence: str = "x") -> Moment:
    return moment(kind, JOB, ms(at), witness="agent", clock="agent", occurrence=occurrence, told=told)


ERROR: dict[str, Fact] = {keys.ERROR_TYPE: "APIConnectionError"}


def failures(*moments: Moment) -> list[Kind]:
    made = fold(ROOM, moments)
    return [step.kind for step in made.steps if has_failed(made, step)]


def test_in_a_call_that_goes_well_nothing_has_failed() -> None:
    assert failures(*call()) == []


@pytest.mark.parametrize(
    "failed",
    [
        by_agent(Kind.MODEL_FAILED, 1000, ERROR),
        by_agent(Kind.SESSION_CLOSED, 1000, {keys.CLOSE_REASON: "error"}),
        by_agent(Kind.SESSION_STARTING, 1000, ERROR),
        by_agent(Kind.SESSION_AUDIO_FAILED, 1000, ERROR),
        by_agent(Kind.AGENT_CONNECTION_LOST, 1000),
        by_agent(Kind.PROCESS_FAILED, 1000, {keys.EXIT_CODE: -9}),
        by_agent(Kind.JOB_ENDED, 9000, {keys.JOB_STATUS: "JS_FAILED"}),
    ],
    ids=lambda failed: failed.kind.value,
)
def test_what_failed_is_seen(failed: Moment) -> None:
    assert failures(*call(), failed) == [failed.kind]


@pytest.mark.parametrize(
    "healthy",
    [
        by_agent(Kind.SESSION_CLOSED, 1000, {keys.CLOSE_REASON: "participant_disconnected"}),
        by_agent(Kind.MODEL_GAVE_NO_ANSWER, 1000),
        by_agent(Kind.AGENT_RECONNECTING, 1000),
        by_agent(Kind.AGENT_CONNECTION_LOST, 6505),  # the job was shutting down
        moment(Kind.JOB_ENDED, JOB, ms(6505), occurrence="x", told={keys.JOB_STATUS: "JS_FAILED"}),  # only by the API
    ],
    ids=lambda healthy: healthy.kind.value,
)
def test_what_only_looks_like_it_is_not(healthy: Moment) -> None:
    assert failures(*call(), healthy) == []


def stretches(*more: Moment) -> list[tuple[int, int]]:
    made = fold(ROOM, [*call(), *more])
    return failed_stretches(made, made.jobs[0])


def test_a_failure_lasts_until_what_failed_is_back() -> None:
    failed = by_agent(Kind.MODEL_FAILED, 1000, ERROR)
    assert stretches(failed) == [(ms(1000), FOREVER)]
    assert stretches(failed, by_agent(Kind.MODEL_ANSWERED, 2000)) == [(ms(1000), ms(2000))]


def test_after_a_failed_voice_an_answer_is_not_enough() -> None:
    failed = by_agent(Kind.MODEL_FAILED, 1000, {**ERROR, keys.SPAN_NAME: "tts_node"})
    answered, spoke = by_agent(Kind.MODEL_ANSWERED, 1500), by_agent(Kind.AGENT_SPEAKING, 2000)
    assert stretches(failed, answered, spoke) == [(ms(1000), ms(2000))]


def test_a_session_that_closed_for_an_error_is_back_with_the_next() -> None:
    closed = by_agent(Kind.SESSION_CLOSED, 1000, {keys.CLOSE_REASON: "error"})
    assert stretches(closed) == [(ms(1000), FOREVER)]
    assert stretches(closed, by_agent(Kind.SESSION_STARTED, 1500, occurrence="next")) == [(ms(1000), ms(1500))]


def test_a_session_that_left_its_caller_alone_has_failed_where_it_closed() -> None:
    case = next(one for one in CASES if one.cause == "session-closed")
    made = fold(ROOM, case.moments)
    failed = [step.kind for step in made.steps if has_failed(made, step, explain(made).findings)]
    assert failed == [Kind.SESSION_CLOSED]
    assert not any(has_failed(made, step) for step in made.steps)


def test_a_connection_that_was_not_found_again_failed_where_it_was_lost_and_not_where_it_was_given_up() -> None:
    lost, given_up = by_agent(Kind.AGENT_RECONNECTING, 1000), by_agent(Kind.AGENT_CONNECTION_LOST, 5000)
    assert failures(*call(), lost, given_up) == [Kind.AGENT_RECONNECTING, Kind.AGENT_CONNECTION_LOST]
    assert stretches(lost, given_up) == [(ms(1000), FOREVER)]
    back, again = by_agent(Kind.AGENT_RECONNECTED, 1500), by_agent(Kind.AGENT_RECONNECTING, 2000, occurrence="y")
    assert stretches(lost, back, again, given_up) == [(ms(2000), FOREVER)]
    assert stretches(lost, back) == []


@pytest.mark.parametrize(
    ("name", "kind", "back"),
    [
        ("s10_server_restart", Kind.AGENT_RECONNECTING, Kind.AGENT_RECONNECTED),
        ("turn_hangs", Kind.AGENT_CODE_BEGAN, Kind.AGENT_CODE_RETURNED),
        ("made_model_silent", Kind.MODEL_ASKED, Kind.MODEL_ANSWERED),
    ],
)
def test_what_a_certain_finding_rests_on_failed_until_it_was_over(name: str, kind: Kind, back: Kind) -> None:
    made = timelines(CALLS / f"{name}.jsonl.gz")[0]
    findings = explain(made).findings
    assert findings[0].certain
    began = next(step for step in findings[0].evidence if step.kind is kind)
    job = next(job for job in made.jobs if job.sid == began.subject)
    over = next((step.time for step in job.steps if step.kind is back and step.time > began.time), FOREVER)
    assert (began.time, over) in failed_stretches(made, job, findings)
    assert not has_failed(made, began)  # without the finding


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("agent_unsubscribed", Kind.TRACK_UNSUBSCRIBED),  # not certain, and the answer
        ("publish_taken_away", Kind.PARTICIPANT_PERMISSIONS_CHANGED),
        ("ok_push_to_talk", None),
        ("ok_permission_granted_late", None),
        ("unsubscribed_for_a_while", None),
    ],
)
def test_what_was_taken_away_is_red_where_that_left_its_caller_alone(name: str, kind: Kind | None) -> None:
    (made,) = timelines(CALLS / f"{name}.jsonl.gz")
    findings = explain(made).findings
    failed = {step.kind for step in made.steps if has_failed(made, step, findings)}
    assert failed == ({kind} if kind else set())


def test_each_worker_that_rejected_the_job_is_red_where_nobody_took_it() -> None:
    made = timelines(CALLS / "s11_all_reject.jsonl.gz")[-1]
    rejected = [step for step in made.steps if step.kind is Kind.JOB_REJECTED]
    assert len(rejected) == 2
    assert all(has_failed(made, step, explain(made).findings) for step in rejected)
    assert not any(has_failed(made, step) for step in rejected)  # another worker could have taken it


@given(any_moments())
def test_stretches_are_in_order_and_do_not_overlap(moments: list[Moment]) -> None:
    made = fold(ROOM, moments)
    for job in made.jobs:
        found = failed_stretches(made, job)
        assert all(start < end for start, end in found)
        assert all(first[1] <= then[0] for first, then in pairwise(found))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_why_says_first_is_red_in_the_picture_and_what_went_well_is_not(name: str) -> None:
    for made in timelines(CALLS / f"{name}.jsonl.gz"):
        answer = explain(made)
        drawn = lanes(made, answer)
        red = {bar.form for lane in drawn for bar in lane.bars} & {Form.FAILED, Form.MISSING}
        red |= {Form.FAILED for lane in drawn for mark in lane.marks if mark.form == "failed"}
        if answer.well:
            assert not red
        if answer.well is False and not answer.findings:
            assert red, answer.summary
        shown = {lane.id for lane in drawn} | {sid for sid in made.by_sid if sid.startswith(("PA_", "AJ_"))}
        if answer.findings and {step.subject for step in answer.findings[0].evidence[:1]} & shown:
            assert red, answer.summary
