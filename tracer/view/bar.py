"""A bar of a length in eighths of a column."""

from __future__ import annotations

__all__ = ["bar"]

EIGHTHS = " ▏▎▍▌▋▊▉"
FULL = "█"


def bar(part: float, whole: float, width: int) -> str:
    """A bar for ``part``, where ``whole`` has ``width`` columns; what is there at all has an eighth of one."""
    if part <= 0 or whole <= 0:
        return ""
    columns, eighths = divmod(max(round(8 * width * min(part / whole, 1)), 1), 8)
    return FULL * columns + (EIGHTHS[eighths] if eighths else "")
