"""What a part of the chaos run is given, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

__all__ = ["Options", "Row"]


@dataclass(frozen=True, slots=True)
class Options:
    """How a part is run."""

    rounds: int
    """How often the receiver is killed."""
    chance: Random
    folder: Path
    """For what the run leaves behind."""
    senders: int = 16
    """Calls that are made at one time."""


class Row(NamedTuple):
    """One thing that was done, as a row of the report."""

    what: str
    often: str
    outcome: str
    right: bool
