"""What was acknowledged and what arrived, in files that no program under test knows of."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

__all__ = ["Acknowledged", "Arrived", "Entry"]


class Entry(NamedTuple):
    """A span that a backend accepted: when (ns), and which."""

    at: int
    trace: str
    span: str
    name: str


class Acknowledged:
    """Requests that were answered with 200, a line each: the call's number and the request's place in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, call: int, place: int) -> None:
        """Note the answer."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"{call} {place}\n")

    def entries(self) -> set[tuple[int, int]]:
        """All that was acknowledged."""
        lines = (line.split() for line in self.path.read_text(encoding="utf-8").splitlines())
        return {(int(call), int(place)) for call, place in lines}


class Arrived:
    """Spans that a backend accepted, a line for each request."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, spans: Iterable[tuple[str, str, str]]) -> None:
        """Note a request's spans before it is answered. One write: a kill leaves a whole line or none."""
        line = json.dumps([time.time_ns(), *spans]) + "\n"
        with self.path.open("ab", buffering=0) as file:
            file.write(line.encode())

    def entries(self) -> Iterator[Entry]:
        """All that was accepted, in order."""
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                at, *spans = json.loads(line)
                yield from (Entry(at, *span) for span in spans)
