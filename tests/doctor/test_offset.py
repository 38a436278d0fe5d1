from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import AGENT, JOB, START, moment
from tracer.doctor.finding import State
from tracer.doctor.offset import Offset, of_agent, of_asking
from tracer.moment import NS_PER_MS, NS_PER_S, Kind
from tracer.step import Step, merge

OFFSETS = st.integers(-(10**13), 10**13)
DELAYS = st.integers(0, 10**10)
MS = NS_PER_MS


def holds(found: Offset, true: int) -> bool:
    return (found.lowest is None or found.lowest <= true) and (found.highest is None or true <= found.highest)


@given(OFFSETS, DELAYS, DELAYS, st.integers(0, NS_PER_S), st.integers(0, NS_PER_S))
def test_asking_bounds_the_true_offset(offset: int, there: int, back: int, before: int, after: int) -> None:
    stamped = START + there  # by the server's clock
    found = of_asking(START + offset, stamped + back + offset, stamped - before, stamped + after)
    assert holds(found, offset)
    assert not found.contradicts


def steps(*times: tuple[Kind, str, int, int]) -> list[Step]:
    return merge(moment(kind, subject, at, at + width) for kind, subject, at, width in times)


@given(OFFSETS, st.lists(DELAYS, min_size=4, max_size=4), st.sets(st.integers(0, 4)))
def test_a_job_bounds_its_agents_true_offset(offset: int, delays: list[int], unseen: set[int]) -> None:
    offered = START
    received = offered + delays[0]
    connecting = received + delays[1]
    joined = connecting + delays[2]
    connected = joined + delays[3]
    told = [
        (Kind.JOB_OFFERED, JOB, offered, 0),
        (Kind.JOB_RECEIVED, JOB, received + offset, 0),
        (Kind.AGENT_CONNECTING, JOB, connecting + offset, 0),
        (Kind.AGENT_CONNECTED, JOB, connected + offset, 0),
    ]
    job = steps(*(one for number, one in enumerate(told) if number not in unseen))
    [joining] = steps((Kind.PARTICIPANT_JOINING, AGENT, joined, MS - 1))
    found = of_agent(job, None if 4 in unseen else joining)
    assert holds(found, offset)
    assert not found.contradicts


def test_a_job_of_which_nothing_is_known_bounds_nothing() -> None:
    assert of_agent([], None) == Offset()
    assert Offset().state is State.SKIPPED
    assert str(Offset()) == "cannot be told"


@pytest.mark.parametrize(
    ("lowest", "highest", "state", "said"),
    [
        (-MS, 2 * MS, State.OK, "is within 2.0 ms of the server's"),
        (-900 * MS, 0, State.OK, "is within 900 ms of the server's"),
        (20 * MS, 30 * MS, State.OK, "is 25 ms (±5.0 ms) ahead of the server's"),
        (100 * MS + 1, 200 * MS, State.WARNING, "is 150 ms (±50 ms) ahead of the server's"),
        (-200 * MS, -101 * MS, State.WARNING, "is 150 ms (±50 ms) behind the server's"),
        (2999 * MS, 3001 * MS, State.FAILED, "is 3.0 s (±1.0 ms) ahead of the server's"),
        (-86_400_000 * MS, -86_399_998 * MS, State.FAILED, "is 24.0 h (±1.0 ms) behind the server's"),
        (1, -1, State.WARNING, "was set while it was looked at"),
        (None, 5 * MS, State.SKIPPED, "is ahead of the server's by no more than 5.0 ms; how far behind cannot be told"),
        (-5 * MS, None, State.SKIPPED, "is behind the server's by no more than 5.0 ms; how far ahead cannot be told"),
        (None, -2000 * MS, State.FAILED, "is 2.0 s or more behind the server's"),
        (500 * MS, None, State.WARNING, "is 500 ms or more ahead of the server's"),
    ],
)
def test_what_is_certain_decides(lowest: int | None, highest: int | None, state: State, said: str) -> None:
    found = Offset(lowest, highest)
    assert (found.state, str(found)) == (state, said)
