"""How far the clocks of a call are apart, as far as what must be in order shows it.

What the server offers before an agent receives it, and the JOINING that comes while the agent connects, bound how far
the agent's clock is ahead of the server's; likewise for the receiver. Within these bounds times are brought to the
server's clock, and no further: an offset is an interval, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.clocks.bounds import RECEIVER, SERVER, Bounds, Clock, MomentClocks, agent_clock, widest
from tracer.units import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tracer.moment import Fact
    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step, StepKey
    from tracer.timeline.timeline import Timeline

__all__ = ["RECEIVER", "SERVER", "Apart", "Bounds", "Clock", "Clocks", "Offset"]

SHOWN_WITHIN = 250 * NS_PER_MS
"""The server lists what it has made this soon after it took the time, ns: it connects a participant before."""


@dataclass(frozen=True, slots=True)
class Apart:
    """One step came after another by between ``least`` and ``most`` ns; below zero it came before.

    None where no clock gave both.
    """

    least: int | None
    most: int | None


@dataclass(frozen=True, slots=True)
class Offset:
    """A clock is ahead of the server's by between ``least`` and ``most`` ns; below zero it is behind.

    None where nothing bounds it to this side.
    """

    least: int | None = None
    most: int | None = None
    by_least: tuple[Step, ...] = ()
    """What gives ``least``: two steps of which the first cannot have come after the second; or what was listed."""
    by_most: tuple[Step, ...] = ()

    @property
    def contradictory(self) -> bool:
        """Whether no offset fits: the clock was set meanwhile, or something was out of order."""
        return self.least is not None and self.most is not None and self.least > self.most

    @property
    def bounded(self) -> bool:
        """Whether it is bounded to both sides, and some offset fits."""
        return self.least is not None and self.most is not None and self.least <= self.most

    @property
    def proven(self) -> int:
        """How far the clock is ahead of the server's for certain, ns; below zero it is behind, and 0 may be right."""
        return 0 if self.contradictory else max(self.least or 0, 0) or min(self.most or 0, 0)

    @property
    def off(self) -> bool:
        """Whether the two clocks cannot show the same time."""
        return self.proven != 0


class Clocks:
    """All the clocks of one timeline, and its steps by each of them."""

    def __init__(self, timeline: Timeline, pairs: Iterable[tuple[Step, Step]]) -> None:
        """``pairs`` are steps of the timeline, of which the first cannot have come after the second."""
        self._timeline = timeline
        self.moments = MomentClocks(timeline)
        """Which clock gave each time."""
        self._together: dict[StepKey, Bounds] = {}
        self._raw: dict[StepKey, Bounds] = {}
        self._brought: dict[StepKey, Bounds] = {}
        self.offsets: dict[Clock, Offset] = {}
        """Of every clock but the server's, in order of its name."""
        self.offsets = self._bounded(pairs)

    def bounds(self, step: Step) -> Bounds:
        """A step by every clock that was read for it, and brought to the server's."""
        if step.key not in self._brought:
            self._brought[step.key] = self._combined(step, self._bring)
        return self._brought[step.key]

    def apart(self, cause: Step, effect: Step) -> Apart:
        """How long after the cause the effect came, by the clocks that were read for both, and by the server's."""
        before, after = self.bounds(cause), self.bounds(effect)
        least = [low - before.upper[clock] for clock, low in after.lower.items() if clock in before.upper]
        most = [high - before.lower[clock] for clock, high in after.upper.items() if clock in before.lower]
        return Apart(max(least, default=None), min(most, default=None))

    def missed(self, step: Step) -> int:
        """How far apart two of its witnesses are who cannot both be right, ns; 0 when all can."""
        reported = self._bring(self._all_of(step))
        return max([0, *(low - reported.upper.get(clock, low) for clock, low in reported.lower.items())])

    def of_job(self, job: Job) -> Offset:
        """The offset of the clock of the machine on which the job runs."""
        return self.offsets.get(agent_clock(self.moments.hosts[job.sid], job.sid), Offset())

    def clocks_of(self, *steps: Step) -> set[Clock]:
        """Whose clocks were read for these steps."""
        return {clock for step in steps for moment in step.moments for clock in self.moments.all_of(moment)}

    def across(self, cause: Step, effect: Step) -> Clock | None:
        """The agent's clock, where that was read for one of the two and the server's for the other; else None."""
        one, other = self.clocks_of(cause), self.clocks_of(effect)
        agents = [clock for clock in one | other if clock.kind == "agent"]
        if one & other or SERVER not in one | other or len(agents) != 1:
            return None
        return agents[0]

    def possible(self, cause: Step, effect: Step) -> bool:
        """Whether some offset within its bounds, of the agent's clock read for one of the two, puts them in order."""
        clock = self.across(cause, effect)
        offset = self.offsets[clock] if clock else None
        if clock is None or offset is None or offset.least is None or offset.most is None or offset.contradictory:
            return False
        before, after = self._unbrought(cause).upper, self._unbrought(effect).lower
        if clock in before and SERVER in after:
            return before[clock] - offset.most <= after[SERVER]
        if clock in after and SERVER in before:
            return before[SERVER] <= after[clock] - offset.least
        return False

    def _unbrought(self, step: Step) -> Bounds:
        """A step by every clock that was read for it, without bringing one to another."""
        key = step.key
        if (found := self._raw.get(key)) is None:
            found = self._raw[key] = self._combined(step, lambda bounds: bounds)
        return found

    def _combined(self, step: Step, bring: Callable[[Bounds], Bounds]) -> Bounds:
        """What the witnesses leave open together or, where they cannot all be right, whichever of them is."""
        together = bring(self._all_of(step))
        if not together.impossible:
            return together
        return widest([bring(self.moments.together([moment])) for moment in step.moments])

    def _all_of(self, step: Step) -> Bounds:
        """What all witnesses of a step leave open together."""
        key = step.key
        if (found := self._together.get(key)) is None:
            found = self._together[key] = self.moments.together(step.moments)
        return found

    def _bring(self, bounds: Bounds) -> Bounds:
        """The same, and by the server's clock, as far as the other's offset is known."""
        lower, upper = dict(bounds.lower), dict(bounds.upper)
        for clock, low in bounds.lower.items():
            known = self.offsets.get(clock)
            if known and known.most is not None and not known.contradictory:
                lower[SERVER] = max(low - known.most, lower.get(SERVER, low - known.most))
        for clock, high in bounds.upper.items():
            known = self.offsets.get(clock)
            if known and known.least is not None and not known.contradictory:
                upper[SERVER] = min(high - known.least, upper.get(SERVER, high - known.least))
        return Bounds(lower, upper)

    def _bounded(self, pairs: Iterable[tuple[Step, Step]]) -> dict[Clock, Offset]:
        """The narrowest bounds that the pairs give, and the observer's polls."""
        least: dict[Clock, _Bound] = {}
        most: dict[Clock, _Bound] = {}
        for cause, effect in pairs:
            lower, upper = self._unbrought(cause).lower, self._unbrought(effect).upper
            if any(low > upper.get(clock, low) for clock, low in lower.items()):
                continue  # out of order by one clock alone: it shows nothing of others
            if SERVER in lower:
                for clock, high in upper.items():
                    _narrow(most, clock, _Bound(high - lower[SERVER], (cause, effect)), min)
            if SERVER in upper:
                for clock, low in lower.items():
                    _narrow(least, clock, _Bound(low - upper[SERVER], (cause, effect)), max)
        for bound in self._polls(keys.SEEN_BY):
            _narrow(most, RECEIVER, bound, min)
        shown = max(self._polls(keys.SEEN_AFTER), key=lambda bound: bound.ns, default=None)
        # How long the server takes to show something is not guaranteed: this never makes a contradiction.
        if shown and (RECEIVER not in most or shown.ns <= most[RECEIVER].ns):
            _narrow(least, RECEIVER, shown, max)
        clocks = self.clocks_of(*self._timeline.steps) | least.keys() | most.keys()
        return {
            clock: Offset(
                least[clock].ns if clock in least else None,
                most[clock].ns if clock in most else None,
                least[clock].by if clock in least else (),
                most[clock].by if clock in most else (),
            )
            for clock in sorted(clocks - {SERVER})
        }

    def _polls(self, key: str) -> Iterator[_Bound]:
        """How far the receiver's clock is ahead by what the observer saw: the server's own time lies between polls."""
        for step in self._timeline.steps:
            for moment in step.moments:
                at = _time(dict(moment.facts).get(key)) if moment.witness == "observer" else None
                if at is not None and moment.clock == "server":
                    bound = moment.earliest if key == keys.SEEN_BY else moment.latest + SHOWN_WITHIN
                    yield _Bound(at - bound, (step,))


class _Bound(NamedTuple):
    """A bound of an offset, ns, and the steps that give it."""

    ns: int
    by: tuple[Step, ...]


def _narrow(bounds: dict[Clock, _Bound], clock: Clock, bound: _Bound, better: Callable[[int, int], int]) -> None:
    if clock not in bounds or better(bound.ns, bounds[clock].ns) != bounds[clock].ns:
        bounds[clock] = bound


def _time(text: Fact | None) -> int | None:
    """A time that a fact holds as text, ns since the epoch; None for whatever is none."""
    return int(text) if isinstance(text, str) and text.isdecimal() and text.isascii() and len(text) < 20 else None
