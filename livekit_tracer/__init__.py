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

__all__ = ["in_the_way", "main"]

log = logging.getLogger("tracer")

OURS = Path(__file__).resolve().parents[1] / "tracer"
MARK = "livekit_tracer"
"""What the first lines of our own module hold, and those of another that was installed over it do not."""


def in_the_way(folder: Path | None = None) -> str:
    """What is imported instead of this package's module `tracer`, as a sentence with what to do; empty when nothing is.

    ``folder`` is looked at first, as Python does for a program that is there.
    """
    for found in _found(folder):
        if found.resolve() not in (OURS / "__init__.py", OURS):
            return (
                f"{found} is imported as `tracer` instead of livekit-tracer's module of that name:"
                " rename it, or run from another folder"
            )
        break
    else:
        return f"livekit-tracer's module `tracer` is missing from {OURS}: install livekit-tracer again"
    if MARK not in (OURS / "__init__.py").read_text(encoding="utf-8", errors="replace")[:1000]:
        return (
            f"another distribution called tracer is installed over livekit-tracer in {OURS}:"
            " `pip uninstall tracer`, then install livekit-tracer again"
        )
    return ""


def _found(folder: Path | None) -> list[Path]:
    """What Python finds under that name, the first first."""
    here = [folder / "tracer.py", folder / "tracer" / "__init__.py"] if folder else []
    found = [path for path in here if path.is_file()]
    try:
        spec = find_spec("tracer")
    except (ImportError, ValueError):  # a module that has no spec, as one that a program made up
        spec = None
    if spec and spec.origin:
        found.append(Path(spec.origin))
    elif spec and spec.submodule_search_locations:
        found.extend(Path(place) for place in spec.submodule_search_locations)
    return found


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
