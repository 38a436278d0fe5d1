"""What ``tracer why`` answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracer.timeline.step import Step
    from tracer.why.cause import Cause

__all__ = ["Doubt", "Explanation", "Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause that the record shows."""

    cause: Cause
    sentence: str
    """What happened, in full and for this room; text from outside in it is as it came, see ``view.text.plain``."""
    evidence: tuple[Step, ...]
    """What it rests on, in order of time."""
    certain: bool = True
    """Whether nothing else explains the evidence; else it is the likeliest of several."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A cause that cannot be ruled out, because no witness could see it."""

    cause: Cause
    how: str
    """How to find out."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that is known of why a call went as it did."""

    findings: tuple[Finding, ...]
    """The worst and likeliest first."""
    doubts: tuple[Doubt, ...]
    summary: str
    """One sentence."""
    well: bool | None
    """Whether all went well; None where that is not known (yet)."""
