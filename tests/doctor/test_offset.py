from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import START
from tracer.clocks.offsets import Offset
from tracer.doctor.diagnosis import State
from tracer.doctor.offset import in_words, of_request, state
from tracer.units import NS_PER_MS, NS_PER_S

OFFSETS = st.integers(-(10**13), 10**13)
DELAYS = st.integers(0, 10**10)
MS = NS_PER_MS


def holds(found: Offset, true: int) -> bool:
    return (found.least is None or found.least <= true) and (found.most is None or true <= found.most)


@given(OFFSETS, DELAYS, DELAYS, st.integers(0, NS_PER_S), st.integers(0, NS_PER_S))
def test_asking_bounds_the_true_offset(offset: int, there: int, back: int, before: int, after: int) -> None:
    stamped = START + there  # by the server's clock
    found = of_request(START + offset, stamped + back + offset, stamped - before, stamped + after)
    assert holds(found, offset)
    assert not found.contradictory


def test_a_clock_of_which_nothing_is_known_is_skipped() -> None:
    assert state(Offset()) is State.SKIPPED
    assert in_words(Offset()) == "is unknown"


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
        (1, -1, State.WARNING, "was adjusted during the check"),
        (None, 5 * MS, State.SKIPPED, "is at most 5.0 ms ahead of the server's; how far behind is unknown"),
        (-5 * MS, None, State.SKIPPED, "is at most 5.0 ms behind the server's; how far ahead is unknown"),
        (None, -2000 * MS, State.FAILED, "is at least 2.0 s behind the server's"),
        (500 * MS, None, State.WARNING, "is at least 500 ms ahead of the server's"),
    ],
)
def test_what_is_certain_decides(least: int | None, most: int | None, meaning: State, text: str) -> None:
    found = Offset(least, most)
    assert (state(found), in_words(found)) == (meaning, text)
