from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import (
    ABOUT_ADA,
    ABOUT_JOB,
    ADA,
    AGENT,
    DISPATCH,
    JOB,
    MICROPHONE,
    ROOM,
    SESSION,
    START,
    WAIT,
    WORKER,
    any_moments,
    call,
    moment,
    ms,
    uncertain_calls,
)
from tracer import keys
from tracer.latency.gaps import Gap, Paths, first_job, ready
from tracer.latency.owner import Owner
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.units import NS_PER_MS
from tracer.view.json import timeline as as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.moment import Fact

HOUR = 3_600_000.0
OTHER = "AW_other"
WAITING, READY = Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_PARTICIPANT_READY


def without(*kinds: Kind) -> list[Moment]:
    return [m for m in call() if m.kind not in kinds]


def agents(kind: Kind, offset: float, occurrence: str = "", **told: str) -> Moment:
    known = {str(getattr(keys, name.upper())): value for name, value in told.items()}
    return moment(kind, JOB, ms(offset), witness="agent", clock="agent", occurrence=occurrence, told=known)


def moved(moments: Sequence[Moment], by: float, clock: str = "agent") -> list[Moment]:
    """As told when this clock is so many ms ahead."""
    ns = round(by * NS_PER_MS)
    return [
        replace(m, earliest=m.earliest + ns, latest=m.latest + ns, time=m.time + ns) if m.clock == clock else m
        for m in moments
    ]


def at(moments: Sequence[Moment], kind: Kind, offset: float) -> list[Moment]:
    """The same moments, but what is of this kind was then."""
    return [
        replace(m, earliest=ms(offset), latest=ms(offset), time=ms(offset)) if m.kind is kind else m for m in moments
    ]


def cold() -> list[Moment]:
    """The call, but its process was made for it: 0.5 s, and 1.5 s of set-up."""
    rest = [m for m in moved(call(), 2000) if m.kind.rank >= Kind.JOB_PROCESS_ASSIGNED.rank or m.clock != "agent"]
    early = [m for m in call() if m.kind.rank < Kind.JOB_PROCESS_ASSIGNED.rank and m.clock == "agent"]
    agent = [
        replace(m, earliest=m.earliest + 2 * 10**9, latest=m.latest + 2 * 10**9, time=m.time + 2 * 10**9)
        for m in rest
        if m.subject == "PA_agent" and m.kind is not Kind.PARTICIPANT_LEFT
    ]
    setup = [agents(Kind.PROCESS_STARTED, 702.6), agents(Kind.PROCESS_READY, 2202.6)]
    return [*(m for m in [*rest, *early] if m.subject != "PA_agent"), *agent, *setup]


def of(moments: Sequence[Moment]) -> tuple[Gap, ...]:
    gaps = Paths(fold(ROOM, moments)).first
    hold(gaps)
    return gaps


def hold(gaps: Sequence[Gap]) -> None:
    assert all(gap.ns >= 0 for gap in gaps)
    assert all(before.end is after.start for before, after in pairwise(gaps))
    if gaps:
        assert sum(gap.ns for gap in gaps) == gaps[-1].end.time - gaps[0].start.time


def told(gaps: Sequence[Gap]) -> list[tuple[str, float, Owner]]:
    """To which kind, ms, and whose, but for those of no length."""
    return [(gap.end.kind, round(gap.ns / NS_PER_MS, 1), gap.owner) for gap in gaps if gap.ns >= 50_000]


def test_the_whole_way_of_a_call_and_who_spent_it() -> None:
    gaps = of(call())
    assert [(gap.end.kind, round(gap.ns / NS_PER_MS, 1), gap.owner) for gap in gaps] == [
        (Kind.DISPATCH_CREATED, 0.2, Owner.SERVER),
        (Kind.JOB_OFFERED, 200.3, Owner.SERVER),
        (Kind.JOB_RECEIVED, 0.4, Owner.NETWORK),
        (Kind.JOB_ACCEPTED, 0.8, Owner.CODE),
        (Kind.JOB_ASSIGNED, 0.4, Owner.SERVER),
        (Kind.JOB_PROCESS_ASSIGNED, 0.0, Owner.PROCESS),
        (Kind.JOB_ENTRYPOINT_STARTED, 5.0, Owner.PROCESS),
        (Kind.AGENT_CONNECTING, 4.4, Owner.CODE),
        (Kind.PARTICIPANT_JOINING, 44.5, Owner.WORKER),
        (Kind.AGENT_CONNECTED, 100.5, Owner.NETWORK),
        (WAITING, 3.0, Owner.CODE),
        (READY, 0.2, Owner.SERVER),
        (Kind.SESSION_STARTING, 2.8, Owner.CODE),
        (Kind.SESSION_STARTED, 29.0, Owner.SESSION),
    ]
    assert gaps[0].start.kind is Kind.ROOM_CREATED
    assert not any(gap.doubtful for gap in gaps)


@given(uncertain_calls(), st.sampled_from((0.0, 0.4, -3.0, 250.0, -HOUR, HOUR)), st.sampled_from(("agent", "receiver")))
def test_gaps_have_no_holes_whatever_was_seen_and_whatever_the_clocks_say(
    moments: list[Moment], by: float, clock: str
) -> None:
    timeline = fold(ROOM, moved(moments, by, clock))
    for job in timeline.jobs:
        gaps = Paths(timeline).of(job)
        hold(gaps)
        if job.at(Kind.SESSION_STARTED):
            assert not gaps or gaps[-1].end.kind is Kind.SESSION_STARTED


@given(any_moments())
def test_gaps_have_no_holes_whatever_anybody_says(moments: list[Moment]) -> None:
    timeline = fold(ROOM, moments)
    for job in timeline.jobs:
        hold(Paths(timeline).of(job))
        ready(job)


@given(st.sets(st.sampled_from(sorted(Kind))))
def test_a_gap_over_what_was_not_seen_is_never_anothers(unseen: set[Kind]) -> None:
    # Whose each ms of the true call is, by the time within it.
    whose = {(gap.start.time + n * gap.ns // 4, gap.owner) for gap in of(call()) for n in (1, 2, 3) if gap.ns}
    for gap in of(without(*unseen)):
        within = {owner for time, owner in whose if gap.start.time < time < gap.end.time}
        if gap.owner is Owner.CODE:
            within -= {Owner.SERVER}  # a wait that nobody told of, 0.2 ms
        assert within <= {gap.owner} or gap.owner is Owner.UNKNOWN, (gap.start.kind, gap.end.kind, gap.owner, within)


# Whose delay it is


@pytest.mark.parametrize(
    ("kind", "owner"),
    [
        (Kind.JOB_OFFERED, Owner.SERVER),
        (Kind.JOB_RECEIVED, Owner.NETWORK),
        (Kind.JOB_ACCEPTED, Owner.CODE),
        (Kind.JOB_ASSIGNED, Owner.SERVER),
        (Kind.JOB_PROCESS_ASSIGNED, Owner.PROCESS),
        (Kind.JOB_ENTRYPOINT_STARTED, Owner.PROCESS),
        (Kind.AGENT_CONNECTING, Owner.CODE),
        (Kind.AGENT_CONNECTED, Owner.NETWORK),
        (WAITING, Owner.CODE),
        (Kind.SESSION_STARTING, Owner.CODE),
        (Kind.SESSION_STARTED, Owner.SESSION),
    ],
)
def test_a_delay_of_a_second_is_in_its_own_gap(kind: Kind, owner: Owner) -> None:
    """Everything from a step on is a second later, the agent's own joining as well."""
    first = min((m.time, m.kind.rank) for m in call() if m.kind is kind)
    later = [
        replace(m, earliest=m.earliest + 10**9, latest=m.latest + 10**9, time=m.time + 10**9)
        if (m.time, m.kind.rank) >= first
        and m.subject in (JOB, AGENT)
        and (m.subject != AGENT or kind is not Kind.AGENT_CONNECTED)
        else m
        for m in call()
    ]
    longest = max(of(later), key=lambda gap: gap.ns)
    assert (longest.end.kind, longest.owner) == (kind, owner)
    before = next(gap for gap in of(call()) if gap.end.kind is kind)
    assert longest.ns - before.ns == 10**9
    assert sum(gap.ns for gap in of(later)) - sum(gap.ns for gap in of(call())) == 10**9


def test_a_process_that_is_made_for_the_job_has_its_set_up_apart() -> None:
    found = {gap.end.kind: (round(gap.ns / NS_PER_MS, 1), gap.owner) for gap in of(cold())}
    assert found[Kind.PROCESS_STARTED] == (500.0, Owner.PROCESS)
    assert found[Kind.PROCESS_READY] == (1500.0, Owner.CODE)
    assert found[Kind.JOB_PROCESS_ASSIGNED] == (0.0, Owner.WORKER)


def test_of_a_process_that_was_on_its_way_before_the_job_counts_what_the_job_waited_for() -> None:
    setup = [agents(Kind.PROCESS_STARTED, -5000), agents(Kind.PROCESS_READY, 203.6)]
    moments = [*at(call(), Kind.JOB_PROCESS_ASSIGNED, 204), *setup]
    found = {gap.end.kind: (round(gap.ns / NS_PER_MS, 1), gap.owner) for gap in of(moments)}
    assert Kind.PROCESS_STARTED not in found
    assert found[Kind.PROCESS_READY] == (1.0, Owner.CODE)
    assert not any(gap.doubtful for gap in of(moments))
    ready_before = [agents(Kind.PROCESS_STARTED, -5000), agents(Kind.PROCESS_READY, -4000)]
    assert told(of([*call(), *ready_before])) == told(of(call()))


# Waiting for the caller


def late_caller(**offsets: float) -> list[Moment]:
    """The call, but the caller comes while the agent waits: ms of joining, active, published and heard."""
    moments = [m for m in call() if m.subject not in (ADA, MICROPHONE) and m.kind not in (READY, Kind.SESSION_STARTING)]
    moments = [m for m in moments if m.kind is not Kind.SESSION_STARTED]
    heard = offsets["heard"]
    moments += [
        agents(READY, heard, WAIT, participant_id=ADA),
        agents(Kind.SESSION_STARTING, heard + 1, SESSION),
        agents(Kind.SESSION_STARTED, heard + 30, SESSION),
    ]
    if "joining" in offsets:
        moments.append(moment(Kind.PARTICIPANT_JOINING, ADA, ms(offsets["joining"]), told=ABOUT_ADA))
    if "active" in offsets:
        arrival = ms(offsets["active"])
        second = START + (arrival - START) // 10**9 * 10**9
        seen = {"witness": "webhook", "clock": "receiver"}
        moments.append(moment(Kind.PARTICIPANT_ACTIVE, ADA, second, arrival, told=ABOUT_ADA, **seen))  # type: ignore[arg-type]
    if "published" in offsets:
        about = {keys.PARTICIPANT_ID: ADA}
        moments.append(moment(Kind.TRACK_PUBLISHED, MICROPHONE, ms(offsets["published"]), told=about))
    return moments


COMING = (
    (Kind.PARTICIPANT_JOINING, 2000.0, Owner.CALLER),
    (Kind.PARTICIPANT_ACTIVE, 100.0, Owner.NETWORK),
)


def waited(moments: Sequence[Moment]) -> list[tuple[str, float, Owner]]:
    gaps = of(moments)
    first = next(n for n, gap in enumerate(gaps) if gap.end.kind is WAITING)
    last = next(n for n, gap in enumerate(gaps) if gap.end.kind is READY)
    return told(gaps[first + 1 : last + 1])


@pytest.mark.parametrize(
    ("offsets", "spent"),
    [
        (  # a caller who speaks
            {"joining": 2360, "active": 2460, "published": 2470, "heard": 2540},
            [*COMING, (READY, 80.0, Owner.SERVER)],
        ),
        (  # one who does not
            {"joining": 2360, "active": 2460, "heard": 4360},
            [*COMING, (READY, 1900.0, Owner.SETTING)],
        ),
        (  # who published only after the agent had heard of them
            {"joining": 2360, "active": 2460, "published": 4400, "heard": 4360},
            [*COMING, (READY, 1900.0, Owner.SETTING)],
        ),
        (  # who was on their way when the agent began to wait
            {"joining": 300, "active": 460, "published": 470, "heard": 540},
            [(Kind.PARTICIPANT_ACTIVE, 100.0, Owner.NETWORK), (READY, 80.0, Owner.SERVER)],
        ),
        (  # silent, and ACTIVE between the agent's joining and its waiting
            {"joining": 240, "active": 300, "heard": 1860},
            [(READY, 1500.0, Owner.SETTING)],
        ),
        (  # who was silent until the microphone was allowed
            {"joining": 2360, "active": 2460, "published": 3900, "heard": 3950},
            [*COMING, (Kind.TRACK_PUBLISHED, 1440.0, Owner.SETTING), (READY, 50.0, Owner.SERVER)],
        ),
        ({"joining": 2, "active": 97, "heard": 361}, [(READY, 1.0, Owner.SERVER)]),  # silent, but there before
        (  # nobody saw the joining
            {"active": 2460, "published": 2470, "heard": 2540},
            [(Kind.PARTICIPANT_ACTIVE, 2100.0, Owner.UNKNOWN), (READY, 80.0, Owner.SERVER)],
        ),
        (  # nobody saw them become ACTIVE
            {"joining": 2360, "heard": 2540},
            [(Kind.PARTICIPANT_JOINING, 2000.0, Owner.CALLER), (READY, 180.0, Owner.UNKNOWN)],
        ),
        ({"heard": 2540}, [(READY, 2180.0, Owner.UNKNOWN)]),  # nobody saw them
        (  # the webhook came after the agent had heard of them
            {"joining": 2360, "active": 2545, "published": 2550, "heard": 2540},
            [(Kind.PARTICIPANT_JOINING, 2000.0, Owner.CALLER), (Kind.PARTICIPANT_ACTIVE, 180.0, Owner.NETWORK)],
        ),
    ],
)
def test_waiting_for_the_caller(offsets: dict[str, float], spent: list[tuple[str, float, Owner]]) -> None:
    assert waited(late_caller(**offsets)) == spent


def test_a_track_whose_webhook_says_the_second_only_is_not_taken_for_one_published_before() -> None:
    about: dict[str, Fact] = {keys.PARTICIPANT_ID: ADA}
    second, arrival = ms(4000), ms(4400)
    seen = moment(Kind.TRACK_PUBLISHED, MICROPHONE, second, arrival, witness="webhook", clock="receiver", told=about)
    silent = late_caller(joining=2360, active=2460, heard=4360)
    assert waited([*silent, seen]) == [*COMING, (READY, 1900.0, Owner.SETTING)]


def test_two_waits_are_each_their_own() -> None:
    again = [agents(WAITING, 361, "second"), agents(READY, 362.5, "second", participant_id=ADA)]
    gaps = of([*call(), *again])
    assert [gap.end.kind for gap in gaps][-6:] == [
        WAITING,
        READY,
        WAITING,
        READY,
        Kind.SESSION_STARTING,
        Kind.SESSION_STARTED,
    ]
    assert [gap.owner for gap in gaps][-4:] == [Owner.CODE, Owner.SERVER, Owner.CODE, Owner.SESSION]


def test_what_the_session_itself_waits_for_is_part_of_its_start_and_of_nothing_before_it() -> None:
    itself = [agents(WAITING, 364, "own"), agents(READY, 5000, "own", participant_id=ADA)]
    assert told(of([*call(), *itself])) == told(of(call()))
    without_wait = [m for m in call() if m.kind not in (WAITING, READY)]
    gaps = of([*without_wait, *itself])
    assert told(gaps)[-2:] == [(Kind.SESSION_STARTING, 6.0, Owner.CODE), (Kind.SESSION_STARTED, 29.0, Owner.SESSION)]


def test_connecting_within_the_sessions_start_is_not_the_sessions() -> None:
    moments = without(WAITING, READY, Kind.JOB_ENTRYPOINT_RETURNED)
    gaps = of(at(moments, Kind.SESSION_STARTING, 210))
    assert told(gaps)[-5:] == [
        (Kind.SESSION_STARTING, 2.4, Owner.CODE),
        (Kind.AGENT_CONNECTING, 2.0, Owner.SESSION),
        (Kind.PARTICIPANT_JOINING, 44.5, Owner.WORKER),
        (Kind.AGENT_CONNECTED, 100.5, Owner.NETWORK),
        (Kind.SESSION_STARTED, 35.0, Owner.SESSION),
    ]


def test_a_wait_that_nobody_has_answered_ends_the_way() -> None:
    gaps = of([m for m in call() if m.kind.rank <= WAITING.rank and m.kind is not READY])
    assert gaps[-1].end.kind is WAITING


def test_a_second_session_is_not_on_the_way() -> None:
    again = [agents(Kind.SESSION_STARTING, 2000, "2"), agents(Kind.SESSION_STARTED, 2050, "2")]
    assert told(of([*call(), *again])) == told(of(call()))


def test_a_session_that_failed_first_is_the_codes_time() -> None:
    failed = [agents(Kind.SESSION_STARTING, 361, "failed")]
    gaps = of([*call(), *failed])
    assert told(gaps)[-2:] == [(Kind.SESSION_STARTING, 2.8, Owner.CODE), (Kind.SESSION_STARTED, 29.0, Owner.SESSION)]


# What asked for the job


def test_an_explicit_dispatch_long_after_the_room_is_its_own_cause() -> None:
    gaps = of(at(call(), Kind.DISPATCH_CREATED, 150))
    assert gaps[0].start.kind is Kind.DISPATCH_CREATED


def test_without_a_dispatch_the_room_is_the_cause_of_what_is_offered_soon_and_of_nothing_else() -> None:
    assert of(without(Kind.DISPATCH_CREATED))[0].start.kind is Kind.ROOM_CREATED
    minutes = [
        replace(m, earliest=START - 300 * 10**9, latest=START - 300 * 10**9, time=START - 300 * 10**9)
        if m.kind is Kind.ROOM_CREATED
        else m
        for m in without(Kind.DISPATCH_CREATED)
    ]
    assert of(minutes)[0].start.kind is Kind.JOB_OFFERED


@pytest.mark.parametrize(("job_type", "cause"), [("JT_PARTICIPANT", ADA), ("JT_PUBLISHER", MICROPHONE)])
def test_a_job_for_a_participant_is_asked_for_by_them(job_type: str, cause: str) -> None:
    about = {keys.JOB_TYPE: job_type, keys.JOB_PARTICIPANT_ID: ADA}
    asked = moment(Kind.JOB_RECEIVED, JOB, ms(201.4), witness="agent", clock="agent", occurrence=WORKER, told=about)
    gaps = of([*without(Kind.JOB_RECEIVED), asked])
    assert (gaps[0].start.subject, gaps[0].end.kind, gaps[0].owner) == (cause, Kind.JOB_OFFERED, Owner.SERVER)
    unseen = [m for m in [*without(Kind.JOB_RECEIVED), asked] if m.subject not in (ADA, MICROPHONE)]
    assert of(unseen)[0].start.kind is Kind.JOB_OFFERED


def test_a_track_whose_webhook_came_after_the_offer_was_published_before_it() -> None:
    about = {keys.JOB_TYPE: "JT_PUBLISHER", keys.JOB_PARTICIPANT_ID: ADA}
    asked = moment(Kind.JOB_RECEIVED, JOB, ms(101.4), witness="agent", clock="agent", occurrence=WORKER, told=about)
    moments = [*at(without(Kind.JOB_RECEIVED), Kind.JOB_OFFERED, 101), asked]
    gaps = of(moments)
    assert (gaps[0].start.kind, gaps[0].ns, gaps[0].doubtful) == (Kind.TRACK_PUBLISHED, 0, False)
    assert (gaps[1].end.kind, round(gaps[1].ns / NS_PER_MS, 1)) == (Kind.JOB_RECEIVED, 0.4)


def test_of_several_jobs_the_one_that_was_asked_for_first_and_ran() -> None:
    later = [
        replace(m, subject="AJ_later", earliest=m.earliest + 10**9, latest=m.latest + 10**9, time=m.time + 10**9)
        for m in call()
        if m.subject == JOB
    ]
    never = moment(Kind.JOB_OFFERED, "AJ_never", ms(1), told={**ABOUT_JOB, keys.JOB_ID: "AJ_never"})
    timeline = fold(ROOM, [*call(), *later, never])
    first = first_job(timeline.jobs)
    assert first
    assert first.sid == JOB
    assert first_job(()) is None
    for job in timeline.jobs:
        hold(Paths(timeline).of(job))


# Several workers


def asked_another(*, refused: float | None, answer: str = "rejected") -> list[Moment]:
    """The call, but another worker was asked first, and the one that took it a second later."""
    late = [
        m
        if m.subject in (ADA, MICROPHONE, ROOM, DISPATCH)
        else replace(m, earliest=m.earliest + 10**9, latest=m.latest + 10**9, time=m.time + 10**9)
        for m in call()
    ]
    late = [
        replace(m, facts=(*m.facts, (keys.WORKER_ID, WORKER)))
        if m.kind is Kind.JOB_OFFERED and keys.WORKER_ID not in dict(m.facts)
        else m
        for m in late
    ]
    other = [
        moment(Kind.JOB_OFFERED, JOB, ms(201), witness="agent", told={keys.WORKER_ID: OTHER}),
        agents(Kind.JOB_RECEIVED, 202, OTHER, worker_id=OTHER),
    ]
    if refused is not None:
        other.append(agents(Kind.JOB_REJECTED, refused, OTHER, job_answer=answer))
    return [*late, *other]


@pytest.mark.parametrize(
    ("refused", "answer", "spent"),
    [
        (1200.5, "rejected", [(Kind.JOB_REJECTED, 998.5, Owner.CODE), (Kind.JOB_OFFERED, 0.5, Owner.SERVER)]),
        (1200.5, "full", [(Kind.JOB_REJECTED, 998.5, Owner.WORKER), (Kind.JOB_OFFERED, 0.5, Owner.SERVER)]),
        (None, "", [(Kind.JOB_OFFERED, 999.0, Owner.CODE)]),  # it did not answer in time
    ],
)
def test_a_worker_that_was_asked_before_has_its_own_gaps(
    refused: float | None, answer: str, spent: list[tuple[str, float, Owner]]
) -> None:
    gaps = of(asked_another(refused=refused, answer=answer))
    asked = [(Kind.JOB_OFFERED, 200.3, Owner.SERVER), (Kind.JOB_RECEIVED, 1.0, Owner.NETWORK)]
    taken = [(Kind.JOB_RECEIVED, 0.4, Owner.NETWORK), (Kind.JOB_ACCEPTED, 0.8, Owner.CODE)]
    assert told(gaps)[1 : 1 + len(spent) + 4] == asked + spent + taken
    assert not any(gap.doubtful for gap in gaps)


def test_a_worker_whose_offer_nobody_told_has_no_gap() -> None:
    asked = agents(Kind.JOB_RECEIVED, 100, OTHER, worker_id=OTHER)
    assert told(of([*call(), asked])) == told(of(call()))


# What was not seen


def test_an_agent_that_told_nothing_was_on_its_way_for_as_long_as_it_was() -> None:
    observed = [m for m in call() if m.witness != "agent"]
    gaps = of(observed)
    assert told(gaps)[2:] == [
        (Kind.PARTICIPANT_JOINING, 55.5, Owner.UNKNOWN),
        (Kind.PARTICIPANT_ACTIVE, 94.5, Owner.NETWORK),
    ]
    assert all(gap.end.subject == AGENT for gap in gaps[2:])


def test_without_its_job_entrypoint_an_agents_way_to_its_room_is_not_told_apart() -> None:
    unsent = [m for m in call() if m.kind.rank < Kind.JOB_RECEIVED.rank or m.kind.rank >= Kind.AGENT_CONNECTING.rank]
    gaps = {gap.end.kind: gap.owner for gap in of(unsent)}
    assert gaps[Kind.AGENT_CONNECTING] is Owner.UNKNOWN
    assert gaps[Kind.AGENT_CONNECTED] is Owner.NETWORK
    assert not [gap for gap in of(unsent) if gap.owner is Owner.UNKNOWN and gap.advice]


# Clocks


@pytest.mark.parametrize("by", [HOUR, -HOUR, 400.0, -5.0])
def test_an_agents_clock_that_is_off_spoils_what_lies_between_the_clocks_and_says_so(by: float) -> None:
    right, gaps = of(call()), of(moved(call(), by))
    assert [gap.end.kind for gap in gaps] == [gap.end.kind for gap in right]
    for true, found in zip(right, gaps, strict=True):
        across = found.end.kind is Kind.JOB_RECEIVED or Kind.PARTICIPANT_JOINING in (found.start.kind, found.end.kind)
        assert found.doubtful == across
        # As much as the clock can be off and nobody could tell, a gap between two clocks can be off; no other is.
        assert abs(found.ns - true.ns) <= (101 * NS_PER_MS if across else 1000), found.end.kind


def test_an_hour_between_offer_and_worker_is_no_network_though_the_agent_never_connected() -> None:
    begun = [m for m in call() if m.subject != AGENT and (m.subject != JOB or m.kind.rank < Kind.AGENT_CONNECTING.rank)]
    gaps = of(moved(begun, HOUR))
    assert [gap.end.kind for gap in gaps if gap.doubtful] == [Kind.JOB_RECEIVED]
    assert sum(gap.ns for gap in gaps) < 11 * 10**9
    told = as_json(fold(ROOM, moved(begun, HOUR)))["gaps"]
    assert [gap["to"] for gap in told if gap["ms"] is None] == [Kind.JOB_RECEIVED]
    # A worker that was held up after it had answered was late by no clock.
    held_up = [m for m in moved(begun, 60_000) if m.kind.rank >= Kind.JOB_ASSIGNED.rank and m.clock == "agent"]
    early = [m for m in begun if m.kind.rank < Kind.JOB_ASSIGNED.rank or m.clock != "agent"]
    gaps = of([*early, *held_up])
    assert not any(gap.doubtful for gap in gaps)
    assert max(gaps, key=lambda gap: gap.ns).end.kind is Kind.JOB_ASSIGNED


def test_a_clock_that_may_be_right_is_left_alone() -> None:
    gaps = of(moved(call(), 30))
    assert not any(gap.doubtful for gap in gaps)
    assert {gap.end.kind: round(gap.ns / NS_PER_MS, 1) for gap in gaps}[Kind.JOB_RECEIVED] == 30.4


def test_a_clock_that_is_proven_off_by_less_than_a_millisecond_makes_no_doubt() -> None:
    gaps = of(moved(call(), -0.8))
    assert not any(gap.doubtful for gap in gaps)
    assert {gap.end.kind: round(gap.ns / NS_PER_MS, 1) for gap in gaps}[Kind.JOB_RECEIVED] == 0.0


def test_a_clock_that_was_set_meanwhile_is_said_and_no_gap_is_below_zero() -> None:
    early = [m for m in moved(call(), -HOUR) if m.kind.rank < Kind.AGENT_CONNECTING.rank]
    late = [m for m in call() if m.kind.rank >= Kind.AGENT_CONNECTING.rank]
    assert any(gap.doubtful for gap in of([*early, *late]))
    jumped = [m for m in moved(call(), -HOUR) if m.kind in (Kind.SESSION_STARTING, Kind.SESSION_STARTED)]
    gaps = of([*without(Kind.SESSION_STARTING, Kind.SESSION_STARTED), *jumped])
    assert any(gap.doubtful for gap in gaps)


def test_a_caller_who_comes_while_an_agent_waits_whose_clock_is_off() -> None:
    moments = late_caller(joining=2360, active=2460, published=2470, heard=2540)
    assert waited(moved(moments, -HOUR)) == [
        (Kind.PARTICIPANT_JOINING, 2000.4, Owner.CALLER),
        (Kind.PARTICIPANT_ACTIVE, 100.0, Owner.NETWORK),
        (READY, 79.6, Owner.SERVER),
    ]
    assert [gap.end.kind for gap in of(moved(moments, -HOUR)) if gap.doubtful] == [
        Kind.JOB_RECEIVED,
        Kind.PARTICIPANT_JOINING,  # the agent
        Kind.AGENT_CONNECTED,
        Kind.PARTICIPANT_JOINING,  # the caller
        READY,
    ]


# What to do


def test_every_advice_says_what_to_do_and_every_owner_that_can_be_helped_has_one() -> None:
    advised = {gap.owner for gap in of(call()) if gap.advice}
    assert advised == {Owner.WORKER, Owner.NETWORK, Owner.CODE, Owner.PROCESS, Owner.SESSION}
    silent = of(late_caller(joining=2360, active=2460, heard=4360))
    [advised_of_silence] = [gap for gap in silent if gap.owner is Owner.SETTING]
    assert "publish a track" in advised_of_silence.advice


# Ready


@pytest.mark.parametrize(
    ("unseen", "kind"),
    [
        ((), Kind.SESSION_STARTED),
        ((Kind.SESSION_STARTED,), None),  # it never started
        ((Kind.SESSION_STARTING, Kind.SESSION_STARTED), READY),  # it has no session
        ((Kind.SESSION_STARTING, Kind.SESSION_STARTED, READY), None),  # and its caller never came
        ((Kind.SESSION_STARTING, Kind.SESSION_STARTED, READY, WAITING), Kind.AGENT_CONNECTED),
        ((Kind.SESSION_STARTING, Kind.SESSION_STARTED, Kind.JOB_ENTRYPOINT_RETURNED), None),  # or was it cut short?
    ],
)
def test_when_an_agent_is_ready(unseen: tuple[Kind, ...], kind: Kind | None) -> None:
    timeline = fold(ROOM, without(*unseen))
    [job] = timeline.jobs
    found = ready(job)
    assert (found.kind if found else None) == kind
    if found:
        assert Paths(timeline).first[-1].end.kind is kind
