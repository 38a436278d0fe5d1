"""What a cause is, and what is said of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.step import Step
    from tracer.why.call import Call

__all__ = ["Cause", "Doubt", "Explanation", "Finding", "Symptom"]


class Symptom(IntEnum):
    """What people notice, the worst first."""

    MISSING = 1
    """No agent came."""
    GONE = 2
    """Somebody was there, and went."""
    SILENT = 3
    """The agent is there and does not answer."""
    DOUBLED = 4
    """More agents than wanted, or another one than wanted."""
    LATE = 5
    """The agent came, or answered, late."""
    UNSEEN = 6
    """The record itself has holes."""

    @property
    def word(self) -> str:
        """As it is written."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that the moments show."""

    cause: Cause
    sentence: str
    """What happened, in full and for this room; text from outside in it is as it came, see ``view.text.plain``."""
    steps: tuple[Step, ...]
    """The evidence: what it rests on."""
    certain: bool = True
    """Whether nothing else explains the evidence; else it is the likeliest of several."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A cause that could not be ruled out, for want of a witness."""

    cause: Cause
    how: str
    """How to find out."""


class Cause(ABC):
    """One way a call goes wrong."""

    name: ClassVar[str]
    symptom: ClassVar[Symptom]
    about: ClassVar[str]
    """What it is, in a few words, for a list or a count."""
    advice: ClassVar[str]
    """What to do."""

    @abstractmethod
    def find(self, case: Call) -> Iterator[Finding]:
        """Where the moments show it. Nothing, where they do not: a wrong cause is worse than none."""

    def doubt(self, case: Call) -> str | None:
        """How to find out, where it is not found and cannot be ruled out either; else None."""
        return None

    def found(self, sentence: str, *steps: Step | None, certain: bool = True) -> Finding:
        """A finding of this cause, with its evidence in order of time."""
        known = sorted({id(step): step for step in steps if step}.values(), key=lambda step: step.time)
        return Finding(self, sentence, tuple(known), certain)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is to be said of a room, the likeliest cause first."""

    findings: tuple[Finding, ...]
    doubts: tuple[Doubt, ...]
    summary: str
    """One sentence."""
    well: bool | None
    """Whether all went well; None where that cannot be told (yet)."""
