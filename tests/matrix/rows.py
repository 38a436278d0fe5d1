"""The rows of the matrix: each a version of livekit-agents, livekit-server or Python, or the lowest of everything.

``MATRIX`` chooses: ``all``, or names of rows. Without it those that CI has time for: the oldest livekit-agents, the
last that traces neither connection nor session, and the Python from which on no thread starts while a process ends.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import NamedTuple

__all__ = ["IN_CI", "ROWS", "Row", "chosen", "numbers"]

INSTALLED = version("livekit-agents")
AGENTS = ("1.3.12", "1.4.6", "1.5.17", "1.6.10", "1.7.1", "1.8.1", "1.8.2", "1.8.6", "1.8.9")
SERVERS = ("1.9.11", "1.11.0", "1.13.11")
PYTHONS = ("3.12", "3.13", "3.14")
LOWEST = "1.3.1"


class Row(NamedTuple):
    """What is other than in all the other tests."""

    agents: str = INSTALLED
    server: str = ""
    python: str = ""
    lowest: bool = False

    def __str__(self) -> str:
        if self.lowest:
            return "lowest"
        if self.server or self.python:
            return f"livekit-server-{self.server}" if self.server else f"python-{self.python}"
        return f"livekit-agents-{self.agents}"


ROWS = (
    *(Row(agents) for agents in AGENTS),
    *(Row(server=server) for server in SERVERS),
    *(Row(python=python) for python in PYTHONS),
    Row(LOWEST, lowest=True),
)
IN_CI = (Row("1.3.12"), Row("1.8.1"), Row(python="3.12"))


def chosen(names: str) -> tuple[Row, ...]:
    """The rows of these names, or all, or those of CI where none is named. Raises ValueError for another name."""
    wanted = names.split()
    if unknown := set(wanted) - {"all", *map(str, ROWS)}:
        raise ValueError(f"no row {', '.join(sorted(unknown))} in {', '.join(map(str, ROWS))}")
    if not wanted:
        return IN_CI
    return tuple(row for row in ROWS if "all" in wanted or str(row) in wanted)


def numbers(of: str) -> tuple[int, ...]:
    """A version as numbers, which can be compared; none of an empty one."""
    return tuple(map(int, of.split("."))) if of else ()
