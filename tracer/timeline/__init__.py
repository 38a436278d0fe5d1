"""The lifecycle of one room, folded from its moments: entities, steps, and what should have happened and did not."""

from __future__ import annotations

from tracer.timeline.fold import fold
from tracer.timeline.timeline import Timeline

__all__ = ["Timeline", "fold"]
