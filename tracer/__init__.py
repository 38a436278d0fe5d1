"""A lifecycle event tracer and visualizer for LiveKit rooms and agents.

Its entry points are in the module livekit_tracer.

In an agent: ``import tracer; tracer.instrument(server)``. At the command line: ``tracer --help``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer.errors import TracerError
from tracer.moment import Kind, Moment
from tracer.timeline import Timeline, fold

if TYPE_CHECKING:
    from tracer.instrumentation import instrument

__all__ = ["Kind", "Moment", "Timeline", "TracerError", "__version__", "fold", "instrument"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # livekit.agents takes 2 s to import, and only an agent needs it.
    if name == "instrument":
        from tracer.instrumentation import instrument

        return instrument
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
