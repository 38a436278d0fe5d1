"""A time axis with the idle stretches folded away."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from tracer.units import NS_PER_MS, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Axis", "idle_stretches"]

SHORTEST_FOLD = 500 * NS_PER_MS
"""Nothing shorter than this, ns, is folded."""
FOLD_SHARE = 0.25
"""A stretch is folded when nothing happens in it for more than this share of what would be left to draw."""
FOLD = " ⋯ "
NARROWEST = 5
"""Columns of the shortest stretch that is drawn."""
WAIT_SHARE = 0.25
"""Part of the whole for the longest stretch in which something was missing."""
WAIT_FROM = 20
"""Half of the columns from which on there is room for that."""
TICK_EVERY = 10
"""Columns between two ticks, at least."""


def idle_stretches(times: Iterable[int]) -> list[tuple[int, int]]:
    """The stretches (from, to; ns) in which nothing happens and which are worth folding, in order of time."""
    gaps = sorted(pairwise(sorted(set(times))), key=lambda gap: gap[0] - gap[1])
    left = sum(end - start for start, end in gaps)
    folded = []
    for start, end in gaps:
        if end - start < max(SHORTEST_FOLD, FOLD_SHARE * left):
            break
        folded.append((start, end))
        left -= end - start
    return sorted(folded)


@dataclass(frozen=True, slots=True)
class _Stretch:
    """A piece of time that is drawn to one scale. Times in ns, columns from the left edge of the chart."""

    start: int
    end: int
    column: int
    width: int

    def at(self, time: int) -> int:
        return self.column + round(self.within(time))

    def within(self, time: int) -> float:
        """Columns from its own left edge."""
        if self.end <= self.start:
            return 0
        share = (min(max(time, self.start), self.end) - self.start) / (self.end - self.start)
        return share * (self.width - 1)


class Axis:
    """Where on a chart of some width each time lies."""

    def __init__(
        self,
        times: Iterable[int],
        zero: int,
        width: int,
        waits: Iterable[tuple[int, int]] = (),
        *,
        last: int = NARROWEST,
    ) -> None:
        """``waits`` (from, to; ns) is when something was missing: that is drawn, though nothing happens in it.

        ``last`` is the number of columns, at least, of the last stretch.
        """
        known = sorted(set(times)) or [zero]
        folds = idle_stretches(known)
        wait = _longest(folds, waits) if width >= 2 * WAIT_FROM else None
        # When there is no room for every stretch, the shortest folds stay open. The wait has one on either side.
        spare = width - last - (int(width * WAIT_SHARE) + 2 * NARROWEST if wait else 0)
        most = max(spare // (NARROWEST + len(FOLD)), 0)
        others = sorted((fold for fold in folds if fold != wait), key=lambda fold: fold[0] - fold[1])
        folds = sorted([*others[:most], *([wait] if wait else [])])
        bounds = [known[0], *(edge for fold in folds for edge in fold), known[-1]]
        pieces = list(zip(bounds[::2], bounds[1::2], strict=True))
        if wait:
            wait = wait[0], wait[1] - 1
            # Where nothing but the beginning of the wait lies before it, that is the edge of the same stretch.
            edge = next((piece for piece in pieces if piece == (wait[0], wait[0])), None)
            pieces = sorted([*(piece for piece in pieces if piece != edge), (wait[0] + (edge is None), wait[1])])
            wait = pieces[[end for _, end in pieces].index(wait[1])]
        self.zero = zero
        self.width = width
        self.stretches = _laid_out(pieces, width, wait, last)
        self._starts = [stretch.start for stretch in self.stretches]

    def column(self, time: int) -> int:
        """The column, from 0, of a time in ns. Between two stretches: the edge of the earlier one."""
        return self._stretch(time).at(time)

    def position(self, time: int) -> float:
        """As ``column``, between columns too."""
        stretch = self._stretch(time)
        return stretch.column + stretch.within(time)

    def _stretch(self, time: int) -> _Stretch:
        return self.stretches[max(bisect_right(self._starts, time) - 1, 0)]

    @property
    def folds(self) -> list[int]:
        """First columns of the fold marks: none is between stretches that touch."""
        apart = (later for earlier, later in pairwise(self.stretches) if earlier.column + earlier.width < later.column)
        return [stretch.column - len(FOLD) for stretch in apart]

    def scale(self) -> str:
        """The line of ticks above the chart."""
        line = [" "] * (self.width + 12)
        for column, label in self.ticks():
            line[column : column + len(label)] = label
        for column in self.folds:
            if all(char == " " for char in line[column : column + len(FOLD)]):
                line[column : column + len(FOLD)] = FOLD
        return "".join(line[: self.width]).rstrip()

    def ticks(self) -> Iterator[tuple[int, str]]:
        """Where a label of the scale begins, and what it is; none overlaps another."""
        free, said = 0, ""
        for number, stretch in enumerate(self.stretches):
            for time in self._ticks(stretch, first=number == 0):
                label = "0" if time == self.zero else milliseconds((time - self.zero) / NS_PER_MS)
                column = stretch.at(time)
                if column >= free and column + len(label) <= self.width and label != said:
                    yield column, label
                    free, said = column + len(label) + 2, label

    def _ticks(self, stretch: _Stretch, *, first: bool) -> list[int]:
        length = stretch.end - stretch.start
        if not first or length <= 0:
            return [stretch.start]
        step = NS_PER_MS
        wanted = max(stretch.width // TICK_EVERY, 1)
        for factor in (2, 2.5, 2) * 12:
            if length / step <= wanted:
                break
            step = int(step * factor)
        return list(range(stretch.start - (stretch.start - self.zero) % step, stretch.end + 1, step))


def _longest(folds: list[tuple[int, int]], waits: Iterable[tuple[int, int]]) -> tuple[int, int] | None:
    """The longest fold in which something was missing; None where there is no such fold."""
    missed = list(waits)
    within = [fold for fold in folds if any(start <= fold[0] and fold[1] <= end for start, end in missed)]
    return max(within, key=lambda fold: fold[1] - fold[0], default=None)


def _laid_out(
    pieces: list[tuple[int, int]], width: int, wait: tuple[int, int] | None = None, last: int = NARROWEST
) -> list[_Stretch]:
    """Every piece gets its least width, and the rest in proportion to its length; ``wait`` a share of the whole.

    Between two that touch, as where something began to be missing, nothing is folded.
    """
    folds = [len(FOLD) if later[0] - earlier[1] > 1 else 0 for earlier, later in pairwise(pieces)]
    fixed = (int(width * WAIT_SHARE) if wait else 0) + last - NARROWEST
    spare = max(width - sum(folds) - NARROWEST * len(pieces) - fixed, 0)
    total = sum(end - start for start, end in pieces if (start, end) != wait) or 1
    column, laid = 0, []
    for number, ((start, end), fold) in enumerate(zip(pieces, [*folds, 0], strict=True)):
        share = NARROWEST + (int(width * WAIT_SHARE) if (start, end) == wait else int(spare * (end - start) / total))
        if number == len(pieces) - 1:
            share = max(width - column, 1)
        laid.append(_Stretch(start, end, column, share))
        column += share + fold
    return laid
