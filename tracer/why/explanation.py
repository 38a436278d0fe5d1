"""What ``tracer why`` answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracer.why.cause import Doubt, Finding
    from tracer.why.lack import Lack

__all__ = ["Explanation"]


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
    advice: str = ""
    """What to do about what the summary says is missing or not known, in whole sentences; causes have their own."""
    missed: tuple[Lack, ...] = ()
    """What somebody lacked for certain, the longest first."""
