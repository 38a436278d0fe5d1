"""What a command needs beyond the base install, found out before it starts anything."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

__all__ = ["DEMOS_AGENTS", "lacks_watch_extra", "needs_demo_extra", "needs_mcp_extra", "needs_new_enough_agents"]

MODULES = {"livekit-agents": "livekit.agents", "livekit": "livekit.rtc"}
"""What the extra ``demo`` brings: each package with the module that shows whether it is there."""
DEMOS_AGENTS = (1, 8, 2)
"""The first livekit-agents whose sessions report that they started: every scenario waits for that."""


def needs_demo_extra(command: str) -> None:
    """Raises ConfigurationError that names what is missing, and how to install it."""
    missing = [package for package, module in MODULES.items() if not _there(module)]
    if missing:
        from tracer.errors import ConfigurationError

        raise ConfigurationError(
            f"`{command}` needs {' and '.join(missing)}, of the extra demo: in tracer's checkout, pip install '.[demo]'"
        )


def needs_mcp_extra() -> None:
    """Raises ConfigurationError that says how to install what is missing."""
    if not _there("mcp.server.mcpserver"):
        from tracer.errors import ConfigurationError

        raise ConfigurationError(
            "`tracer mcp` needs mcp 2.2 or newer, of the extra mcp: in tracer's checkout, pip install '.[mcp]'"
        )


def needs_new_enough_agents(command: str) -> None:
    """Raises ConfigurationError where livekit-agents is too old, as in the environment of an agent that is traced."""
    try:
        installed = version("livekit-agents")
    except PackageNotFoundError:
        return  # a checkout on the path, as its developers have it
    if tuple(map(int, re.findall(r"\d+", installed)[:3])) < DEMOS_AGENTS:
        from tracer.errors import ConfigurationError

        needed = ".".join(map(str, DEMOS_AGENTS))
        raise ConfigurationError(
            f"`{command}` needs livekit-agents {needed} or newer, and {installed} is installed here:"
            " `make demo` in tracer's checkout runs it in an environment of its own"
        )


def lacks_watch_extra() -> str:
    """What to install for the full screen of `tracer watch`; empty where it is there."""
    if _there("textual"):
        return ""
    return "for the full screen, install the extra watch: in tracer's checkout, pip install '.[watch]'"


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package above it
        return False
