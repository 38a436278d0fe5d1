from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given

from tests.moments import (
    ABOUT_ADA,
    ABOUT_AGENT,
    ABOUT_JOB,
    ADA,
    AGENT,
    DISPATCH,
    JOB,
    ROOM,
    WAIT,
    WORKER,
    _webhook,
    any_moments,
    call,
    moment,
    ms,
)
from tests.why.cases import (
    CASES,
    IN_CALL,
    LEFT,
    healthy,
    in_room,
    lonely,
    never_active,
    of_job,
    offered,
    refused,
    registered,
    second_agent,
    timeline,
    until,
    with_facts,
    without,
)
from tracer import keys
from tracer.moment import Kind, facts
from tracer.timeline.fold import fold
from tracer.timeline.overdue import Missing, expected
from tracer.units import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Moment


def missing(moments: Iterable[Moment], now: float) -> list[Missing]:
    """What is missing at a time, ms, of what was told by then."""
    return expected(timeline([m for m in moments if m.time <= ms(now)], registered(), now=ms(now)))


def unlisted(last: Kind) -> list[Moment]:
    """The job until this kind, as the agent reports it: the API does not list it yet."""
    return [m for m in until(last) if m.witness == "agent"]


def whats(moments: Iterable[Moment], now: float) -> list[str]:
    return [one.what for one in missing(moments, now)]


def test_a_call_that_is_over_waits_for_nothing_but_the_dispatch_nobody_answered() -> None:
    assert expected(fold(ROOM, healthy())) == []
    (ghost,) = expected(fold(ROOM, call()))
    assert (ghost.what, ghost.ns, ghost.over) == ("dispatched, no job", 5_000 * NS_PER_MS, True)


def test_while_a_healthy_call_goes_on_nothing_is_missed() -> None:
    for now in (0, 100, 200, 250, 300, 350, 358, 361, 363, 380, 400, 3000, 4200, 6490, 6499, 6510):
        assert missing(healthy(), now) == [], now


@pytest.mark.parametrize(
    ("moments", "after", "patience", "what"),
    [
        (lonely(), 0.7, 500, "dispatched, no job"),
        ([*lonely(), *offered()], 201, 500, "offered, and no answer recorded"),
        ([*lonely(), *unlisted(Kind.JOB_RECEIVED)], 201.4, 500, "received, and not answered"),
        ([*lonely(), *unlisted(Kind.JOB_ACCEPTED)], 202.2, 500, "accepted, and not assigned"),
        (
            [*lonely(), *(m for m in until(Kind.JOB_ASSIGNED) if m.kind is not Kind.JOB_PROCESS_ASSIGNED)],
            202.6,
            500,
            "assigned, and no process has it",
        ),
        (
            [*lonely(), *until(Kind.JOB_PROCESS_ASSIGNED)],
            202.6,
            500,
            "a process has it, and its entrypoint has not started",
        ),
        (
            [*lonely(), *until(Kind.JOB_ENTRYPOINT_STARTED)],
            207.6,
            2000,
            "its entrypoint runs, and has not connected",
        ),
        (
            [*lonely(), *until(Kind.JOB_ENTRYPOINT_STARTED), of_job(Kind.JOB_ENTRYPOINT_RETURNED, 210)],
            210,
            500,
            "its entrypoint returned without connecting",
        ),
        ([*lonely(), *until(Kind.AGENT_CONNECTING)], 212, 1000, "connecting"),
    ],
)
def test_each_step_is_given_time_before_the_next_is_missed(
    moments: list[Moment], after: float, patience: float, what: str
) -> None:
    assert whats(moments, after + patience - 0.1) == []
    (one,) = missing(moments, after + patience)
    assert (one.what, one.ns, one.over) == (what, patience * NS_PER_MS, False)


@pytest.mark.parametrize("last", [Kind.JOB_OFFERED, Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED])
def test_a_job_that_the_server_runs_is_not_one_that_is_not_assigned(last: Kind) -> None:
    assert whats([*lonely(), *until(last)], 3_000) == ["assigned, and its agent has not joined"]


def test_the_furthest_step_counts_and_not_the_latest_by_its_clock() -> None:
    assigned = [m for m in until(Kind.JOB_ASSIGNED) if m.kind is not Kind.JOB_PROCESS_ASSIGNED]
    ahead = of_job(Kind.JOB_ACCEPTED, 300)
    others = [m for m in assigned if m.kind is not Kind.JOB_ACCEPTED]
    assert whats([*lonely(), *others, ahead], 3_000) == ["assigned, and no process has it"]


def test_after_a_refusal_the_next_workers_answer_is_missed() -> None:
    refusing = {keys.WORKER_ID: "AW_first"}
    offers = [moment(Kind.JOB_OFFERED, JOB, ms(201), told={**ABOUT_JOB, **refusing}, occurrence="AW_first")]
    answer = moment(Kind.JOB_REJECTED, JOB, ms(203), witness="agent", occurrence="AW_first")
    assert whats([*lonely(), *offers, answer], 3_000) == []
    again = moment(Kind.JOB_OFFERED, JOB, ms(402), told=ABOUT_JOB, occurrence=WORKER)
    assert whats([*lonely(), *offers, answer, again], 3_000) == ["offered, and no answer recorded"]


def test_a_wait_that_ended_with_nobody_is_over() -> None:
    waiting = without(healthy(), Kind.AGENT_PARTICIPANT_READY, Kind.SESSION_STARTING, Kind.SESSION_STARTED)
    assert "waits for a participant" in whats(waiting, 3_000)
    ended = moment(Kind.AGENT_WAIT_ENDED, JOB, ms(2_000), witness="agent", clock="agent", occurrence=WAIT)
    assert whats([*waiting, ended], 3_000) == []


def test_when_the_room_has_closed_what_is_missing_cannot_come_any_more() -> None:
    (one,) = missing(lonely(), 60_000)
    assert (one.step.subject, one.ns, one.over) == (DISPATCH, ms(14_400) - ms(0.7), True)


@pytest.mark.parametrize(
    "answer",
    [
        refused("rejected"),
        [*until(Kind.JOB_ACCEPTED), of_job(Kind.JOB_TIMED_OUT, 7_800)],
        [*until(Kind.JOB_ASSIGNED), of_job(Kind.PROCESS_FAILED, 4_000)],
        [*until(Kind.JOB_ENTRYPOINT_STARTED), of_job(Kind.JOB_ENDED, 300)],
    ],
    ids=["rejected", "timed out", "failed", "ended"],
)
def test_a_job_that_is_over_waits_for_nothing(answer: list[Moment]) -> None:
    assert whats([*lonely(), *answer], LEFT - 1) in ([], ["lost: nothing reported after “process assigned”"])


def test_an_agent_of_which_no_job_is_known_can_be_of_any_dispatch() -> None:
    agent = [m for m in healthy() if m.subject == AGENT and m.time < ms(400)]
    assert whats([*lonely("helper"), *agent], 5_000) == []


def test_the_unnamed_dispatch_is_not_missed_where_another_agent_came() -> None:
    others = [*without(healthy(), JOB, AGENT, DISPATCH), *second_agent("AD_named", "helper", 400)]
    unnamed = moment(Kind.DISPATCH_CREATED, DISPATCH, ms(0.7), told={keys.AGENT_NAME: ""})
    named = moment(Kind.DISPATCH_CREATED, "AD_other", ms(0.7), told={keys.AGENT_NAME: "other"})
    assert whats([*others, unnamed], 3_000) == []
    assert whats([*others, named], 3_000) == ["dispatched, no job"]


def test_a_wait_and_a_session_that_do_not_end_are_told_of() -> None:
    gone = _webhook(Kind.PARTICIPANT_ABORTED, ADA, 60_002, ABOUT_ADA)
    assert whats(never_active(gone), 859) == []
    assert whats(never_active(gone), 861) == ["waits for a participant"]
    assert whats(never_active(gone), 1_100) == ["not ACTIVE", "waits for a participant"]
    starting = without(healthy(), Kind.SESSION_STARTED)
    assert whats(starting, 862) == []
    assert whats(starting, 864) == ["its session is starting"]
    assert whats(starting, 4_161) == []  # it was closed before it had started


def test_a_job_that_shuts_down_is_given_time_to_end() -> None:
    shutting = without(healthy(), Kind.JOB_ENDED, Kind.AGENT_DISCONNECTED, Kind.ROOM_FINISHED)
    assert whats(shutting, 8_502) == []
    assert whats(shutting, 8_504) == ["shutting down"]


def test_a_job_that_is_lost_is_over_whatever_else_it_waited_for() -> None:
    (one,) = expected(timeline(IN_CALL, now=ms(36_500)))
    assert (one.step.kind, one.over) == (Kind.JOB_ENTRYPOINT_RETURNED, True)
    assert one.what.startswith("lost")
    assert one.ns >= 0


def test_who_is_gone_is_not_expected_to_become_active() -> None:
    gone = _webhook(Kind.PARTICIPANT_ABORTED, ADA, 3_000, ABOUT_ADA)
    assert whats([m for m in never_active(gone) if m.subject in (ROOM, ADA)], 2_000) == ["not ACTIVE"]
    assert whats([m for m in never_active(gone) if m.subject in (ROOM, ADA)], 4_000) == []


def test_what_is_missing_is_in_order_of_time() -> None:
    for case in CASES:
        made = case.timeline
        steps = {id(step) for step in made.steps}
        found = expected(made)
        assert [one.step.time for one in found] == sorted(one.step.time for one in found), case.label
        assert all(id(one.step) in steps for one in found), case.label
        assert all(one.ns >= 0 for one in found), case.label


@given(any_moments(), any_moments())
def test_of_anything_something_can_be_missing(moments: list[Moment], workers: list[Moment]) -> None:
    made = timeline(moments, workers, earlier=in_room("RM_before", moments))
    for now in (0, made.now, 2**62):
        for one in expected(replace(made, now=now)):
            assert one.what
            assert one.ns >= 0
            assert one.step in made.steps


def test_an_agent_is_known_by_its_identity_or_by_the_sid_it_connected_with() -> None:
    named = moment(Kind.DISPATCH_CREATED, "AD_named", ms(0.7), told={keys.AGENT_NAME: "helper"})
    redacted = [told.redacted() for told in [*healthy(), named]]
    assert whats(redacted, 3_000) == ["dispatched, no job"]
    assert whats(without(redacted, Kind.AGENT_CONNECTED), 3_000) == []
    by_identity = with_facts(without([*healthy(), named], "agent"), Kind.JOB_OFFERED, JOB, ABOUT_AGENT)
    assert whats(by_identity, 3_000) == ["dispatched, no job"]


def test_an_older_agent_does_not_report_when_its_session_has_started() -> None:
    never = {Kind.SESSION_STARTED, Kind.SESSION_CLOSED, Kind.JOB_ENDED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED}
    known = [m for m in healthy() if m.kind not in never and m.time < ms(4000)]
    assert [one.what for one in expected(timeline(known, now=ms(9000)))] == ["its session is starting"]
    less = {keys.ENTRYPOINT_ONLY: True}
    older = [replace(m, facts=facts({**dict(m.facts), **less})) if m.kind in ENTRYPOINT else m for m in known]
    assert expected(timeline(older, now=ms(9000))) == []


ENTRYPOINT = (Kind.JOB_ENTRYPOINT_STARTED, Kind.JOB_ENTRYPOINT_RETURNED)
