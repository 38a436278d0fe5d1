"""Something that a call lacks which went well."""

from __future__ import annotations

from dataclasses import dataclass

from tracer.units import NS_PER_S

__all__ = ["Lack", "in_seconds"]


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that was missing, or is not known to have been there."""

    sentence: str
    """What, without a capital and a full stop: for the end of a sentence."""
    certain: bool
    """Whether it was missing; else it is not known to have been there."""
    ns: int = 0
    """How long it was missing."""
    advice: str = ""
    """What to do, in whole sentences."""
    of: str = ""
    """SID of whom it was missing to, where from when on is known."""
    since: int = 0
    """From when on, ns since the epoch."""
    early: str = ""
    """While the call goes on: who came, where that was too short a time ago to miss anything."""
    early_ns: int = 0
    """How long ago that was."""


def in_seconds(ns: int) -> str:
    """A length of time, ns, as ``18.4 s``."""
    return f"{ns / NS_PER_S:.1f} s"
