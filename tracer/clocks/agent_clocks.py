"""Agents' clocks set right, so that what they tell can be held against what the server tells."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.clocks.offsets import Clocks
from tracer.moment import NS_PER_MS
from tracer.timeline.fold import fold
from tracer.timeline.precedence import must_precede

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.moment import Moment
    from tracer.timeline.fold import Timeline
    from tracer.timeline.step import Step

__all__ = ["set_right"]

CLOSE = 100 * NS_PER_MS
"""Clocks that are proven to be no further apart than this, ns, are left as they are."""


def set_right(timeline: Timeline) -> Timeline:
    """The same timeline; where an agent's clock is proven to be off, its moments are moved by as much as is proven."""
    steps = [step for step in timeline.steps if not step.subject.startswith("AW_")]
    if not any(step.clock == "agent" for step in steps):
        return timeline
    clocks = Clocks(timeline, must_precede(steps))
    off = {
        clock: offset.proven
        for clock, offset in clocks.offsets.items()
        if clock.kind == "agent" and abs(offset.proven) > CLOSE
    }
    if not off:
        return timeline

    def moved(step: Step) -> Iterator[Moment]:
        # Two agents tell the same only of a job that both were asked for, each in a step of its own.
        ahead = next((off[clock] for clock in clocks.clocks_of(step) if clock in off), 0)
        for told in step.told:
            by = ahead if told.clock == "agent" else 0
            yield replace(told, earliest=told.earliest - by, latest=told.latest - by, time=told.time - by)

    moments = [moment for step in steps for moment in moved(step)]
    workers = [moment for worker in timeline.workers for step in worker.steps for moment in moved(step)]
    right = fold(timeline.room.sid, moments, workers=workers, now=timeline.now)
    return replace(right, earlier=timeline.earlier, later=timeline.later)
