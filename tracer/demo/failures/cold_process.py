"""A job that finds no warm process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["ColdProcess"]


class ColdProcess(Scenario):
    """It waits for one to start, and for its setup_fnc."""

    name = "cold-process"
    question = "After a quiet while, the agent takes seconds to arrive in the first call: why?"
    cause = "cold-process"
    workers = (faulty("prepares-slowly"),)

    async def play(self, play: Play) -> None:
        """A caller; the worker keeps no process warm, and setup_fnc takes 2 s."""
        await play.call()
