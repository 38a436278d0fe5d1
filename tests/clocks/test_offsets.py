from __future__ import annotations

from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import (
    ADA,
    AGENT,
    JOB,
    ROOM,
    any_moments,
    call,
    moment,
    ms,
)
from tracer import keys
from tracer.clocks.offsets import RECEIVER, SERVER, SHOWN_WITHIN, Clock, Clocks, Offset
from tracer.moment import Kind, Moment, facts
from tracer.timeline.fold import fold
from tracer.timeline.precedence import must_precede
from tracer.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    import random

HOST = Clock("agent", host="vm")
OWN = Clock("agent", sid=JOB)


def clocks(*moments: Moment) -> Clocks:
    timeline = fold(ROOM, moments)
    return Clocks(timeline, must_precede(timeline.steps))


def offsets(*moments: Moment) -> dict[Clock, Offset]:
    return clocks(*moments).offsets


def shifted(moments: list[Moment], ns: int) -> list[Moment]:
    """The same call told by an agent whose clock is ahead by so much more."""
    return [
        replace(m, earliest=m.earliest + ns, time=m.time + ns, latest=m.latest + ns) if m.clock == "agent" else m
        for m in moments
    ]


def exact(kind: Kind, offset: float, host: str = "vm", job: str = JOB, worker: str = "AW_1") -> Moment:
    told = {keys.WORKER_HOST: host or None, keys.WORKER_ID: worker}
    occurrence = worker if kind is Kind.JOB_RECEIVED else ""
    return moment(kind, job, ms(offset), witness="agent", clock="agent", told=told, occurrence=occurrence)


def offered(offset: float, job: str = JOB, worker: str = "AW_1") -> Moment:
    return moment(Kind.JOB_OFFERED, job, ms(offset), witness="agent", told={keys.WORKER_ID: worker})


def joining(offset: float, sid: str = AGENT, job: str = JOB) -> Moment:
    told = {keys.PARTICIPANT_IDENTITY: "agent-" + job, keys.PARTICIPANT_KIND: "AGENT"}
    return moment(Kind.PARTICIPANT_JOINING, sid, ms(offset), ms(offset + 1) - 1, told=told)


def connected(offset: float, sid: str = AGENT, job: str = JOB) -> Moment:
    return replace(exact(Kind.AGENT_CONNECTED, offset, job=job), facts=facts({keys.PARTICIPANT_ID: sid}))


def test_offer_and_joining_bound_an_agents_clock() -> None:
    offset = offsets(*call())[OWN]
    assert offset.most == ms(201.4) + 512 - ms(201)
    assert offset.least == ms(212) - 512 - (ms(257) - 1)
    assert [step.kind for step in offset.by_most] == [Kind.JOB_OFFERED, Kind.JOB_RECEIVED]
    assert [step.kind for step in offset.by_least] == [Kind.AGENT_CONNECTING, Kind.PARTICIPANT_JOINING]
    assert (offset.bounded, offset.off, offset.contradictory) == (True, False, False)


@given(st.integers(-(10**14), 10**14))
def test_a_shifted_clock_shifts_its_offset(ns: int) -> None:
    before, after = offsets(*call())[OWN], offsets(*shifted(call(), ns))[OWN]
    assert before.least is not None
    assert before.most is not None
    assert (after.least, after.most) == (before.least + ns, before.most + ns)


@pytest.mark.parametrize(("hours", "off"), [(1, True), (-1, True), (0, False)])
def test_clocks_that_cannot_show_the_same_time_are_off(hours: int, off: bool) -> None:
    assert offsets(*shifted(call(), hours * 3600 * NS_PER_S))[OWN].off is off


def test_jobs_on_one_machine_share_its_clock_and_others_do_not() -> None:
    first = [offered(200), exact(Kind.JOB_RECEIVED, 205), exact(Kind.AGENT_CONNECTING, 210), joining(250)]
    second = [offered(300, "AJ_2"), exact(Kind.JOB_RECEIVED, 301, job="AJ_2")]
    known = offsets(*first, connected(260), *second)
    assert known.keys() == {HOST}
    assert (known[HOST].least, known[HOST].most) == (ms(210) - ms(251) + 1, ms(301) - ms(300))
    other = offsets(*first, connected(260), offered(300, "AJ_2"), exact(Kind.JOB_RECEIVED, 301, "elsewhere", "AJ_2"))
    assert other[HOST].most == ms(205) - ms(200)
    assert other[Clock("agent", host="elsewhere")].most == ms(301) - ms(300)
    alone = offsets(offered(200), exact(Kind.JOB_RECEIVED, 205, ""))
    assert alone.keys() == {OWN}


@given(
    st.integers(-(10**13), 10**13), st.lists(st.integers(0, 10**10), min_size=4, max_size=4), st.sets(st.integers(0, 4))
)
def test_a_job_bounds_its_agents_true_offset(true: int, delays: list[int], unseen: set[int]) -> None:
    at = list(accumulate(delays, initial=0))  # offered, received, connecting, JOINING, connected
    ahead = true / NS_PER_MS
    told = [
        offered(at[0] / NS_PER_MS),
        exact(Kind.JOB_RECEIVED, at[1] / NS_PER_MS + ahead),
        exact(Kind.AGENT_CONNECTING, at[2] / NS_PER_MS + ahead),
        joining(at[3] / NS_PER_MS),
        connected(at[4] / NS_PER_MS + ahead),
    ]
    known = clocks(*(one for number, one in enumerate(told) if number not in unseen))
    found = known.offsets.get(HOST, Offset())
    assert not found.contradictory
    assert found.least is None or found.least <= true
    assert found.most is None or true <= found.most


def test_a_worker_that_was_asked_in_vain_has_the_clock_of_its_own_machine() -> None:
    known = clocks(
        offered(200, worker="AW_1"),
        exact(Kind.JOB_RECEIVED, 3_600_201, "an hour ahead", worker="AW_1"),
        offered(900, worker="AW_2"),
        exact(Kind.JOB_RECEIVED, 901, worker="AW_2"),
        exact(Kind.AGENT_CONNECTING, 910),
        joining(950),
        connected(960),
    )
    assert known.offsets[HOST].most == NS_PER_MS
    assert known.offsets[Clock("agent", host="an hour ahead")].most == 3_600_001 * NS_PER_MS
    assert not known.offsets[HOST].contradictory


def test_one_side_alone_is_not_bounded_and_shows_no_clock_to_be_right() -> None:
    offset = offsets(offered(200), exact(Kind.JOB_RECEIVED, 205))[HOST]
    assert (offset.least, offset.most, offset.bounded, offset.off) == (None, ms(205) - ms(200), False, False)
    assert offsets(offered(200), exact(Kind.JOB_RECEIVED, 195))[HOST].off


def test_bounds_that_exclude_each_other_are_told_and_not_used() -> None:
    told = [offered(200), exact(Kind.JOB_RECEIVED, 201), exact(Kind.AGENT_CONNECTING, 300), joining(250)]
    known = clocks(*told, connected(360))
    (offset,) = known.offsets.values()
    assert offset.contradictory
    assert not offset.off
    assert not offset.bounded
    received = next(step for step in fold(ROOM, told).steps if step.kind is Kind.JOB_RECEIVED)
    assert SERVER not in known.bounds(received).lower


def test_each_worker_was_offered_a_job_at_its_own_time() -> None:
    told = [
        offered(200, worker="AW_1"),
        exact(Kind.JOB_RECEIVED, 200.5, worker="AW_1"),
        offered(900, worker="AW_2"),
        exact(Kind.JOB_RECEIVED, 900.4, worker="AW_2"),
    ]
    known = clocks(*told)
    assert [offset.most for offset in known.offsets.values()] == [400_000]
    steps = [step for step in fold(ROOM, told).steps if step.kind is Kind.JOB_OFFERED]
    assert [known.missed(step) for step in steps] == [0, 0]
    assert [known.bounds(step).lower[SERVER] for step in steps] == [ms(200), ms(900)]


def seen(kind: Kind, subject: str, offset: float, after: float | None, by: float) -> Moment:
    """What the observer saw appear between two looks."""
    told = {keys.SEEN_AFTER: None if after is None else str(ms(after)), keys.SEEN_BY: str(ms(by))}
    return moment(kind, subject, ms(offset), ms(offset + 1) - 1, told=told)


def test_the_observers_looks_bound_the_receivers_clock() -> None:
    offset = offsets(seen(Kind.ROOM_CREATED, ROOM, 0, -200, 30), seen(Kind.PARTICIPANT_JOINING, ADA, 50, 45, 57))[
        RECEIVER
    ]
    assert offset.most == ms(57) - ms(50)
    assert offset.least == ms(45) - (ms(51) - 1) - SHOWN_WITHIN


def test_how_soon_the_server_shows_something_contradicts_nothing() -> None:
    # It showed her a second after it took the time.
    offset = offsets(seen(Kind.PARTICIPANT_JOINING, ADA, 50, 1045, 1057), seen(Kind.ROOM_CREATED, ROOM, 0, None, 30))
    assert offset[RECEIVER].least is None
    assert not offset[RECEIVER].contradictory


@pytest.mark.parametrize("text", ["", "soon", "-5", "²", "1" * 5000, "1.5"])
def test_a_look_without_a_time_tells_nothing(text: str) -> None:
    odd = moment(Kind.ROOM_CREATED, ROOM, ms(0), told={keys.SEEN_AFTER: text, keys.SEEN_BY: text})
    assert offsets(odd) == {}


def test_a_webhook_is_bounded_by_its_stamp_and_by_its_arrival() -> None:
    told = moment(Kind.PARTICIPANT_LEFT, ADA, ms(4000), ms(4100), witness="webhook", clock="receiver")
    (step,) = fold(ROOM, [told]).steps
    bounds = clocks(told).bounds(step)
    assert dict(bounds.lower) == {SERVER: ms(4000)}
    assert dict(bounds.upper) == {SERVER: ms(5000) - 1, RECEIVER: ms(4100)}
    late = replace(told, latest=ms(5000) - 1, time=ms(5000) - 1)
    (step,) = fold(ROOM, [late]).steps
    assert dict(clocks(late).bounds(step).upper) == {SERVER: ms(5000) - 1}


def test_a_look_that_starts_at_the_joining_starts_by_the_servers_clock() -> None:
    told = [
        moment(Kind.PARTICIPANT_JOINING, ADA, ms(2), ms(3) - 1),
        moment(Kind.PARTICIPANT_JOINED, ADA, ms(2), ms(16), clock="receiver"),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(15), ms(30), clock="receiver"),
    ]
    known = clocks(*told)
    _, joined, active = fold(ROOM, told).steps
    assert known.clocks_of(joined) == {SERVER, RECEIVER}
    assert known.clocks_of(active) == {RECEIVER}


@given(any_moments(), st.randoms(use_true_random=False))
def test_clocks_take_anything_in_any_order(moments: list[Moment], chance: random.Random) -> None:
    other = list(moments)
    chance.shuffle(other)
    assert [(clock, o.least, o.most) for clock, o in offsets(*moments).items()] == [
        (clock, o.least, o.most) for clock, o in offsets(*other).items()
    ]


@given(any_moments())
def test_a_length_of_time_has_two_ends(moments: list[Moment]) -> None:
    timeline = fold(ROOM, moments)
    known = Clocks(timeline, must_precede(timeline.steps))
    for step in timeline.steps:
        if known.missed(step) == 0:
            apart = known.apart(step, step)
            assert apart.least is None or apart.most is None or apart.least <= apart.most
    assert all(not offset.off for offset in known.offsets.values() if offset.contradictory)
    assert NS_PER_MS < SHOWN_WITHIN
