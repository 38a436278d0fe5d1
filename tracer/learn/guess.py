"""An order that somebody guessed, beside the one that was measured. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from tracer.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Place", "marked", "read"]


class Place(NamedTuple):
    """One thing in the order in which it really happened."""

    item: int
    """Its number in the question, from 1."""
    happened: bool
    """Whether it happened at all; what did not comes last."""
    guessed: int | None
    """Its place in the guess, from 1; None where it was left out, or nothing was guessed."""
    right: bool | None
    """Whether it was guessed rightly; None where nothing was guessed.

    What happened is right if it is among the most that can be kept in place when the others are moved: one that was
    guessed too early does not make all after it wrong.
    """


def read(text: str, count: int) -> tuple[int, ...]:
    """The order that was typed, ``2,1,3`` or ``2 1 3``, of so many things; one can be left out.

    Up to nine things can be typed without anything between them: ``213``. Raises ConfigurationError, which says what is
    wrong with it.
    """
    numbers = re.findall(r"\d" if re.fullmatch(r"\s*\d+\s*", text) and count <= 9 else r"\d{1,9}", text)
    order = tuple(map(int, numbers))
    wrong = next((number for number in order if not 1 <= number <= count), None)
    twice = next((number for number in order if order.count(number) > 1), None)
    if not order or re.sub(r"[\d\s,;.]", "", text):
        raise ConfigurationError(f"an order is the numbers 1 to {count} as they happen: 2,1,3")
    if wrong is not None:
        raise ConfigurationError(f"there is no {wrong}: an order has the numbers 1 to {count}")
    if twice is not None:
        raise ConfigurationError(f"{twice} is there twice: each happens once, if at all")
    return order


def marked(times: Mapping[int, int | None], guess: Sequence[int] | None) -> list[Place]:
    """Each thing in the order in which it happened, and whether it was guessed.

    ``times`` has by its number when each thing happened, of any clock, or None where it did not; of one that is not in
    it nothing is known, and nothing is said. ``guess`` has the numbers in the guessed order.
    """
    happened = {number: at for number, at in times.items() if at is not None}
    real = sorted(happened, key=lambda number: (happened[number], number))
    guessed = [number for number in guess or () if number in times]
    kept = _kept([number for number in guessed if number in happened], real)
    places = []
    for number in (*real, *(number for number in times if number not in happened)):
        place = guessed.index(number) + 1 if number in guessed else None
        right = number in kept if number in happened else place is None
        places.append(Place(number, number in happened, place, None if guess is None else right))
    return places


def _kept(guessed: Sequence[int], real: Sequence[int]) -> set[int]:
    """The longest part of the guess that is in the real order."""
    ends: list[int] = []  # for each length, the earliest real place with which a run of that length can end
    runs: list[list[int]] = [[]]
    for number in guessed:
        place = real.index(number)
        length = bisect_left(ends, place)
        ends[length : length + 1] = [place]
        runs[length + 1 : length + 2] = [[*runs[length], number]]
    return set(runs[-1])
