"""Durations that several causes hold a call against, ns."""

from __future__ import annotations

from tracer.units import NS_PER_MS, NS_PER_S

__all__ = [
    "ALIVE",
    "AT_ONCE",
    "HUNG_UP_WITHIN",
    "LONG_ENOUGH",
    "NOTICED",
    "NO_JOB_AFTER",
    "SERVER_WAITS",
    "SOON",
    "STUCK_BY",
]

NO_JOB_AFTER = 8 * NS_PER_S
"""A dispatch without a job this long after has none: the server offers after 0.2 s and lists up to 5 s later."""
SERVER_WAITS = 3 * NS_PER_S
"""How long the server waits for a worker's answer (livekit-server v1.13.5, pkg/service/agentservice.go)."""
SOON = NS_PER_S
"""Two clocks, or two witnesses of one event, may be this far apart."""
AT_ONCE = 50 * NS_PER_MS
"""What comes no later than this after something else comes at once."""
LONG_ENOUGH = 3 * NS_PER_S
"""A caller who was alone for longer than this noticed: a job comes within 0.3 s where one comes."""
ALIVE = 60 * NS_PER_S
"""A worker that reported something no longer ago than this is taken to be running."""
NOTICED = 5 * NS_PER_S
"""Who is not heard for longer than this notices; a participant without tracks is announced up to 3 s late."""
STUCK_BY = 10 * NS_PER_S
"""What a caller has waited for longer than this will hardly come."""
HUNG_UP_WITHIN = 30 * NS_PER_S
"""Whoever is removed, or whose room is deleted, this soon after the agent left was hung up on."""
