"""The rule about clocks and witnesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.check.pair_rules import PairRule
from tracer.check.rule import Outcome, Verdict
from tracer.check.sentences import did, length, name
from tracer.clocks.offsets import SERVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.check.checked_room import CheckedRoom
    from tracer.clocks.offsets import Clock, Clocks, Offset
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["ClocksFit", "said"]


class ClocksFit(PairRule):
    """For each clock some offset to the server's puts all in order, and witnesses of one step can all be right."""

    number = 10
    name = "clocks"
    sentence = "one offset for each clock explains every time told"
    missing = "all was told by the server's clock alone"

    def judge(self, case: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each clock, for each offer of a job, and for each step whose witnesses differ."""
        for clock, offset in case.clocks.offsets.items():
            yield self._clock(case.timeline, clock, offset)
        yield from super().judge(case)
        for step in case.timeline.steps:
            yield from self._witnesses(case.timeline, case.clocks, step)

    def _clock(self, timeline: Timeline, clock: Clock, offset: Offset) -> Verdict:
        steps = (*offset.by_least, *offset.by_most)
        text = f"beside the server's, the clock of the {clock} is {said(offset)}"
        if offset.contradictory:
            most, least = (_order(timeline, steps) for steps in (offset.by_most, offset.by_least))
            text = f"no offset of the clock of the {clock} puts both in order, {most} and {least}"
            return Verdict(Outcome.VIOLATED, text, steps)
        if offset.bounded:
            return Verdict(Outcome.HOLDS, text, steps)
        return Verdict(Outcome.UNTOLD, text, steps, "nothing that could contradict was told")

    def _witnesses(self, timeline: Timeline, clocks: Clocks, step: Step) -> Iterator[Verdict]:
        missed = clocks.missed(step)
        what = f"{name(timeline, step.subject)} {did(step)}"
        who = " and ".join(step.witnesses) if len(step.witnesses) > 1 else f"two accounts by {step.witnesses[0]}"
        if missed > 0:
            text = f"{what}: {who} cannot both be right, they are {length(missed)} apart"
            yield Verdict(Outcome.VIOLATED, text, (step,))
        elif step.contradicted and len(clocks.clocks_of(step)) > 1:
            text = f"{what}: {who} differ, and their clocks do"
            unknown = [clock for clock in clocks.clocks_of(step) - {SERVER} if not clocks.offsets[clock].bounded]
            answer = Outcome.UNTOLD if unknown else Outcome.HOLDS
            yield Verdict(answer, text, (step,), "by how much the clocks differ is not known" if unknown else "")


def said(offset: Offset) -> str:
    """How far a clock is ahead of the server's, or behind it."""
    match offset.least, offset.most:
        case None, None:
            return "not bounded"
        case int(least), None:
            return f"{_at(least)} at the least"
        case None, int(most):
            return f"{_at(most)} at the most"
        case int(least), int(most) if least > most:
            return f"{_at(least)} at the least and {_at(most)} at the most: contradictory"
        case int(least), int(most) if _at(least) == _at(most):
            return _at(least)
        case int(least), int(most) if (least < 0) == (most < 0):
            near, far = sorted((least, most), key=abs)
            return f"between {length(near)} and {_at(far)}"
        case least, most:
            return f"between {_at(least or 0)} and {_at(most or 0)}"


def _at(ns: int) -> str:
    """A place on the scale from behind to ahead; a negative one is behind."""
    return f"{length(ns)} {'behind' if ns < 0 else 'ahead'}"


def _order(timeline: Timeline, steps: tuple[Step, ...]) -> str:
    return " before ".join(f"{name(timeline, step.subject)} {did(step)}" for step in steps)
