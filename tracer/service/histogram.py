"""A histogram as Prometheus knows it: how many lengths of time were at most so long, each with a trace to look at."""

from __future__ import annotations

import time
from bisect import bisect_left
from typing import TYPE_CHECKING

from prometheus_client.samples import Exemplar

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Histogram"]


class Histogram:
    """Counts lengths of time, s. Not for several threads at once."""

    __slots__ = ("_bounds", "_counts", "_exemplars", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        """``bounds``: the longest of each bucket, s, in order; what is longer has a bucket of its own."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._exemplars: list[Exemplar | None] = [None] * len(self._counts)
        self.sum = 0.0
        """Of all lengths, s."""

    def add(self, seconds: float, trace_id: str = "") -> None:
        """Count one; ``trace_id``: where to look at it, 32 hexadecimal digits."""
        place = bisect_left(self._bounds, seconds)
        self._counts[place] += 1
        self.sum += seconds
        if trace_id:
            self._exemplars[place] = Exemplar({"trace_id": trace_id}, seconds, time.time())

    def buckets(self) -> list[tuple[str, float] | tuple[str, float, Exemplar]]:
        """As a ``HistogramMetricFamily`` takes them: each with all that was shorter."""
        found: list[tuple[str, float] | tuple[str, float, Exemplar]] = []
        total = 0
        for bound, count, exemplar in zip((*self._bounds, float("inf")), self._counts, self._exemplars, strict=True):
            total += count
            name = "+Inf" if bound == float("inf") else str(bound)
            found.append((name, total, exemplar) if exemplar else (name, total))
        return found
