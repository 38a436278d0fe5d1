"""The result of a check: its state, one sentence, and how to fix it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["CheckName", "Diagnosis", "State", "quoted", "short"]

LONGEST_NAME = 40
"""Characters of a name from outside that a sentence shows."""


class CheckName(StrEnum):
    """What a check is called, in a terminal and in JSON."""

    MODULE = "module"
    """No other module of the name `tracer` is in the way."""
    SERVER = "server"
    """The LiveKit server answers and accepts the key."""
    RECEIVER = "receiver"
    """`tracer serve` answers."""
    WEBHOOKS = "webhooks"
    """The server's webhooks arrive."""
    WORKERS = "workers"
    """Workers answer for an agent."""
    BACKEND = "backend"
    """The OpenTelemetry backend accepts a span, and Jaeger returns it."""
    PROTOCOL = "protocol"
    """What the server sends is known."""
    CLOCKS = "clocks"
    """The clocks of server, agents and this machine are close."""


class State(StrEnum):
    """The result of a check."""

    OK = "ok"
    """It works: this was measured."""
    WARNING = "warning"
    """It works, but perhaps not as intended."""
    FAILED = "failed"
    """It does not work."""
    SKIPPED = "skipped"
    """Not checked, or inconclusive; the sentence gives the reason."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One line of the doctor. Neither sentence ever holds a secret or a token."""

    check: CheckName
    """The check that found it."""
    state: State
    text: str
    """What was measured."""
    fix: str = ""
    """What to do; empty when there is nothing to do."""


def short(name: str) -> str:
    """A name from outside, cut to LONGEST_NAME."""
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def quoted(name: str) -> str:
    """The same in quotation marks, with what cannot be printed escaped."""
    return repr(short(name))
