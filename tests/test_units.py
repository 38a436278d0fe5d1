from __future__ import annotations

import pytest

from tracer.units import NS_PER_S, duration, milliseconds, offset, plural, rfc3339, share


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000000000Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (1_700_000_000 * NS_PER_S + 70_000_000, "2023-11-14T22:13:20.070000000Z"),
        (None, None),
    ],
)
def test_a_time_keeps_all_nine_digits(ns: int | None, text: str | None) -> None:
    assert rfc3339(ns) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0.04, "0 ms"),
        (0.06, "0.1 ms"),
        (9.94, "9.9 ms"),
        (12.4, "12 ms"),
        (-250, "-250 ms"),
        (999.4, "999 ms"),
        (999.6, "1.0 s"),
        (119_000, "119.0 s"),
        (120_000, "2.0 min"),
        (7_200_000, "2.0 h"),
    ],
)
def test_a_length_is_in_the_unit_that_reads_best(ms: float, text: str) -> None:
    assert milliseconds(ms) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0.04, "0.0 ms"),
        (999.9, "999.9 ms"),
        (999.96, "1.000 s"),
        (-1_500, "-1.500 s"),
        (59_999.6, "1:00.000"),
        (61_234, "1:01.234"),
        (3_661_234, "1:01:01.234"),
    ],
)
def test_a_place_on_the_time_line_is_to_the_millisecond(ms: float, text: str) -> None:
    assert offset(ms) == text


def test_a_duration_changes_its_unit_with_its_length() -> None:
    assert [duration(119.9), duration(120), duration(7199), duration(7200)] == [
        "119.9 s",
        "2.0 min",
        "120.0 min",
        "2.0 h",
    ]


def test_a_share_of_nothing_is_not_shown() -> None:
    assert (share(1, 3), share(0, 3), share(1, 0)) == ("33 %", "0 %", "")


def test_one_thing_is_not_several() -> None:
    assert [plural(number, "gap") for number in (0, 1, 2)] == ["gaps", "gap", "gaps"]
