from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.errors import ConfigurationError
from tracer.learn.guess import marked, read


@pytest.mark.parametrize("typed", ["2,1,3", "2 1 3", " 213 ", "2, 1; 3.", "2\n1\n3"])
def test_an_order_is_read_however_it_is_typed(typed: str) -> None:
    assert read(typed, 3) == (2, 1, 3)


def test_one_can_be_left_out() -> None:
    assert read("31", 3) == (3, 1)


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "an order is the numbers 1 to 3"),
        (",,", "an order is the numbers 1 to 3"),
        ("room first", "an order is the numbers 1 to 3"),
        ("1,2,\x1b[31m3", "an order is the numbers 1 to 3"),
        ("-1,2", "an order is the numbers 1 to 3"),
        ("1,4", "there is no 4"),
        ("0", "there is no 0"),
        ("1,2,1", "1 is there twice"),
        ("9" * 10_000, "there is no 9"),
    ],
)
def test_what_is_no_order_is_said_in_one_line(typed: str, why: str) -> None:
    with pytest.raises(ConfigurationError, match=why) as error:
        read(typed, 3)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 100


def test_what_was_moved_is_wrong_and_not_all_after_it() -> None:
    times = {1: 10, 2: 20, 3: 30, 4: 40}
    assert [(place.item, place.right) for place in marked(times, (4, 1, 2, 3))] == [
        (1, True),
        (2, True),
        (3, True),
        (4, False),
    ]


def test_what_never_happens_is_last_and_right_where_it_was_left_out() -> None:
    times = {1: None, 2: 20, 3: 10}
    assert [(p.item, p.happened, p.right) for p in marked(times, (3, 2))] == [
        (3, True, True),
        (2, True, True),
        (1, False, True),
    ]
    assert [p.right for p in marked(times, (3, 1, 2))] == [True, True, False]
    assert [p.right for p in marked(times, (3,))] == [True, False, True]


def test_without_a_guess_nothing_is_right_or_wrong() -> None:
    assert {place.right for place in marked({1: 10, 2: None}, None)} == {None}


def test_of_what_was_not_observed_nothing_is_said() -> None:
    assert [(place.item, place.right) for place in marked({1: 10, 3: 30}, (2, 1, 3))] == [(1, True), (3, True)]


@given(st.permutations(range(1, 8)), st.permutations(range(1, 8)))
def test_the_real_order_is_all_right_and_another_never(real: list[int], guess: list[int]) -> None:
    times: dict[int, int | None] = {number: place for place, number in enumerate(real)}
    places = marked(times, guess)
    assert [place.item for place in places] == real
    assert [guess[(place.guessed or 0) - 1] for place in places] == real
    kept = [place.item for place in places if place.right]
    assert kept == [number for number in guess if number in kept], "what is right is in the real order"
    assert (len(kept) == len(real)) == (guess == real)
