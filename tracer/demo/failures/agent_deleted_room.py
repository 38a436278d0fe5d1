"""An agent that hangs up when others are still talking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["AgentDeletedRoom"]


class AgentDeletedRoom(Scenario):
    """Deleting the room hangs up on everybody in it."""

    name = "agent-deleted-room"
    question = "The agent connected two people and left, and both were cut off: why?"
    cause = "agent-deleted-room"
    workers = (faulty("hangs-up-on-two"),)

    async def play(self, play: Play) -> None:
        """Bob joins ada's call; the agent ends, and deletes the room."""
        ada = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        bob = play.caller("bob")
        await play.has_left(ada)
        await play.has_left(bob)
