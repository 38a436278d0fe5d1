"""What people notice of a call that went wrong."""

from __future__ import annotations

from tracer.labelled import Labelled

__all__ = ["Symptom"]


class Symptom(Labelled):
    """What people notice, the worst first: the slug for programs, and a label for people."""

    MISSING = "missing", "no agent joined"
    DISCONNECTED = "disconnected", "somebody was in the room and left, or was cut off"
    SILENT = "silent", "the agent is in the room and does not answer"
    DUPLICATED = "duplicated", "more agents than wanted, or another one than wanted"
    LATE = "late", "the agent joined, or answered, late"
    UNRECORDED = "unrecorded", "the record itself is incomplete"

    @property
    def rank(self) -> int:
        """Its place, the worst first."""
        return list(Symptom).index(self)
