"""What stands in the names of tracer's own spans: few names for production, telling ones for development."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["KINDS", "SpanNames", "one_line", "with_names"]

KINDS = frozenset({"STANDARD", "INGRESS", "EGRESS", "SIP", "AGENT", "CONNECTOR", "BRIDGE"})
"""The kinds of participants that stand in span names. Source: ParticipantInfo.Kind in livekit_models.proto. One that a
later server adds does not: whatever a server sends must not become an entry of a backend's index of names."""
LONGEST = 80
"""Characters of a name from outside in a span's name."""


class SpanNames(StrEnum):
    """How span names are made."""

    FEW = "few"
    """A dozen names for all rooms, with a participant's kind: a backend keeps an index of names, as Jaeger does."""
    FULL = "full"
    """With room, identity and agent name: one looks for a call by reading. For development: each call has new names."""


def with_names(name: str, *more: str | None) -> str:
    """A span's name, with texts from outside behind it as one line that nothing acts on; None and empty add nothing."""
    return " ".join([name, *(line for text in more if text and (line := one_line(text, LONGEST)))])


def one_line(text: str, longest: int) -> str:
    """Text from outside without control characters, cut to so many characters."""
    safe = "".join(char if char.isprintable() else " " for char in text[:longest])
    line = " ".join(safe.split())
    return line if len(text) <= longest else line + "…"
