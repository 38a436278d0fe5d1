"""An agent that is hidden from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["AgentHidden"]


class AgentHidden(Scenario):
    """Its worker was set up for listeners that nobody should see."""

    name = "agent-hidden"
    question = "The agent is in the room by its own log, and the caller sees nobody: where is it?"
    cause = "agent-hidden"
    workers = (faulty("is-hidden"),)

    async def play(self, play: Play) -> None:
        """A caller, and an agent whose worker has the permission hidden."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.hangs_up(caller, IN_VAIN)
