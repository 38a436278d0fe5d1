"""What a check comes to: how it stands, in one sentence, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Diagnosis", "State", "quoted", "short"]

LONGEST_NAME = 40
"""Characters of a name from outside that a sentence holds; the rest says nothing more."""


class State(StrEnum):
    """How what was looked at stands."""

    OK = "ok"
    """It works, and was seen to."""
    WARNING = "warning"
    """It works, and perhaps not as it was meant."""
    FAILED = "failed"
    """It does not work."""
    SKIPPED = "skipped"
    """It cannot be told; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line. Neither sentence ever holds a secret or a token."""

    check: str
    """Name of the check that found it."""
    state: State
    text: str
    """What was measured."""
    fix: str = ""
    """What to do; empty when there is nothing to do."""


def short(name: str) -> str:
    """A name from outside, of bearable length."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def quoted(name: str) -> str:
    """The same in quotation marks, with what cannot be printed escaped."""
    return repr(short(name))
