"""Whether the legend of a timeline is shown without having been asked for: once to each user, on a terminal."""

from __future__ import annotations

import sys

from tracer.settings import in_ci, legend_marker

__all__ = ["first_time"]


def first_time() -> bool:
    """Whether this user has not seen it yet, which is noted; never in a pipe or CI, or where nothing can be noted."""
    if not sys.stdout.isatty() or in_ci():
        return False
    marker = legend_marker()
    try:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch(exist_ok=False)
    except OSError:
        return False
    return True
