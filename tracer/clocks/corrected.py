"""A timeline's steps by the server's clock: clocks that are proven to be off are set right, as far as is proven."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tracer.clocks.offsets import RECEIVER, Clocks
from tracer.moment import NS_PER_MS, NS_PER_S, Kind
from tracer.timeline.precedence import must_precede

if TYPE_CHECKING:
    from tracer.timeline.fold import Timeline
    from tracer.timeline.step import Step

__all__ = ["CorrectedStep", "CorrectedTimeline"]

ASSIGNED_WITHIN = 10 * NS_PER_S
"""A job that was assigned was so this long after it was offered, ns, at the most: the server waits 3 s for the worker's
answer, the worker 7.5 s for the assignment."""
TOGETHER = NS_PER_MS
"""Clocks that are proven to be no further apart than this, ns, make no gap doubtful."""


class CorrectedStep(NamedTuple):
    """A step where it stands on the way, by the server's clock."""

    step: Step
    ahead: int
    """How far the clock that told it is proven to be ahead of the server's, ns; below zero it is behind."""
    fits: bool = True
    """Whether its witnesses leave open that it was then, to the millisecond."""

    @property
    def time(self) -> int:
        """When, ns since the epoch."""
        return self.step.time

    def moved(self, time: int) -> CorrectedStep:
        """The same step at another time."""
        fits = self.step.earliest - NS_PER_MS <= time <= self.step.latest + NS_PER_MS
        return (
            self if time == self.time else CorrectedStep(replace(self.step, time=time), self.ahead, self.fits and fits)
        )

    def doubtful(self, other: CorrectedStep) -> bool:
        """Whether the time between this and another step is no figure."""
        return not (self.fits and other.fits) or abs(self.ahead - other.ahead) >= TOGETHER


class CorrectedTimeline:
    """The steps of a timeline by the server's clock: a clock that is proven to be off is set right.

    By as much as is proven and no more, so that one that may be right is left alone.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        steps = [step for step in timeline.steps if not step.subject.startswith("AW_")]
        self._clocks = Clocks(timeline, must_precede(steps))
        offsets = self._clocks.offsets
        self._ahead = {clock: offset.proven for clock, offset in offsets.items()}
        for job in timeline.jobs:
            offered, assigned = job.at(Kind.JOB_OFFERED), job.at(Kind.JOB_ASSIGNED)
            if offered and assigned and assigned.clock == "agent":
                late = assigned.earliest - max(moment.latest for moment in offered.told) - ASSIGNED_WITHIN
                for clock in self._clocks.clocks_of(assigned):
                    # Unless it was late by another clock's word, too: a worker can be held up.
                    if clock in offsets and self._ahead.get(clock, 0) < late <= (offsets[clock].most or 0):
                        self._ahead[clock] = late
        self.off = {clock: ahead for clock, ahead in self._ahead.items() if abs(ahead) >= TOGETHER}
        """Clocks that are off by a millisecond or more, and how far each is ahead at the least, ns; or behind."""

    def placed(self, step: Step) -> CorrectedStep:
        """A step of the timeline."""
        ahead = 0
        if step.clock == "receiver":
            ahead = self._ahead.get(RECEIVER, 0)
        elif step.clock == "agent":
            ahead = next((self._ahead[c] for c in sorted(self._clocks.clocks_of(step)) if c.kind == "agent"), 0)
        if not ahead:
            return CorrectedStep(step, 0)
        right = replace(step, time=step.time - ahead, earliest=step.earliest - ahead, latest=step.latest - ahead)
        return CorrectedStep(right, ahead)
