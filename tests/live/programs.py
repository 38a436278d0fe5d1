"""Gets the programs that the live tests run, before they run side by side.

Run as ``python -m tests.live.programs``: a build takes minutes, and shows how far it is. What cannot be had is reported
here, and again by each test that needs it.
"""

from __future__ import annotations

from tests.live.node_programs import find_mermaid
from tracer.errors import BinaryMissingError
from tracer.local_servers import find_jaeger, find_livekit_server
from tracer.view.progress import now_and_then

__all__ = ["BETWEEN_LINES"]

BETWEEN_LINES = 10.0
"""Seconds between two lines of a build's progress: CI keeps them all."""


def main() -> None:
    for find in (find_livekit_server, find_jaeger, find_mermaid):
        try:
            find(now_and_then(lambda line: print(line, flush=True), BETWEEN_LINES))
        except BinaryMissingError as error:
            print(error, flush=True)


if __name__ == "__main__":
    main()
