"""Whether LiveKit sends what this version does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.doctor.diagnosis import CheckName, Diagnosis, State, short

if TYPE_CHECKING:
    from tracer.doctor.visit import Visit
    from tracer.store import Unknown

__all__ = ["ProtocolCheck", "in_words"]

MOST_NAMES = 8
"""Names that the sentence shows, those that came last."""


class ProtocolCheck:
    """The store has the names of events, fields and values that came, and that were not known when they did."""

    name = CheckName.PROTOCOL

    async def examine(self, visit: Visit) -> list[Diagnosis]:
        """One finding where there are such; none where all is known, or there is no store."""
        unknown = visit.reader.unknown() if visit.reader else []
        if not unknown:
            return []
        text = f"the server sent what this version does not know, and timelines leave out: {in_words(unknown)}"
        return [Diagnosis(self.name, State.WARNING, text, "pip install --upgrade livekit-protocol livekit-tracer")]


def in_words(unknown: list[Unknown]) -> str:
    """What is unknown, the latest first, and how often it came."""
    latest = sorted(unknown, key=lambda one: (-one.last, one.name))
    shown = [f"{short(one.name)} ({one.times}\N{MULTIPLICATION SIGN})" for one in latest[:MOST_NAMES]]
    more = len(latest) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
