"""What a rule is, and what is said by it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from tracer.clocks.offsets import Apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.check.checked_room import CheckedRoom
    from tracer.timeline.step import Step

__all__ = ["NOTHING", "Judgement", "Outcome", "Rule", "Verdict"]

NOTHING = Apart(None, None)
"""No length of time was measured."""


class Outcome(StrEnum):
    """What can be said of an ordering."""

    HOLDS = "holds"
    VIOLATED = "violated"
    UNTOLD = "cannot be told"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one pair of steps, or of one subject."""

    answer: Outcome
    sentence: str
    """In full, and for this one. Text from outside in it is as it came, see ``view.text.plain``."""
    steps: tuple[Step, ...] = ()
    """What it rests on."""
    why: str = ""
    """Why it cannot be told."""
    apart: Apart = NOTHING
    """How long after the first step the second came."""


class Rule(ABC):
    """Something that must hold."""

    number: ClassVar[int]
    name: ClassVar[str]
    """A word or a few, joined by dashes, for programs."""
    sentence: ClassVar[str]
    """What must hold, for people: short enough for one line."""
    missing: ClassVar[str]
    """Why it cannot be told when there is nothing to judge."""

    @abstractmethod
    def judge(self, case: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for everything that the rule is about."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule says of a room."""

    rule: Rule
    verdicts: tuple[Verdict, ...]

    def having(self, answer: Outcome) -> list[Verdict]:
        """The verdicts with this answer."""
        return [verdict for verdict in self.verdicts if verdict.answer is answer]

    @property
    def answer(self) -> Outcome:
        """VIOLATED when anything is, HOLDS when something holds and nothing is violated, else UNTOLD."""
        answers = {verdict.answer for verdict in self.verdicts}
        return next((a for a in (Outcome.VIOLATED, Outcome.HOLDS) if a in answers), Outcome.UNTOLD)

    @property
    def summary(self) -> str:
        """The answer with its counts: ``holds for 5 of 7; cannot be told for 2``."""
        if not self.verdicts:
            return f"{Outcome.UNTOLD}: {self.rule.missing}"
        counts = [(answer, len(self.having(answer))) for answer in (Outcome.VIOLATED, Outcome.HOLDS, Outcome.UNTOLD)]
        told = [f"{answer} for {count}" for answer, count in counts if count]
        if len(told) > 1:
            told[0] += f" of {len(self.verdicts)}"
        return "; ".join(told)
