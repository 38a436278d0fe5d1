"""What is documented of a kind of moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracer.livekit_sources import Source

__all__ = ["KindInfo"]

_WORDS = {"observer": "API"}


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
    reported: Mapping[str, str]
    """By witness that reports it: what its time is there, where the server or the agent does not give it in ns.

    What another witness reports of this kind is not its own to report.
    """
    mistake: str = ""
    """What people often get wrong about it; empty where nothing is known to be."""
    said: tuple[Source, ...] = ()
    """Where LiveKit says so."""

    @property
    def source(self) -> str:
        """The same for people: ``webhook, API: the server's own time in ms``; several are separated by semicolons."""
        by_time: dict[str, list[str]] = {}
        for witness, at in self.reported.items():
            by_time.setdefault(at, []).append(_WORDS.get(witness, witness))
        return "; ".join(f"{', '.join(words)}{at and ': '}{at}" for at, words in by_time.items())
