from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import START
from tracer.clocks.offsets import Offset
from tracer.doctor.diagnosis import State
from tracer.doctor.offset import of_asking, said, state
from tracer.units import NS_PER_MS, NS_PER_S

OFFSETS = st.integers(-(10**13), 10**13)
DELAYS = st.integers(0, 10**10)
MS = NS_PER_MS


def holds(found: Offset, true: int) -> bool:
    return (found.least is None or found.least <= true) and (found.most is None or true <= found.most)


@given(OFFSETS, DELAYS, DELAYS, st.integers(0, NS_PER_S), st.integers(0, NS_PER_S))
def test_asking_bounds_the_true_offset(offset: int, there: int, back: int, before: int, after: int) -> None:
    stamped = START + there  # by the server's clock
    found = of_asking(START + offset, stamped + back + offset, stamped - before, stamped + after)
    assert holds(found, offset)
    assert not found.contradictory


def test_a_clock_of_which_nothing_is_known_cannot_be_told() -> None:
    assert state(Offset()) is State.SKIPPED
    assert said(Offset()) == "cannot be told"


@pytest.mark.parametrize(
    ("least", "most", "meaning", "text"),
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
def test_what_is_certain_decides(least: int | None, most: int | None, meaning: State, text: str) -> None:
    found = Offset(least, most)
    assert (state(found), said(found)) == (meaning, text)
