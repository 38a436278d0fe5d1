"""What is worked out of a timeline, worked out once: a timeline does not change."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracer.timeline.timeline import Timeline

__all__ = ["once"]

_T = TypeVar("_T")


def once(make: Callable[[Timeline], _T]) -> Callable[[Timeline], _T]:
    """``make``, whose answer is kept with the timeline and as long as that.

    Several ask for the same of one room, and of a thousand participants it takes a tenth of a second.
    """
    name = f"{make.__module__}.{make.__qualname__}"

    @wraps(make)
    def made_once(timeline: Timeline) -> _T:
        kept = vars(timeline)  # where a cached property has its own
        if name not in kept:
            kept[name] = make(timeline)
        answer: _T = kept[name]
        return answer

    return made_once
