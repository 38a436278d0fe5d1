"""What a worker's load_fnc took of the time until it answered an offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from tracer.timeline.step import Step

__all__ = ["MAKE_IT_QUICK", "part_of_load_fnc"]

MAKE_IT_QUICK = (
    "Make load_fnc quick, as by measuring in a thread of your own and returning the last value: livekit-agents waits"
    " for it before it answers each offer, and the server waits 3 s for the answer."
)
"""What to do where it is slow."""


def part_of_load_fnc(answered: Step | None, took: int) -> float | None:
    """How many seconds of the ``took`` ns until this answer were load_fnc's, where most were; else None.

    Reported with the answer, where livekit-agents calls it for each offer (since 1.5).
    """
    seconds = answered.facts.get(keys.LOAD_TOOK) if answered else None
    return seconds if isinstance(seconds, float) and seconds * NS_PER_S * 2 > took else None
