"""What a cause is, and what it finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.livekit_sources import Source
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.symptom import Symptom

__all__ = ["Cause", "Doubt", "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that the record shows."""

    cause: Cause
    sentence: str
    """What happened, in full and for this room; text from outside in it is as it came, see ``view.text.plain``."""
    evidence: tuple[Step, ...]
    """What it rests on, in order of time."""
    advice: str
    """What to do, in whole sentences."""
    certain: bool = True
    """Whether nothing else explains the evidence; else it is the likeliest of several."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A cause that cannot be ruled out, because no witness could see it."""

    cause: Cause
    how: str
    """How to find out."""


class Cause(ABC):
    """One way in which a call goes wrong.

    A new cause is one subclass, whose docstring says what happens and how that is known, and one line in
    ``tracer.why.causes``.
    """

    name: ClassVar[str]
    """Its slug, for programs."""
    symptom: ClassVar[Symptom]
    about: ClassVar[str]
    """What it is, in a few words that start with an ordinary one and have no full stop: for a list or a summary."""
    advice: ClassVar[str]
    """What to do, in whole sentences, where a finding has no advice of its own."""
    said: ClassVar[tuple[Source, ...]] = ()
    """Where LiveKit says how it comes to do this."""

    @abstractmethod
    def find(self, call: Call) -> Iterator[Finding]:
        """Each time the record shows it. Nothing where it does not: a wrong cause is worse than none."""

    def doubt(self, call: Call) -> str | None:
        """How to find out, where it is not found and cannot be ruled out either; else None."""
        return None

    def found(self, sentence: str, *evidence: Step | None, certain: bool = True, advice: str | None = None) -> Finding:
        """A finding of this cause: the full sentence, and its evidence in order of time, without what is None.

        ``advice`` is given where what to do depends on the call.
        """
        known = sorted({step.key: step for step in evidence if step}.values(), key=lambda step: step.time)
        return Finding(self, sentence, tuple(known), advice or self.advice, certain)
