"""A caller who comes back to a room that the agent has left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["Rejoin"]


class Rejoin(Scenario):
    """A dispatch comes with a room, not with a caller."""

    name = "rejoin"
    question = "My caller reconnected in time, and no agent is there: why?"
    cause = "rejoined-without-agent"
    workers = (faulty("leaves-with-the-caller"),)

    async def play(self, play: Play) -> None:
        """The caller leaves and is back before the room closes; the agent's job ended with their leaving."""
        await play.has_left(play.caller(seconds=5.0, back_after=0.5))
