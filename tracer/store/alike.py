"""What every store does alike, whatever it is written in."""

from __future__ import annotations

import json
from hashlib import blake2b

from tracer import keys
from tracer.units import NS_PER_S

__all__ = ["IS_AGENT", "KEYS_KEPT", "LARGEST", "MOST_UNKNOWN", "digest_of", "identity_fact", "span_ids"]

KEYS_KEPT = 30 * 24 * 3600 * NS_PER_S
"""For how long, ns, a span is sent only once and a webhook taken only once. The server repeats one for a minute."""
MOST_UNKNOWN = 1000
"""Names of what is unknown that are kept; those that come later are not."""
LARGEST = 1024 * 1024
"""Bytes of evidence that are read at one time."""
SPAN_ID = 8
"""Bytes of a span's id."""
IS_AGENT = f'["{keys.PARTICIPANT_KIND}","AGENT"]'
"""How the fact appears in a moment's JSON; text from outside cannot look like it, its quotes are escaped."""


def identity_fact(who: str) -> str:
    """How a participant's identity appears in a moment's JSON."""
    return f"[{json.dumps(keys.PARTICIPANT_IDENTITY)},{json.dumps(who)}]"


def span_ids(joined: bytes) -> list[bytes]:
    """Ids of spans from one behind the other."""
    return [joined[place : place + SPAN_ID] for place in range(0, len(joined), SPAN_ID)]


def digest_of(row: tuple[str | int, ...]) -> bytes:
    """Identity of a moment, by its ``row``: the same moment reported twice is one row."""
    return blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=12).digest()
