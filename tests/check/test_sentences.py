from __future__ import annotations

import pytest

from tracer.check.sentences import length, skew
from tracer.clocks.offsets import Offset
from tracer.units import NS_PER_MS as MS
from tracer.units import NS_PER_S


@pytest.mark.parametrize(
    ("least", "most", "words"),
    [
        (None, None, "not bounded"),
        (5 * MS, None, "at least 5.0 ms ahead"),
        (-5 * MS, None, "at most 5.0 ms behind"),
        (None, 5 * MS, "at most 5.0 ms ahead"),
        (None, -5 * MS, "at least 5.0 ms behind"),
        (-5 * MS, 7 * MS, "between 5.0 ms behind and 7.0 ms ahead"),
        (5 * MS, 7 * MS, "between 5.0 ms and 7.0 ms ahead"),
        (-7 * MS, -5 * MS, "between 5.0 ms and 7.0 ms behind"),
        (5 * MS, 5 * MS, "5.0 ms ahead"),
        (7 * MS, 5 * MS, "at least 7.0 ms ahead and at most 5.0 ms ahead: contradictory"),
        (7 * MS, -5 * MS, "at least 7.0 ms ahead and at least 5.0 ms behind: contradictory"),
    ],
)
def test_the_skew_of_a_clock_in_words(least: int | None, most: int | None, words: str) -> None:
    assert skew(Offset(least, most)) == words


@pytest.mark.parametrize(
    ("ns", "text"),
    [(0, "0.0 µs"), (-1500, "1.5 µs"), (MS, "1.0 ms"), (-2 * NS_PER_S, "2.0 s"), (3600 * NS_PER_S, "3,600.000 s")],
)
def test_a_length_of_time_has_no_sign_and_shows_milliseconds_where_it_is_long(ns: int, text: str) -> None:
    assert length(ns) == text
