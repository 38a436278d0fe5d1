"""A warning that strangers can cause: logged now and then, however often it happens."""

from __future__ import annotations

import logging
import time

__all__ = ["Seldom"]

log = logging.getLogger("tracer")

PERIOD = 10.0
"""Seconds between two lines."""


class Seldom:
    """Logs the first at once; those that follow within PERIOD are only counted, and the next line says how many."""

    def __init__(self) -> None:
        self._again_at = 0.0
        self._held_back = 0

    def warn(self, text: str, level: int = logging.WARNING) -> None:
        """Log it, or count it."""
        now = time.monotonic()
        if now < self._again_at:
            self._held_back += 1
            return
        more = f" ({self._held_back} more since the last line like this)" if self._held_back else ""
        self._held_back, self._again_at = 0, now + PERIOD
        log.log(level, "%s%s", text, more)
