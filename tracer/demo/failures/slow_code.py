"""An entrypoint that does something else first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["SlowCode"]


class SlowCode(Scenario):
    """The caller waits for it."""

    name = "slow-code"
    question = "The process was ready, and still the agent comes seconds late: why?"
    cause = "slow-code"
    workers = (faulty("thinks-first"),)

    async def play(self, play: Play) -> None:
        """A caller; the entrypoint takes 3 s before it connects."""
        await play.call()
