"""A timeline as the rules look at it."""

from __future__ import annotations

from collections import defaultdict
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from tracer.check.sentences import imprecision, sentence
from tracer.check.verdict import NOT_MEASURED, Outcome, Verdict
from tracer.clocks.offsets import Clocks
from tracer.moment import Kind
from tracer.timeline.precedence import Pair, ordered_pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.clocks.offsets import Clock
    from tracer.timeline.precedence import Guarantee
    from tracer.timeline.step import Step, StepKey
    from tracer.timeline.timeline import Timeline

__all__ = ["CheckedRoom"]

_OFTEN = (Kind.ROOM_CREATED, Kind.JOB_OFFERED)
"""Kinds that must precede what comes right after them, and so what comes after that."""

Low = tuple[int, "Step", "Guarantee | None"]
"""A time before which a step cannot have been, ns, the step which shows it, and what puts that one first: None for
itself."""


class CheckedRoom:
    """One room's timeline with its clocks, and the steps that must be in order."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        every = list(ordered_pairs(timeline.steps))
        self.clocks = Clocks(timeline, [(pair.cause, pair.effect) for pair in every])
        self.agents = timeline.agent_by_job
        """For each job's id the participant it became."""
        self.pairs: dict[Guarantee, list[Pair]] = defaultdict(list)
        """For each rule, pairs of steps of which the first cannot have come after the second."""
        kept = list(_not_implied(every))
        for pair in (*kept, *self._inverted(every, kept)):
            self.pairs[pair.guarantee].append(pair)

    def judge(self, cause: Step, effect: Step) -> Verdict:
        """Whether one step came before another."""
        apart = self.clocks.apart(cause, effect)
        steps = cause, effect
        if apart.most is not None and apart.most < 0:
            return Verdict(Outcome.VIOLATED, sentence(self.timeline, *steps, apart), steps, apart=apart)
        if apart.least is not None and apart.least >= 0:
            return Verdict(Outcome.HOLDS, sentence(self.timeline, *steps, apart), steps, apart=apart)
        if self.clocks.possible(cause, effect):
            return Verdict(Outcome.HOLDS, sentence(self.timeline, *steps, NOT_MEASURED), steps, apart=apart)
        why = imprecision(apart, self.clocks, *steps)
        return Verdict(Outcome.INCONCLUSIVE, sentence(self.timeline, *steps, apart), steps, why, apart)

    def _inverted(self, every: list[Pair], kept: list[Pair]) -> Iterator[Pair]:
        """Pairs that are out of order although none of those between them is, where a step can have been at any time.

        Those that are ``kept`` are judged anyway.

        A step cannot have been before the earliest time of what must precede it, nor of what must precede that. What is
        out of order by itself hands nothing on, or all that follows would be, too.
        """
        steps = {step.key: step for pair in every for step in pair[:2]}
        direct = {(pair.cause.key, pair.effect.key): pair.guarantee for pair in every}
        judged = {(pair.cause.key, pair.effect.key) for pair in kept}
        into: dict[StepKey, list[Pair]] = defaultdict(list)
        for pair in every:
            into[pair.effect.key].append(pair)
        lows: dict[StepKey, dict[Clock, Low]] = {}
        order = TopologicalSorter({key: [pair.cause.key for pair in pairs] for key, pairs in into.items()})
        for key in order.static_order():
            step = steps[key]
            bounds = self.clocks.bounds(step)
            handed: dict[Clock, Low] = {}
            for pair in into[key]:
                _raise(handed, lows[pair.cause.key], pair.guarantee)
            broken = {low[1].key: low for clock, low in handed.items() if low[0] > bounds.upper.get(clock, low[0])}
            for first, (_, cause, guarantee) in broken.items():
                if (first, key) not in judged and guarantee:
                    yield Pair(cause, step, direct.get((first, key), guarantee))
            lows[key] = {clock: (at, step, None) for clock, at in bounds.lower.items()}
            if not broken:
                _raise(lows[key], handed)


def _raise(lows: dict[Clock, Low], others: dict[Clock, Low], guarantee: Guarantee | None = None) -> None:
    """Take over those of the other times that are later; ``guarantee`` is what puts a step first that shows its own."""
    for clock, (at, step, by) in others.items():
        if clock not in lows or at > lows[clock][0]:
            lows[clock] = at, step, by or guarantee


def _not_implied(every: Iterable[Pair]) -> Iterator[Pair]:
    """Without that the room precedes what something else in it precedes, and ends after what something else ends."""
    after: dict[StepKey, set[StepKey]] = defaultdict(set)
    before: dict[StepKey, set[StepKey]] = defaultdict(set)
    for pair in every:
        after[pair.cause.key].add(pair.effect.key)
        before[pair.effect.key].add(pair.cause.key)
    for pair in every:
        often = pair.cause.kind in _OFTEN or pair.effect.kind is Kind.ROOM_FINISHED
        if not often or after[pair.cause.key].isdisjoint(before[pair.effect.key]):
            yield pair
