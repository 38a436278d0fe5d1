"""What a rule concludes of one pair of steps, or of one participant, job or clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tracer.clocks.offsets import Apart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.timeline.step import Step

__all__ = ["NOT_MEASURED", "Outcome", "Verdict", "overall", "tally"]

NOT_MEASURED = Apart(None, None)
"""No length of time was measured."""


class Outcome(StrEnum):
    """Whether something that must hold does. The values are for programs; for people it passes, fails, or neither."""

    HOLDS = "holds"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"
    """Not observed, timestamps too imprecise, or spans lost on their way."""

    def label(self, count: int) -> str:
        """What so many of them do, for people: one ``passes``, two ``fail``, three are ``inconclusive``."""
        one, several = _LABELS[self]
        return one if count == 1 else several


_LABELS = {
    Outcome.HOLDS: ("passes", "pass"),
    Outcome.VIOLATED: ("fails", "fail"),
    Outcome.INCONCLUSIVE: ("inconclusive", "inconclusive"),
}


def tally(outcomes: Iterable[Outcome]) -> str:
    """How many of each there are, for people, the worst first: ``1 fails, 9 pass``."""
    counts = Counter(outcomes)
    worst_first = [o for o in (Outcome.VIOLATED, Outcome.HOLDS, Outcome.INCONCLUSIVE) if counts[o]]
    return ", ".join(f"{counts[outcome]} {outcome.label(counts[outcome])}" for outcome in worst_first)


def overall(outcomes: Iterable[Outcome]) -> Outcome:
    """VIOLATED when any is, else HOLDS when any does, else INCONCLUSIVE."""
    found = set(outcomes)
    return next((outcome for outcome in (Outcome.VIOLATED, Outcome.HOLDS) if outcome in found), Outcome.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule concludes of one pair of steps, or of one subject."""

    answer: Outcome
    sentence: str
    """In full, and for this one. Text from outside in it is as it came, see ``view.text.plain``."""
    steps: tuple[Step, ...] = ()
    """What it rests on."""
    why: str = ""
    """Why it is inconclusive."""
    apart: Apart = NOT_MEASURED
    """How long after the first step the second came."""
