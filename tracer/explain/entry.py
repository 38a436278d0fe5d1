"""What is said of one word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.labelled import Labelled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.livekit_sources import Source

__all__ = ["Entry", "Group"]


class Group(Labelled):
    """What a word is, in the order in which the groups are listed: the slug for programs, and a label for people."""

    THING = "thing", "things: what there is in a call"
    MOMENT = "moment", "moments: what can happen"
    STATE = "state", "states: of participants, jobs, workers and sessions"
    GAP = "gap", "gaps: where the time goes"
    OWNER = "owner", "owners: who spends the time of a gap"
    REASON = "reason", "reasons: why somebody left, and why a room ended"
    MODE = "mode", "modes: how a dispatch came about"
    CAUSE = "cause", "causes: what goes wrong"
    RULE = "rule", "rules: what must hold"
    COLUMN = "column", "columns: of the tables"
    ANSWER = "answer", "answers: what commands say of a room, a rule, a job or a setup"
    SIGN = "sign", "signs: in charts, lists and tables"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of one word. Every text is plain, in whole sentences, and empty where nothing is known to say."""

    word: str
    """As tracer writes it: ``job.offered``, ``JOINING``, ``no-worker``, ``accuracy``."""
    group: Group
    title: str
    """What it is called in a list, in a few words."""
    meaning: str
    caused_by: str = ""
    """Who or what causes it, or spends the time."""
    following: str = ""
    """What normally comes next."""
    mistake: str = ""
    """What people often get wrong about it."""
    advice: str = ""
    """What to do about it."""
    known_from: str = ""
    """What shows it: which witnesses, and how exactly."""
    sources: tuple[Source, ...] = ()
    """Where LiveKit says so; empty for tracer's own words."""
    related: tuple[str, ...] = ()
    """Other words that are explained."""
    aliases: tuple[str, ...] = ()
    """What else it is asked for by."""

    @property
    def said(self) -> Iterator[tuple[str, str]]:
        """What is said beyond the meaning, each with its heading, without what is empty; sources not among it."""
        parts = (
            ("caused by", self.caused_by),
            ("next", self.following),
            ("common mistake", self.mistake),
            ("what to do", self.advice),
            ("known from", self.known_from),
        )
        return ((heading, text) for heading, text in parts if text)

    @property
    def hover(self) -> str:
        """A few lines for who points at the word: what it means, who causes it, what comes next, the mistake."""
        parts = [(heading, text) for heading, text in self.said if heading != "known from"]
        return "\n".join([self.meaning, *(f"{heading[0].upper()}{heading[1:]}: {text}" for heading, text in parts)])
