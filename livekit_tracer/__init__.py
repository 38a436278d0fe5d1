"""The way into `tracer` from outside, under a name that nobody else has.

A user's own tracer.py, or another distribution with a module of that name, can be what `import tracer` finds. Then this
is all that still runs: it says what is in the way. Nothing of tracer is imported before that is known.
"""

from __future__ import annotations

import logging
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["in_the_way", "is_ours", "main"]

log = logging.getLogger("tracer")

OURS = Path(__file__).resolve().parents[1] / "tracer"
MARK = "livekit_tracer"
"""What the first lines of our own module hold, and those of another that was installed over it do not."""


def in_the_way() -> str:
    """What is imported instead of this package's module `tracer`, and what to do; empty when nothing is."""
    ours = OURS / "__init__.py"
    found = next(iter(_found()), OURS)
    if found.resolve() not in (ours, OURS):
        return (
            f"{found} is imported as `tracer` instead of livekit-tracer's module of that name:"
            " rename it, or run from another folder"
        )
    if not ours.is_file():  # uninstalled with another distribution that was installed over it
        return f"livekit-tracer's module `tracer` is missing from {OURS}: install livekit-tracer again"
    if not is_ours(ours):
        return (
            f"another distribution called tracer is installed over livekit-tracer in {OURS}:"
            " `pip uninstall tracer`, then install livekit-tracer again"
        )
    return ""


def is_ours(module: Path) -> bool:
    """Whether a module's file is of livekit-tracer, wherever it is. One that cannot be read is not."""
    try:
        return MARK in module.read_text(encoding="utf-8", errors="replace")[:1000]
    except OSError:
        return False


def _found() -> list[Path]:
    """What Python finds under that name, the first first."""
    try:
        spec = find_spec("tracer")
    except (ImportError, ValueError):  # a module that has no spec, as one that a program made up
        return []
    if spec and spec.origin:
        return [Path(spec.origin)]
    return [Path(place) for place in (spec.submodule_search_locations if spec else None) or ()]


def main() -> Any:
    """The command `tracer`."""
    if reason := in_the_way():
        print(f"tracer: {reason}", file=sys.stderr)
        return 2
    from tracer.cli import main

    return main()


def __getattr__(name: str) -> Any:
    """OpenTelemetry's entry point. In its place a class that does nothing: a failure would end the user's program."""
    if name != "LiveKitAgentsInstrumentor":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if reason := in_the_way():
        log.warning("tracer is off: %s", reason)
        return _Nothing
    from tracer.zero_code import LiveKitAgentsInstrumentor

    return LiveKitAgentsInstrumentor


class _Nothing:
    """An instrumentor of nothing."""

    def instrument(self, **_: Any) -> None:
        """Nothing."""

    def uninstrument(self, **_: Any) -> None:
        """Nothing."""
