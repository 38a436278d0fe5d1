"""A lifecycle event tracer and visualizer for LiveKit rooms and agents.

Its entry points are in the module livekit_tracer.

In an agent: ``import tracer; tracer.instrument(server)``. In a notebook: ``tracer.load("my-room")``. At the command
line: ``tracer --help``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracer.errors import TracerError
    from tracer.instrumentation import instrument
    from tracer.moment import Kind, Moment
    from tracer.notebook import load
    from tracer.timeline.fold import fold
    from tracer.timeline.timeline import Timeline

__all__ = ["Kind", "Moment", "Timeline", "TracerError", "__version__", "fold", "instrument", "load"]

__version__ = "0.1.0"

_FROM = {
    "Kind": "tracer.moment",
    "Moment": "tracer.moment",
    "Timeline": "tracer.timeline",
    "TracerError": "tracer.errors",
    "fold": "tracer.timeline",
    "instrument": "tracer.instrumentation",  # with livekit.agents, which takes 2 s to import
    "load": "tracer.notebook",
}
"""Each is imported when it is first asked for: an agent needs one of them, a notebook another."""


def __getattr__(name: str) -> Any:
    if name not in _FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(_FROM[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
