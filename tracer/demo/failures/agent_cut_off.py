"""An agent that loses its connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["AgentCutOff"]


class AgentCutOff(Scenario):
    """Its process runs on, and cannot reach the server any more."""

    name = "agent-cut-off"
    question = "In the middle of the call the agent fell silent, though its process was running: why?"
    cause = "agent-lost-connection"
    workers = (faulty("loses-its-connection"),)

    async def play(self, play: Play) -> None:
        """The agent's path to the server is cut in the middle of a call."""
        caller = play.caller()
        await play.happened(Kind.JOB_ENDED)
        await play.hangs_up(caller, ALONE)
