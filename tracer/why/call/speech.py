"""From when and until when somebody spoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.units import FOREVER, NS_PER_S

if TYPE_CHECKING:
    from tracer.timeline.step import Step

__all__ = ["spoken_until", "turn_began"]


def spoken_until(step: Step) -> int:
    """When the speech that began with a step was over, ns; FOREVER where that is not known."""
    lasted = step.facts.get(keys.SPOKE_FOR)
    return step.time + round(lasted * NS_PER_S) if isinstance(lasted, int | float) else FOREVER


def turn_began(over: Step) -> int:
    """When a turn of the caller's or the agent's began, ns; where that is not known, when it was over."""
    lasted = over.facts.get(keys.TURN_LASTED)
    return over.time - (round(lasted * NS_PER_S) if isinstance(lasted, int | float) else 0)
