"""Which spans of a room were queued, and which still wait because they may change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracer.export.spans import Span

__all__ = ["QUIET", "RoomSpans"]

QUIET = 1.0
"""Seconds for which a span must stay as it is before it is queued: what is learnt later stays in the store."""


class _Waiting(NamedTuple):
    span: Span
    since: float
    """Since when it has been like this, s, monotonic."""


@dataclass(frozen=True, slots=True)
class RoomSpans:
    """The spans of one room between two updates. Immutable: where queueing fails, the old one is still true."""

    waiting: Mapping[int, _Waiting] = field(default_factory=dict)
    """By span id: the spans that changed less than ``QUIET`` ago."""
    queued: frozenset[int] = frozenset()
    """Ids of the spans that were queued; a span is queued once, whatever is learnt of it later."""

    def updated(self, spans: Iterable[Span], now: float) -> tuple[RoomSpans, list[Span]]:
        """The room's spans as of ``now`` (s, monotonic; infinity ends all waiting), and those to be queued."""
        waiting: dict[int, _Waiting] = {}
        ready: list[Span] = []
        for span in spans:
            if span.span_id in self.queued or (span.pending and now != float("inf")):
                continue
            before = self.waiting.get(span.span_id)
            since = before.since if before and before.span == span else now
            if now - since >= QUIET or now == float("inf"):
                ready.append(span)
            else:
                waiting[span.span_id] = _Waiting(span, since)
        return RoomSpans(waiting, self.queued | {span.span_id for span in ready}), ready
