"""How a tool's call is written, for what to ask next."""

from __future__ import annotations

import json

__all__ = ["called"]


_LATER = ("{page}", "{after}")


def called(tool: str, /, **arguments: object) -> str:
    """A call as people read it: ``why(room="RM_…")``; ``{page}`` and ``{after}`` are filled in by the answer."""
    given = (f"{key}={value}" if value in _LATER else f"{key}={json.dumps(value)}" for key, value in arguments.items())
    return f"{tool}({', '.join(given)})"
