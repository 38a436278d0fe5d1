from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from tests.latency.test_gaps import HOUR, WAITING, agents, at, cold, moved, without
from tests.moments import (
    ABOUT_ADA,
    ADA,
    AGENT,
    JOB,
    MICROPHONE,
    ROOM,
    VOICE,
    any_moments,
    call,
    moment,
    ms,
)
from tracer import keys
from tracer.latency.summary import ARROW, Counted, JobSummary, Summary, summarize
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.units import NS_PER_MS

SESSION = (Kind.SESSION_STARTING, Kind.SESSION_STARTED)


def of(moments: list[Moment]) -> Summary:
    timeline = fold(ROOM, moments)
    summary = summarize(timeline)
    assert Summary.from_json(summary.to_json()) == summary
    return summary


def job(moments: list[Moment]) -> JobSummary:
    [found] = of(moments).jobs
    return found


def test_what_is_kept_of_a_call() -> None:
    summary = of(call())
    assert (summary.counted, summary.agent_names) == (Counted.MEASURED, ("", "ghost"))
    [kept] = summary.jobs
    assert (kept.agent_name, kept.counted) == ("", Counted.MEASURED)
    assert kept.gaps[0] == (f"room.created{ARROW}dispatch.created", "livekit_server", 200_000)
    assert kept.gaps[-1] == (f"session.starting{ARROW}session.started", "session_start", 29 * NS_PER_MS)
    assert kept.whole == sum(ns or 0 for _, _, ns in kept.gaps) == ms(392) - ms(0.5)
    assert kept.caller_waited == ms(392) - ms(97)


@given(any_moments())
def test_whatever_anybody_says_is_summed_up(moments: list[Moment]) -> None:
    summary = of(moments)
    assert summary.counted in set(Counted)
    for kept in summary.jobs:
        assert (kept.whole or 0) >= 0
        assert (kept.caller_waited or 0) >= 0
        assert len(kept.gaps) == len({(what, owner) for what, owner, _ in kept.gaps})
        if kept.whole is not None:
            assert kept.whole == sum(ns or 0 for _, _, ns in kept.gaps)


@pytest.mark.parametrize(
    ("moments", "counted"),
    [
        (call(), Counted.MEASURED),
        (without(Kind.ROOM_FINISHED), Counted.OPEN),
        (without(Kind.SESSION_STARTED), Counted.NOT_READY),
        (without(*SESSION, Kind.JOB_ENTRYPOINT_RETURNED), Counted.NOT_READY),
        (without(*SESSION), Counted.MEASURED),
        ([m for m in call() if m.witness != "agent"], Counted.NOT_REPORTED),
        ([m for m in call() if m.subject not in (JOB, AGENT, VOICE)], Counted.NO_AGENT),
        (moved(call(), HOUR), Counted.CLOCK_SKEW),
        (moved(call(), -HOUR), Counted.CLOCK_SKEW),
        (moved(call(), -0.8), Counted.MEASURED),
    ],
)
def test_how_a_room_counts(moments: list[Moment], counted: Counted) -> None:
    summary = of(moments)
    assert summary.counted == counted
    assert all(job.counted == counted for job in summary.jobs)
    assert all(bool(job.gaps) == (counted in (Counted.MEASURED, Counted.CLOCK_SKEW)) for job in summary.jobs)


def test_of_a_room_that_is_not_over_nothing_is_kept() -> None:
    assert of(without(Kind.ROOM_FINISHED)) == Summary(Counted.OPEN)


def test_an_agent_that_came_and_whose_job_is_not_known_is_not_none() -> None:
    summary = of([m for m in call() if m.subject != JOB])
    assert (summary.counted, summary.jobs) == (Counted.NOT_REPORTED, ())


def test_a_clock_that_is_off_spoils_only_what_lies_between_clocks() -> None:
    right, off = job(call()), job(moved(call(), HOUR))
    assert (off.whole, off.caller_waited) == (None, None)
    known = dict.fromkeys([(what, owner) for what, owner, ns in off.gaps if ns is None])
    assert list(known) == [
        (f"job.offered{ARROW}job.received", "network"),
        (f"agent.connecting{ARROW}participant.joining", "worker"),
        (f"participant.joining{ARROW}agent.connected", "network"),
    ]
    for (what, owner, ns), (_, _, found) in zip(right.gaps, off.gaps, strict=True):
        assert (what, owner) in known or abs((ns or 0) - (found or 0)) < 1000


def test_without_the_first_cause_the_whole_is_not_known_and_the_gaps_are() -> None:
    kept = job(without(Kind.ROOM_CREATED, Kind.DISPATCH_CREATED))
    assert kept.counted == Counted.MEASURED
    assert kept.whole is None
    assert kept.gaps[0][0] == f"job.offered{ARROW}job.received"
    assert kept.caller_waited == ms(392) - ms(97)


def test_two_waits_are_one_gap_of_that_name() -> None:
    again = [agents(WAITING, 361, "2"), agents(Kind.AGENT_PARTICIPANT_READY, 362.5, "2", participant_id=ADA)]
    kept = job([*call(), *again])
    name = f"agent.waiting_for_participant{ARROW}agent.participant_ready"
    assert [ns for what, _, ns in kept.gaps if what == name] == [round(1.7 * NS_PER_MS)]
    assert kept.whole == ms(392) - ms(0.5)


@pytest.mark.parametrize(
    ("moments", "waited"),
    [
        (call(), 295.0),
        (at(call(), Kind.SESSION_STARTED, 5392), 5295.0),
        # The agent was ready before its caller came.
        ([m for m in call() if m.subject not in (ADA, MICROPHONE)], None),
        (at([m for m in call() if m.subject != AGENT], Kind.PARTICIPANT_ACTIVE, 900), 0.0),
        # It was asked for by a dispatch in the middle of the call.
        (at(call(), Kind.DISPATCH_CREATED, 190), 202.0),
        # Nobody saw when the one whom it met was ACTIVE; another's time is not theirs.
        (
            [
                *(m for m in call() if (m.subject, m.kind) != (ADA, Kind.PARTICIPANT_ACTIVE)),
                moment(Kind.PARTICIPANT_ACTIVE, "PA_bob", ms(5), told={**ABOUT_ADA, keys.PARTICIPANT_IDENTITY: "bob"}),
            ],
            None,
        ),
        # Who records the room is no caller.
        (
            [
                *without(WAITING, Kind.AGENT_PARTICIPANT_READY),
                moment(Kind.PARTICIPANT_ACTIVE, "PA_egress", ms(5), told={keys.PARTICIPANT_KIND: "EGRESS"}),
            ],
            295.0,
        ),
        # Nor is one who has left.
        (
            [
                *without(WAITING, Kind.AGENT_PARTICIPANT_READY),
                moment(Kind.PARTICIPANT_ACTIVE, "PA_bob", ms(5), told=ABOUT_ADA),
                moment(Kind.PARTICIPANT_LEFT, "PA_bob", ms(90), told=ABOUT_ADA),
            ],
            295.0,
        ),
    ],
)
def test_how_long_the_caller_waited(moments: list[Moment], waited: float | None) -> None:
    found = job(moments).caller_waited
    assert (found if found is None else round(found / NS_PER_MS, 1)) == waited


def test_who_was_there_is_kept() -> None:
    assert of(call()).identities == ("ada", f"agent-{JOB}")


def test_an_agent_that_was_asked_for_beside_one_that_came_is_named() -> None:
    assert of(call()).agent_names == ("", "ghost")
    named = [
        replace(
            m, facts=tuple((key, "helper" if key == keys.AGENT_NAME and not value else value) for key, value in m.facts)
        )
        for m in call()
    ]
    assert of(named).agent_names == ("ghost", "helper")


def test_the_names_of_what_went_wrong_are_kept_each_once() -> None:
    assert of(cold()).causes == ("cold-process",)
    assert of(call()).causes == ()
