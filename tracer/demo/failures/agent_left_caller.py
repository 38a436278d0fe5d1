"""An agent that ends, and leaves its caller in the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["AgentLeftCaller"]

WAITS = 14.0
"""Seconds the caller stays: whoever leaves within 10 was hung up on in time."""


class AgentLeftCaller(Scenario):
    """The end of a job disconnects the agent, and nobody else."""

    name = "agent-left-caller"
    question = "The agent is gone, and my caller hears nothing until they hang up: why?"
    cause = "agent-left-caller"
    workers = (faulty("forgets-to-hang-up"),)

    async def play(self, play: Play) -> None:
        """The agent shuts down its job, and the caller stays."""
        caller = play.caller()
        await play.happened(Kind.JOB_SHUTDOWN)
        await play.hangs_up(caller, WAITS)
