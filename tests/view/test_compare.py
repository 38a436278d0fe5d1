from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.latency.test_gaps import HOUR, at, cold, moved, without
from tests.latency.test_stats import SUMMARIES
from tests.moments import ROOM, call
from tests.view.test_stats import HOSTILE, WIDTHS, many, shown
from tracer.latency.compare import against, between
from tracer.latency.stats import figures
from tracer.latency.summary import Summary, summarize
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.view.compare import CompareView, as_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracer.moment import Moment


def summary(moments: Sequence[Moment]) -> Summary:
    return summarize(fold(ROOM, moments))


def test_two_rooms_at_a_width_of_110() -> None:
    view = CompareView(between(summary(cold()), summary(call())), "monday RM_1", "tuesday RM_2")
    assert shown(view, 110) == GOLDEN.splitlines()


def test_a_room_against_the_many_at_a_width_of_110() -> None:
    view = CompareView(against(summary(cold()), figures(many())), "monday RM_1", "the latest 10,000 rooms", many=True)
    assert shown(view, 110) == GOLDEN_MANY.splitlines()


GOLDEN = """\
room A  monday RM_1
room B  tuesday RM_2

                                                                owner                    A         B     A - B
first cause → agent ready                                                            2.4 s    392 ms    +2.0 s
caller ACTIVE → agent ready                                                          2.3 s    295 ms    +2.0 s
process.started → process.ready                                 your code            1.5 s         -    +1.5 s
job.assigned → process.started                                  process start       500 ms         -   +500 ms
room.created → dispatch.created                                 LiveKit server      0.2 ms    0.2 ms     +0 ms
dispatch.created → job.offered                                  LiveKit server      200 ms    200 ms     +0 ms
job.offered → job.received                                      network             0.4 ms    0.4 ms     +0 ms
job.received → job.accepted                                     your code           0.8 ms    0.8 ms     +0 ms
job.accepted → job.assigned                                     LiveKit server      0.4 ms    0.4 ms     +0 ms
process.ready → job.process_assigned                            worker                0 ms         -     +0 ms
job.process_assigned → job.entrypoint_started                   process start       5.0 ms    5.0 ms     +0 ms
job.entrypoint_started → agent.connecting                       your code           4.4 ms    4.4 ms     +0 ms
agent.connecting → participant.joining                          worker               44 ms     44 ms     +0 ms
participant.joining → agent.connected                           network             100 ms    100 ms     +0 ms
agent.connected → agent.waiting_for_participant                 your code           3.0 ms    3.0 ms     +0 ms
agent.waiting_for_participant → agent.participant_ready         LiveKit server      0.2 ms    0.2 ms     +0 ms
agent.participant_ready → session.starting                      your code           2.8 ms    2.8 ms     +0 ms
session.starting → session.started                              session start        29 ms     29 ms     +0 ms
job.assigned → job.process_assigned                             process start            -      0 ms     +0 ms

problems in room A only: cold-process
largest difference: process.started → process.ready (your code) took 1.5 s longer in room A
→ longest gap you can shorten: 1.5 s more than in room B, your code: make setup_fnc shorter, or keep processes
warm so that nobody waits for it: num_idle_processes
"""
GOLDEN_MANY = """\
room A  monday RM_1   the unnamed agent
rooms B  the latest 10,000 rooms   the unnamed agent   23 jobs measured

                                                      owner                    A  p50 of B  p95 of B   A - p50
first cause → agent ready                                                  2.4 s    392 ms     2.4 s    +2.0 s
caller ACTIVE → agent ready                                                2.3 s    295 ms     2.3 s    +2.0 s
process.started → ready                               your code            1.5 s         -         -    +1.5 s
job.assigned → process.started                        process start       500 ms         -         -   +500 ms
room.created → dispatch.created                       LiveKit server      0.2 ms    0.2 ms    0.2 ms     +0 ms
dispatch.created → job.offered                        LiveKit server      200 ms    200 ms    200 ms     +0 ms
job.offered → received                                network             0.4 ms    0.4 ms    0.4 ms     +0 ms
job.received → accepted                               your code           0.8 ms    0.8 ms    0.8 ms     +0 ms
job.accepted → assigned                               LiveKit server      0.4 ms    0.4 ms    0.4 ms     +0 ms
process.ready → job.process_assigned                  worker                0 ms         -         -     +0 ms
job.process_assigned → entrypoint_started             process start       5.0 ms    5.0 ms    5.0 ms     +0 ms
job.entrypoint_started → agent.connecting             your code           4.4 ms    4.4 ms    4.4 ms     +0 ms
agent.connecting → participant.joining                worker               44 ms     44 ms     44 ms     +0 ms
participant.joining → agent.connected                 network             100 ms    100 ms    100 ms     +0 ms
agent.connected → waiting_for_participant             your code           3.0 ms    3.0 ms    3.0 ms     +0 ms
agent.waiting_for_participant → participant_ready     LiveKit server      0.2 ms    0.2 ms    0.2 ms     +0 ms
agent.participant_ready → session.starting            your code           2.8 ms    2.8 ms    2.8 ms     +0 ms
session.starting → started                            session start        29 ms     29 ms     29 ms     +0 ms
job.assigned → process_assigned                       process start            -      0 ms      0 ms     +0 ms

problems in room A: cold-process
largest difference: process.started → process.ready (your code) took 1.5 s longer in room A
→ longest gap you can shorten: 1.5 s more than in rooms B, your code: make setup_fnc shorter, or keep
processes warm so that nobody waits for it: num_idle_processes
"""


@pytest.mark.parametrize("width", WIDTHS)
def test_every_difference_is_whole_at_every_width(width: int) -> None:
    for view in (
        CompareView(between(summary(cold()), summary(call())), "a", "b"),
        CompareView(against(summary(cold()), figures(many())), "a", "b", many=True),
    ):
        text = "\n".join(shown(view, width))
        assert "…" not in text
        assert "+1.5 s" in text
        assert "largest difference: process.started → process.ready (your code)" in " ".join(text.split())


@pytest.mark.parametrize("width", WIDTHS)
def test_a_hostile_name_is_harmless(width: int) -> None:
    compared = between(summary(cold()), summary(without(Kind.SESSION_STARTED)))
    for name in HOSTILE:
        lines = shown(CompareView(compared, name, name), width)
        assert lines[1].endswith("not ready"), name


def test_what_is_the_same_is_said_to_be() -> None:
    lines = shown(CompareView(between(summary(call()), summary(call())), "a", "b"), 80)
    assert lines[-1] == "no gap differs by a millisecond or more"
    assert "+0 ms" in lines[-3]


def test_what_is_longer_and_can_be_shortened_is_named() -> None:
    slow = at(at(call(), Kind.SESSION_STARTED, 492), Kind.JOB_OFFERED, 1)
    lines = shown(CompareView(between(summary(slow), summary(call())), "a", "b"), 200)
    assert lines[-2].startswith(
        "largest difference: dispatch.created → job.offered (LiveKit server) took 200 ms shorter"
    )
    assert lines[-1].startswith(
        "→ longest gap you can shorten: 200 ms more than in room B, network: run the agent near"
    )


def test_what_is_shorter_is_said_to_be() -> None:
    lines = shown(CompareView(between(summary(call()), summary(at(call(), Kind.SESSION_STARTED, 492))), "a", "b"), 80)
    told = "largest difference: session.starting → session.started (session start) took 100 ms shorter in room A"
    assert " ".join(lines[-2:]).split() == told.split()


def test_where_nothing_was_measured_there_is_nothing_to_compare() -> None:
    nothing = summary([])
    lines = shown(CompareView(between(nothing, nothing), "a", "b"), 80)
    assert lines == [
        "room A  a   not over",
        "room B  b   not over",
        "nothing to compare: no agent's start was measured in either",
        "",
    ]


def test_a_clock_that_is_off_leaves_what_it_spoils_empty() -> None:
    lines = shown(CompareView(between(summary(moved(call(), HOUR)), summary(call())), "a", "b"), 120)
    assert lines[0] == "room A  a   with clock skew"
    [row] = [line for line in lines if line.startswith("job.offered → job.received")]
    assert row.split()[-4:] == ["network", "-", "0.4", "ms"]


def test_causes_of_only_one_are_named() -> None:
    lines = shown(CompareView(between(summary(cold()), summary(call())), "a", "b"), 80)
    assert "problems in room A only: cold-process" in lines
    lines = shown(CompareView(against(summary(cold()), figures(many())), "a", "b", many=True), 80)
    assert "problems in room A: cold-process" in lines


def test_a_comparison_as_json() -> None:
    told = as_json(between(summary(cold()), summary(call())), "a", "b")
    assert (told["a"], told["b"], told["counted"]) == ("a", "b", ["measured", "measured"])
    assert told["gaps"][0] == {
        "name": "process.started → process.ready",
        "owner": "your_code",
        "a_state": "measured",
        "a_ms": 1500.0,
        "b_state": "absent",
        "b_ms": None,
        "b_p95_ms": None,
        "difference_ms": 1500.0,
        "advice": "make setup_fnc shorter, or keep processes warm so that nobody waits for it: num_idle_processes",
    }
    assert (told["sums"][0]["owner"], told["sums"][0]["advice"]) == (None, None)
    assert (told["causes_only_in_a"], told["causes_only_in_b"]) == (["cold-process"], [])


@given(SUMMARIES, SUMMARIES, st.lists(SUMMARIES, max_size=25), st.sampled_from(WIDTHS))
def test_any_comparison_can_be_shown(one: Summary, two: Summary, rooms: list[Summary], width: int) -> None:
    shown(CompareView(between(one, two), "a", "b"), width)
    shown(CompareView(against(one, figures(rooms)), "a", "b", many=True), width)
