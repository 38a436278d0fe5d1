"""What a part of the soak is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Options", "Report", "say"]


@dataclass(frozen=True, slots=True)
class Options:
    """How a part is run."""

    times: int
    """How often each healthy call is made."""
    at_once: int
    """How many calls are made at the same time."""
    kinds: int
    """How many kinds of healthy calls are made, taken evenly from all; 0 for all."""
    only: str
    """What has to be in the name of what is run; empty for all."""
    folder: Path
    """For what the run leaves behind."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a part."""

    text: str
    """Markdown, without a heading."""
    right: bool
    """Whether `tracer why` was right everywhere."""


def say(line: str) -> None:
    """Show at once how far it is."""
    print(line, flush=True)
