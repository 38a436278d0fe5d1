"""A timeline as the rules look at it."""

from __future__ import annotations

from collections import defaultdict
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from tracer.check.rule import NOTHING, Outcome, Verdict
from tracer.check.sentences import sentence, uncertainty
from tracer.clocks.offsets import Clocks
from tracer.moment import Kind
from tracer.timeline.precedence import must_precede

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.clocks.offsets import Clock
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["CheckedRoom"]

_OFTEN = (Kind.ROOM_CREATED, Kind.JOB_OFFERED)
"""Kinds that must precede what comes right after them, and so what comes after that."""

_IN_ROOM = {
    Kind.PARTICIPANT_JOINING,
    Kind.PARTICIPANT_JOINED,
    Kind.PARTICIPANT_ACTIVE,
    Kind.PARTICIPANT_LEFT,
    Kind.PARTICIPANT_ABORTED,
    Kind.TRACK_PUBLISHED,
    Kind.TRACK_UNPUBLISHED,
}
_TO_ENTRYPOINT = {
    Kind.JOB_RECEIVED,
    Kind.JOB_ACCEPTED,
    Kind.JOB_REJECTED,
    Kind.JOB_TIMED_OUT,
    Kind.JOB_ASSIGNED,
    Kind.PROCESS_STARTED,
    Kind.PROCESS_READY,
    Kind.JOB_PROCESS_ASSIGNED,
    Kind.JOB_ENTRYPOINT_STARTED,
}
_CONNECT = {Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED}

Lows = dict["Clock", tuple[int, "Step"]]
"""For each clock the time before which a step cannot have been, ns, and the step which says so."""


class CheckedRoom:
    """One room's timeline with the clocks that told it, and the steps that must be in order."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        # Two chains can have a link in common.
        every = list(
            {(id(cause), id(effect)): (cause, effect) for cause, effect in must_precede(timeline.steps)}.values()
        )
        self.clocks = Clocks(timeline, every)
        self.agents = timeline.agent_by_job
        """For each job's id the participant it became."""
        self.pairs: dict[int, list[tuple[Step, Step]]] = defaultdict(list)
        """For each rule's number, pairs of steps of which the first cannot have come after the second."""
        kept = list(_not_implied(every))
        for cause, effect in (*kept, *self._inverted(every, {(id(cause), id(effect)) for cause, effect in kept})):
            self.pairs[_rule(cause.kind, effect.kind)].append((cause, effect))

    def judge(self, cause: Step, effect: Step) -> Verdict:
        """Whether one step came before another."""
        apart = self.clocks.apart(cause, effect)
        steps = cause, effect
        if apart.most is not None and apart.most < 0:
            return Verdict(Outcome.VIOLATED, sentence(self.timeline, *steps, apart), steps, apart=apart)
        if apart.least is not None and apart.least >= 0:
            return Verdict(Outcome.HOLDS, sentence(self.timeline, *steps, apart), steps, apart=apart)
        if self.clocks.possible(cause, effect):
            return Verdict(Outcome.HOLDS, sentence(self.timeline, *steps, NOTHING), steps, apart=apart)
        why = uncertainty(apart, self.clocks, *steps)
        return Verdict(Outcome.UNTOLD, sentence(self.timeline, *steps, apart), steps, why, apart)

    def _inverted(self, every: list[tuple[Step, Step]], kept: set[tuple[int, int]]) -> Iterator[tuple[Step, Step]]:
        """Pairs that are out of order although none of those between them is, where a step can have been at any time.

        Those that are ``kept``, by the steps' ``id()``, are judged anyway.

        A step cannot have been before the earliest time of what must precede it, nor of what must precede that. What is
        out of order by itself hands nothing on, or all that follows would be, too.
        """
        steps = {id(step): step for pair in every for step in pair}
        causes: dict[int, list[int]] = defaultdict(list)
        for cause, effect in every:
            causes[id(effect)].append(id(cause))
        lows: dict[int, Lows] = {}
        for key in TopologicalSorter(causes).static_order():
            step = steps[key]
            bounds = self.clocks.bounds(step)
            handed: Lows = {}
            for before in causes[key]:
                for clock, low in lows[before].items():
                    if clock not in handed or low[0] > handed[clock][0]:
                        handed[clock] = low
            broken = {id(low[1]): low[1] for clock, low in handed.items() if low[0] > bounds.upper.get(clock, low[0])}
            yield from ((first, step) for at, first in broken.items() if (at, key) not in kept)
            lows[key] = {clock: (at, step) for clock, at in bounds.lower.items()}
            if not broken:
                for clock, low in handed.items():
                    if clock not in lows[key] or low[0] > lows[key][clock][0]:
                        lows[key][clock] = low


def _not_implied(every: list[tuple[Step, Step]]) -> Iterator[tuple[Step, Step]]:
    """Without that the room precedes what something else in it precedes, and ends after what something else ends."""
    after: dict[int, set[int]] = defaultdict(set)
    before: dict[int, set[int]] = defaultdict(set)
    for cause, effect in every:
        after[id(cause)].add(id(effect))
        before[id(effect)].add(id(cause))
    for cause, effect in every:
        often = cause.kind in _OFTEN or effect.kind is Kind.ROOM_FINISHED
        if not often or after[id(cause)].isdisjoint(before[id(effect)]):
            yield cause, effect


def _rule(cause: Kind, effect: Kind) -> int:
    """The rule that a pair belongs to. Every pair belongs to one."""
    if effect is Kind.ROOM_FINISHED:
        return 9
    if cause in (Kind.ROOM_CREATED, Kind.DISPATCH_CREATED):
        return 1
    if cause in _IN_ROOM and effect in _IN_ROOM:
        return 2
    if cause is Kind.JOB_OFFERED and effect is not Kind.JOB_ENDED:
        return 10
    if effect in _TO_ENTRYPOINT:
        return 3
    if effect in _CONNECT or effect is Kind.PARTICIPANT_JOINING:
        return 4
    return 5
