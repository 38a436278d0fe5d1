"""The rule about clocks and witnesses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.check.rule import PairRule
from tracer.check.sentences import happened, length, skew
from tracer.check.verdict import Outcome, Verdict
from tracer.clocks.offsets import SERVER
from tracer.timeline.precedence import Guarantee

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.check.checked_room import CheckedRoom
    from tracer.clocks.offsets import Clock, Clocks, Offset
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["ClocksFit"]


class ClocksFit(PairRule):
    """For each clock some offset to the server's puts all in order, and witnesses of one step can all be right."""

    number = 10
    name = Guarantee.CLOCKS
    sentence = "one offset per clock explains every timestamp"
    missing = "every timestamp is the server's"
    believed = "that clocks of two machines agree."

    def judge(self, room: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each clock, for each offer of a job, and for each step whose witnesses differ."""
        for clock, offset in room.clocks.offsets.items():
            yield self._clock(room.timeline, clock, offset)
        yield from super().judge(room)
        for step in room.timeline.steps:
            yield from self._witnesses(room.timeline, room.clocks, step)

    def _clock(self, timeline: Timeline, clock: Clock, offset: Offset) -> Verdict:
        steps = (*offset.by_least, *offset.by_most)
        if offset.contradictory:
            most, least = (_order(timeline, steps) for steps in (offset.by_most, offset.by_least))
            text = f"no offset of the clock of the {clock} puts both in order, {most} and {least}"
            return Verdict(Outcome.VIOLATED, text, steps)
        text = f"compared to the server's, the clock of the {clock} is {skew(offset)}"
        if offset.bounded:
            return Verdict(Outcome.HOLDS, text, steps)
        return Verdict(Outcome.INCONCLUSIVE, text, steps, "nothing that could contradict it was observed")

    def _witnesses(self, timeline: Timeline, clocks: Clocks, step: Step) -> Iterator[Verdict]:
        missed = clocks.missed(step)
        what = happened(timeline, step)
        who = " and ".join(step.witnesses) if len(step.witnesses) > 1 else f"two reports of the {step.witnesses[0]}"
        if missed > 0:
            text = f"{what}: {who} cannot both be right, they are {length(missed)} apart"
            yield Verdict(Outcome.VIOLATED, text, (step,))
        elif step.contradicted and len(clocks.clocks_of(step)) > 1:
            text = f"{what}: {who} differ, and so do their clocks"
            if all(clocks.offsets[clock].bounded for clock in clocks.clocks_of(step) - {SERVER}):
                yield Verdict(Outcome.HOLDS, text, (step,))
            else:
                yield Verdict(Outcome.INCONCLUSIVE, text, (step,), "the clock skew is unknown")


def _order(timeline: Timeline, steps: tuple[Step, ...]) -> str:
    return " before ".join(happened(timeline, step) for step in steps)
