"""An entrypoint that returns and never connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["NeverConnects"]


class NeverConnects(Scenario):
    """The job goes on, outside of the room."""

    name = "never-connects"
    question = "My entrypoint returned without an error, and no agent is in the room: why?"
    cause = "never-connected"
    workers = (faulty("never-connects"),)

    async def play(self, play: Play) -> None:
        """A caller; the entrypoint returns at once."""
        await play.has_left(play.caller())
