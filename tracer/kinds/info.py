"""What is documented of a kind of moment."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["KindInfo"]


@dataclass(frozen=True, slots=True)
class KindInfo:
    """What is documented of one kind."""

    phrase: str
    """What it is called in a list of steps, unlike any other kind: ``job offered``; ``{who}`` is the participant."""
    verb: str
    """What happened to its subject, in a sentence: the job ``was offered``."""
    meaning: str
    cause: str
    """Who or what causes it."""
    following: str
    """What normally comes next."""
    source: str
    """Which witnesses report it, and what the time is when the server or the agent does not give it in ns."""
