"""Trace and span ids, made from LiveKit's own ids.

Nothing has to be coordinated or stored: any process, on any machine, at any time, that knows a room's SID
knows its trace. The id space is 128 and 64 bits; zero, which OpenTelemetry forbids, does not come
out of SHA-256 in practice.
"""

from functools import lru_cache
from hashlib import sha256

__all__ = ["span_id", "trace_id"]


@lru_cache(4096)
def trace_id(room: str) -> int:
    """The trace of the room with this SID, as OpenTelemetry's 128-bit integer."""
    return int.from_bytes(sha256(f"livekit room {room}".encode()).digest()[:16])


@lru_cache(4096)
def span_id(name: str, subject: str) -> int:
    """The span called ``name`` about the subject with this SID or id, as a 64-bit integer."""
    return int.from_bytes(sha256(f"livekit {name} {subject}".encode()).digest()[:8])
