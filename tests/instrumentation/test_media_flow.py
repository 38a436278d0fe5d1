"""Whether anything of the server still reaches an agent, by the statistics of its tracks."""

from __future__ import annotations

import pytest
from livekit.rtc._proto.stats_pb2 import RtcStats

from tracer.instrumentation.media_flow import Arrived, MediaFlow, arrived
from tracer.kinds import Kind
from tracer.units import NS_PER_S

STOPPED, BACK = Kind.AGENT_MEDIA_STOPPED, Kind.AGENT_MEDIA_BACK
EVERY = 3
"""Seconds between two answers."""


def reported(amounts: list[int | None], last: float = 0, *, renewed: int = -1) -> list[tuple[Kind, float, float]]:
    """What is reported, in s, when so much had come at each answer, the last packet at ``last`` s."""
    found: list[tuple[Kind, float, float]] = []
    flow = MediaFlow(lambda kind, since, at: found.append((kind, since / NS_PER_S, at / NS_PER_S)))
    for number, amount in enumerate(amounts, 1):
        if number == renewed:
            flow.unknown()
        flow.learn(None if amount is None else Arrived(amount, int(last * NS_PER_S)), number * EVERY * NS_PER_S)
    return found


@pytest.mark.parametrize(
    ("amounts", "last", "found"),
    [
        ([10, 20, 20, 20, 90], 4, [(STOPPED, 4, 4), (BACK, 12, 15)]),
        ([10, 20, 20, 20, 20, 20], 4, [(STOPPED, 4, 4)]),
        ([10, 20, 20, 20, 90], 0, [(STOPPED, 6, 6), (BACK, 12, 15)]),
        ([10, 20, 20, 90, 90, 90], 5, [(STOPPED, 12, 12)]),
        ([10, 20, 20, 90], 4.5, []),
        ([10, 20, 30, 31, 32, 33], 8, []),
        ([10, 20, None, None, 20, 30], 0, [(STOPPED, 6, 6), (BACK, 15, 18)]),
        ([None, None], 0, []),
    ],
    ids=[
        "for a while",
        "for good",
        "by answers to checks alone",
        "a pause, and then for longer",
        "a pause",
        "nobody speaks",
        "no statistics meanwhile",
        "none at all",
    ],
)
def test_nothing_that_comes_is_reported(
    amounts: list[int | None], last: float, found: list[tuple[Kind, float, float]]
) -> None:
    assert reported(amounts, last) == found


def test_a_connection_that_is_renewed_begins_anew() -> None:
    assert reported([10, 20, 20, 20, 5], 4, renewed=3) == []


def test_what_came_is_counted_over_all_of_a_connections_pairs() -> None:
    statistics = [RtcStats(), RtcStats()]
    for one, last in zip(statistics, (1500.0, 2500.5), strict=True):
        pair = one.candidate_pair.candidate_pair
        pair.packets_received, pair.responses_received, pair.requests_received = 5, 2, 1
        pair.last_packet_received_timestamp = last
    assert arrived(statistics) == Arrived(16, 2_500_500_000)


def test_statistics_without_a_connection_tell_nothing() -> None:
    assert arrived([RtcStats()]) is None
    assert arrived([object()]) is None
