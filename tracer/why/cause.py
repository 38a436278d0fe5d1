"""What a cause is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from tracer.why.explanation import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.symptom import Symptom

__all__ = ["Cause"]


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
    """What to do, in whole sentences."""

    @abstractmethod
    def find(self, call: Call) -> Iterator[Finding]:
        """Each time the record shows it. Nothing where it does not: a wrong cause is worse than none."""

    def doubt(self, call: Call) -> str | None:
        """How to find out, where it is not found and cannot be ruled out either; else None."""
        return None

    def found(self, sentence: str, *evidence: Step | None, certain: bool = True) -> Finding:
        """A finding of this cause: the full sentence, and its evidence in order of time, without what is None."""
        known = sorted({id(step): step for step in evidence if step}.values(), key=lambda step: step.time)
        return Finding(self, sentence, tuple(known), certain)
