"""Until when somebody spoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.units import FOREVER, NS_PER_S

if TYPE_CHECKING:
    from tracer.timeline.step import Step

__all__ = ["spoken_until"]


def spoken_until(step: Step) -> int:
    """When the speech that began with a step was over, ns; FOREVER where that is not known."""
    lasted = step.facts.get(keys.SPOKE_FOR)
    return step.time + round(lasted * NS_PER_S) if isinstance(lasted, int | float) else FOREVER
