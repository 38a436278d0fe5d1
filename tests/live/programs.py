"""Gets the servers that the live tests run, before they run side by side.

Run as ``python -m tests.live.programs``: a build takes minutes, and shows how far it is. What cannot be had is reported
here, and again by each test that needs it.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from tracer.errors import BinaryMissingError
from tracer.local_servers import find_jaeger, find_livekit_server

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["now_and_then"]

BETWEEN_LINES = 10.0
"""Seconds between two lines of a build's progress: CI keeps them all."""


def now_and_then(write: Callable[[str], None]) -> Callable[[str], None]:
    """Writes a line when the one before is old enough, and drops the others."""
    written = -math.inf

    def show(line: str) -> None:
        nonlocal written
        if time.monotonic() - written >= BETWEEN_LINES:
            written = time.monotonic()
            write(line)

    return show


def main() -> None:
    for find in (find_livekit_server, find_jaeger):
        try:
            find(now_and_then(lambda line: print(line, flush=True)))
        except BinaryMissingError as error:
            print(error, flush=True)


if __name__ == "__main__":
    main()
