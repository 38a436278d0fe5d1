from __future__ import annotations

import pytest

from tracer.check import Outcome
from tracer.check.verdict import overall, tally

HOLDS, VIOLATED, INCONCLUSIVE = Outcome.HOLDS, Outcome.VIOLATED, Outcome.INCONCLUSIVE


def test_outcomes_are_slugs() -> None:
    assert [outcome.value for outcome in Outcome] == ["holds", "violated", "inconclusive"]


@pytest.mark.parametrize(
    ("outcomes", "together", "counted"),
    [
        ([], INCONCLUSIVE, ""),
        ([INCONCLUSIVE], INCONCLUSIVE, "1 inconclusive"),
        ([INCONCLUSIVE, HOLDS], HOLDS, "1 passes, 1 inconclusive"),
        ([HOLDS, HOLDS], HOLDS, "2 pass"),
        ([HOLDS, INCONCLUSIVE, VIOLATED, INCONCLUSIVE], VIOLATED, "1 fails, 1 passes, 2 inconclusive"),
        ([VIOLATED, VIOLATED], VIOLATED, "2 fail"),
    ],
)
def test_several_outcomes_come_to_one_and_are_counted(outcomes: list[Outcome], together: Outcome, counted: str) -> None:
    assert overall(outcomes) is together
    assert tally(outcomes) == counted
