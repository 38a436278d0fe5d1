"""What a rule is, and what it concludes of a room."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tracer.check.verdict import Outcome, Verdict, overall, tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.check.checked_room import CheckedRoom
    from tracer.livekit_sources import Source
    from tracer.timeline.precedence import Guarantee

__all__ = ["Judgement", "PairRule", "Rule"]


class Rule(ABC):
    """Something that must hold."""

    number: ClassVar[int]
    name: ClassVar[str]
    """Its slug."""
    sentence: ClassVar[str]
    """What must hold, for people: short enough for one line."""
    missing: ClassVar[str]
    """Why it is inconclusive when there is nothing to judge."""
    believed: ClassVar[str] = ""
    """What people often take to hold as well, and LiveKit does not guarantee; empty where nothing is known to be."""
    said: ClassVar[tuple[Source, ...]] = ()
    """Where LiveKit says so."""

    @abstractmethod
    def judge(self, room: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for everything that the rule is about."""


class PairRule(Rule):
    """Steps of which one cannot have come after the other, as in the table of ``tracer.timeline.precedence``."""

    name: ClassVar[Guarantee]
    """Its slug, by which the table's rows belong to it."""

    def judge(self, room: CheckedRoom) -> Iterator[Verdict]:
        """One verdict for each pair."""
        for pair in room.pairs[self.name]:
            yield room.judge(pair.cause, pair.effect)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule concludes of a room."""

    rule: Rule
    verdicts: tuple[Verdict, ...]

    def having(self, answer: Outcome) -> list[Verdict]:
        """The verdicts with this answer."""
        return [verdict for verdict in self.verdicts if verdict.answer is answer]

    @property
    def answer(self) -> Outcome:
        """What the verdicts come to together."""
        return overall(verdict.answer for verdict in self.verdicts)

    @property
    def summary(self) -> str:
        """The verdicts counted, ``1 fails, 5 pass``; where there are none, why."""
        if not self.verdicts:
            return f"{Outcome.INCONCLUSIVE}: {self.rule.missing}"
        return tally(verdict.answer for verdict in self.verdicts)
