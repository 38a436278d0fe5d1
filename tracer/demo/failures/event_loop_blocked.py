"""Blocking code in the agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["EventLoopBlocked"]


class EventLoopBlocked(Scenario):
    """While it runs, the agent neither hears nor speaks."""

    name = "event-loop-blocked"
    question = "The agent freezes for seconds in the middle of the call: why?"
    cause = "event-loop-blocked"
    workers = (silent("blocks"),)

    async def play(self, play: Play) -> None:
        """The agent calls a library that blocks, while the caller is there."""
        caller = play.caller()
        await play.happened(Kind.AGENT_BLOCKED)
        await play.hangs_up(caller)
