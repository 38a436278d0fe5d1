"""One corrected timeline for `why` and for the latencies."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.moments import ADA, JOB, MICROPHONE, ROOM, call, moment, ms
from tracer import keys
from tracer.clocks.corrected import CorrectedTimeline
from tracer.clocks.offsets import RECEIVER, Clock
from tracer.latency.gaps import Paths
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.units import NS_PER_MS
from tracer.why.call import Call


def shifted(by: float) -> list[Moment]:
    """The call, with the agent's clock ahead by so many ms."""
    ns = round(by * NS_PER_MS)
    return [
        replace(m, earliest=m.earliest + ns, latest=m.latest + ns, time=m.time + ns) if m.clock == "agent" else m
        for m in call()
    ]


@pytest.mark.parametrize("by", [-50, 60])
def test_an_agents_clock_that_is_off_by_50_ms_is_corrected_alike_for_why_and_for_the_budget(by: float) -> None:
    timeline = fold(ROOM, shifted(by))
    why, budget = Call(timeline).timeline, Paths(timeline).corrected.timeline
    assert why.steps == budget.steps
    assert why.steps != timeline.steps
    (gap,) = [gap for gap in Paths(timeline).first if gap.end.kind is Kind.JOB_RECEIVED]
    received = next(step for step in why.steps if step.kind is Kind.JOB_RECEIVED)
    assert (gap.end.time, gap.doubtful) == (received.time, True)


@pytest.mark.parametrize("by", [-3_600_000.0, -50.0, 60.0, 3_600_000.0])
def test_a_corrected_clock_is_no_longer_off(by: float) -> None:
    corrected = CorrectedTimeline(fold(ROOM, shifted(by)))
    assert list(corrected.off) == [Clock("agent", sid=JOB)]
    assert CorrectedTimeline(corrected.timeline).off == {}


@pytest.mark.parametrize("by", [-30_000, 30_000])
def test_what_an_agent_sees_of_a_track_is_by_the_clock_of_its_job(by: int) -> None:
    told = {keys.JOB_ID: JOB}
    muted = moment(Kind.TRACK_MUTED, MICROPHONE, ms(5000 + by), witness="agent", clock="agent", told=told)
    corrected = CorrectedTimeline(fold(ROOM, [*shifted(by), muted]))
    step = next(step for step in corrected.timeline.steps if step.kind is Kind.TRACK_MUTED)
    assert abs(step.time - ms(5000)) < 1000 * NS_PER_MS
    assert list(corrected.off) == [Clock("agent", sid=JOB)]


def test_a_step_is_shown_as_it_was_reported() -> None:
    timeline = fold(ROOM, shifted(-50))
    corrected = CorrectedTimeline(timeline)
    assert [corrected.as_reported(step).key for step in corrected.timeline.steps] != []
    by_key = {step.key: step for step in timeline.steps}
    assert all(corrected.as_reported(step) is by_key[step.key] for step in corrected.timeline.steps)
    received = next(step for step in corrected.timeline.steps if step.kind is Kind.JOB_RECEIVED)
    assert corrected.step(received).ahead < 0
    assert corrected.as_reported(received).time < received.time


def test_clocks_that_may_be_right_are_left_alone() -> None:
    timeline = fold(ROOM, call())
    corrected = CorrectedTimeline(timeline)
    assert corrected.timeline is timeline
    assert corrected.off == {}
    assert all(corrected.as_reported(step) is step for step in timeline.steps)


def test_the_second_that_the_server_stamped_stays_where_it_is_whatever_the_receivers_clock() -> None:
    left = moment(Kind.PARTICIPANT_LEFT, ADA, ms(4000), ms(4100), witness="webhook", clock="receiver")
    clocks = CorrectedTimeline(fold(ROOM, [left]))._moments
    behind = clocks.corrected(left, {RECEIVER: -300 * NS_PER_MS})
    assert (behind.earliest, behind.latest) == (ms(4000), ms(4400))
    assert clocks.corrected(left, {RECEIVER: -5_000 * NS_PER_MS}).latest == ms(5000) - 1
