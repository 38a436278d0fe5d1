"""What livekit-server's own log says of jobs: which rooms got one, and why the others did not.

Source of the messages: livekit-server 1.13.5, pkg/service/agentservice.go (``JobRequest``) and pkg/agent/client.go.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Placed", "read"]

ASSIGNED = "assigned job to worker"
REFUSED = ("no worker available to handle job", "failed to assign job to worker")
UNSENT = "failed to send job request"
JOINED = "starting RTC session"
"""With the participant's identity."""


@dataclass
class Placed:
    """By the SID of rooms."""

    assigned: set[str] = field(default_factory=set)
    """Rooms whose job a worker took."""
    joined: set[str] = field(default_factory=set)
    """Rooms that an agent joined."""
    reasons: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Why a job was not given to a worker, of the rooms that the log names."""
    unsent: list[str] = field(default_factory=list)
    """Why a dispatch came to nothing, one for each that did: here the log does not name the room."""


def read(lines: Iterable[str]) -> Placed:
    """What these lines say."""
    placed = Placed()
    for line in lines:
        head, brace, rest = line.partition("{")
        try:
            told = json.loads(brace + rest)
        except ValueError:
            continue
        message, room, error = head.rstrip().rpartition("\t")[2], told.get("roomID", ""), str(told.get("error", ""))
        if message == ASSIGNED:
            placed.assigned.add(room)
        elif message in REFUSED:
            placed.reasons[room].append(error)
        elif message == UNSENT:
            placed.unsent.append(error)
        elif message == JOINED and str(told.get("participant", "")).startswith("agent-"):
            placed.joined.add(room)
    return placed
