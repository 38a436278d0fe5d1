"""A timeline by the server's clock: the one place where a clock is corrected. `why` and the latencies both read it.

A clock that is proven to be off is corrected by as much as is proven and no more: one that may be right is left alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tracer.clocks.offsets import Clocks
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.timeline.once import once
from tracer.timeline.precedence import must_precede
from tracer.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.clocks.bounds import Clock
    from tracer.moment import Moment
    from tracer.timeline.step import Step, StepKey
    from tracer.timeline.timeline import Timeline

__all__ = ["CorrectedStep", "CorrectedTimeline", "by_servers_clock"]

ASSIGNED_WITHIN = 10 * NS_PER_S
"""A job that was assigned was so this long after it was offered, ns, at the most: the server waits 3 s for the worker's
answer, the worker 7.5 s for the assignment."""
PRECISE = NS_PER_MS
"""Between clocks that are proven to be no further apart than this, ns, a length of time is still a figure."""


class CorrectedStep(NamedTuple):
    """A step by the server's clock, and how far its time can be trusted."""

    step: Step
    ahead: int
    """By how much its time was corrected, ns: as far as the clock that gave it is ahead; below zero it is behind."""
    fits: bool = True
    """Whether its witnesses leave open that it was then, to the millisecond."""

    @property
    def time(self) -> int:
        """When, ns since the epoch."""
        return self.step.time

    def moved(self, time: int) -> CorrectedStep:
        """The same step at another time."""
        if time == self.time:
            return self
        fits = self.step.earliest - NS_PER_MS <= time <= self.step.latest + NS_PER_MS
        return CorrectedStep(replace(self.step, time=time), self.ahead, self.fits and fits)

    def doubtful(self, other: CorrectedStep) -> bool:
        """Whether the time between this and another step is no figure."""
        return not (self.fits and other.fits) or abs(self.ahead - other.ahead) >= PRECISE


class CorrectedTimeline:
    """A timeline, folded anew from moments that are corrected to the server's clock."""

    def __init__(self, reported: Timeline) -> None:
        self._reported = reported
        clocks = Clocks(reported, must_precede(_own(reported)))
        self._by_key: dict[StepKey, Step] = {}
        self._ahead = _proven(reported, clocks)
        self._moments = clocks.moments
        self.off = {clock: ahead for clock, ahead in self._ahead.items() if abs(ahead) >= PRECISE}
        """Clocks that are off by a millisecond or more, and how far each is ahead at the least, ns; or behind."""
        self.timeline = self._corrected() if self._ahead else reported
        """The corrected timeline; its steps have the keys that they have as reported."""

    def step(self, step: Step) -> CorrectedStep:
        """A step of the corrected timeline."""
        clocks = sorted({self._moments.of(moment) for moment in step.moments if moment.clock == step.clock})
        return CorrectedStep(step, next((self._ahead[clock] for clock in clocks if clock in self._ahead), 0))

    def as_reported(self, step: Step) -> Step:
        """A step of the corrected timeline as its witnesses reported it, by their own clocks."""
        if self.timeline is self._reported:
            return step
        if not self._by_key:
            workers = (step for worker in self._reported.workers for step in worker.steps)
            self._by_key.update({step.key: step for step in (*workers, *self._reported.steps)})
        return self._by_key.get(step.key, step)

    def _corrected(self) -> Timeline:
        reported = self._reported

        def corrected(steps: Iterable[Step]) -> Iterator[Moment]:
            return (self._moments.corrected(moment, self._ahead) for step in steps for moment in step.moments)

        workers = [moment for worker in reported.workers for moment in corrected(worker.steps)]
        folded = fold(reported.room.sid, corrected(_own(reported)), workers=workers, now=reported.now)
        return replace(
            folded,
            stopped=reported.stopped,
            unheard=reported.unheard,
            earlier=reported.earlier,
            later=reported.later,
        )


def _own(timeline: Timeline) -> list[Step]:
    """The room's own steps, without those that workers reported of themselves."""
    return [step for step in timeline.steps if not step.subject.startswith("AW_")]


def _proven(timeline: Timeline, clocks: Clocks) -> dict[Clock, int]:
    """How far each clock that is off is proven to be ahead of the server's, ns; below zero it is behind."""
    ahead = {clock: offset.proven for clock, offset in clocks.offsets.items() if offset.proven}
    for job in timeline.jobs:
        offered, assigned = job.at(Kind.JOB_OFFERED), job.at(Kind.JOB_ASSIGNED)
        if offered and assigned and assigned.clock == "agent":
            late = assigned.earliest - max(moment.latest for moment in offered.moments) - ASSIGNED_WITHIN
            for clock in clocks.clocks_of(assigned) & clocks.offsets.keys():
                # Unless another bound shows that it was late: a worker can be held up.
                if ahead.get(clock, 0) < late <= (clocks.offsets[clock].most or 0):
                    ahead[clock] = late
    return ahead


@once
def by_servers_clock(reported: Timeline) -> CorrectedTimeline:
    """A timeline with every clock corrected as far as is proven."""
    return CorrectedTimeline(reported)
