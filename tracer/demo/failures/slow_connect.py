"""An agent that takes long to connect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["SlowConnect"]


class SlowConnect(Scenario):
    """The network to the server is slow."""

    name = "slow-connect"
    question = "ctx.connect() takes seconds: what does my caller notice?"
    cause = "slow-connect"
    workers = (faulty("connects-slowly"),)

    async def play(self, play: Play) -> None:
        """A caller; what the agent sends to the server first is 3 s on its way."""
        await play.call()
