"""What a command needs beyond the base install, found out before it starts anything."""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["needs_demo_extra"]

MODULES = {"livekit-agents": "livekit.agents", "livekit": "livekit.rtc"}
"""What the extra ``demo`` brings: each package with the module that shows whether it is there."""


def needs_demo_extra(command: str) -> None:
    """Raises ConfigurationError that names what is missing, and how to install it."""
    missing = [package for package, module in MODULES.items() if not _there(module)]
    if missing:
        from tracer.errors import ConfigurationError

        raise ConfigurationError(
            f"`{command}` needs {' and '.join(missing)}, of the extra demo: in tracer's checkout, pip install '.[demo]'"
        )


def _there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package above it
        return False
