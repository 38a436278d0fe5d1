"""Which versions of livekit-agents are supported, and what an older one does not report."""

from __future__ import annotations

import logging
import re
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

from tracer.errors import ConfigurationError

__all__ = ["NEWEST", "OLDEST", "SINCE", "Since", "log_what_is_not_reported", "require_livekit_agents"]

log = logging.getLogger("tracer")

OLDEST = (1, 3)
"""The first with an ``AgentServer``."""
NEWEST = (1, 8)
"""The newest that tracer was tested with; a newer one is instrumented all the same."""


class Since(NamedTuple):
    """What livekit-agents reports from a version on."""

    version: tuple[int, int, int]
    reports: str


SINCE = (
    Since((1, 4, 0), "the load that is compared with the threshold"),
    Since((1, 4, 0), "the agent's instructions"),
    Since((1, 5, 0), "the deployment of a worker"),
    Since((1, 8, 2), "when a job was assigned, connected, started its session and shut down"),
)
"""Less is reported by what is older. Made sure of by tests/live/test_matrix.py; docs/versions.md shows it."""


def require_livekit_agents() -> str:
    """The version that is installed. Raises ConfigurationError when there is none, or one that is not supported."""
    try:
        installed = version("livekit-agents")
    except PackageNotFoundError:
        raise ConfigurationError("livekit-agents is not installed here: pip install 'livekit-tracer[agent]'") from None
    if _numbers(installed)[:2] < OLDEST:
        raise ConfigurationError(
            f"livekit-agents {installed} is installed, and {_text(OLDEST)} or newer is needed:"
            " the agent runs as without tracer"
        )
    return installed


def log_what_is_not_reported() -> None:
    """One line in the log when the livekit-agents that is installed reports less, or is not known yet."""
    installed = require_livekit_agents()
    numbers = _numbers(installed)
    if numbers[:2] > NEWEST:
        log.warning(
            "tracer: livekit-agents %s is newer than %s, the newest that tracer was tested with: it may report less",
            installed,
            _text(NEWEST),
        )
    elif missing := [since for since in SINCE if numbers < since.version]:
        log.info("tracer: livekit-agents %s does not report %s", installed, "; ".join(map(_since, missing)))


def _since(since: Since) -> str:
    return f"{since.reports} (from {_text(since.version)} on)"


def _numbers(of: str) -> tuple[int, ...]:
    """The release of a version as numbers: 1.8.10rc1 is (1, 8, 10)."""
    release = re.match(r"\d+(\.\d+)*", of)
    return tuple(map(int, release[0].split("."))) if release else ()


def _text(numbers: tuple[int, ...]) -> str:
    return ".".join(map(str, numbers))
