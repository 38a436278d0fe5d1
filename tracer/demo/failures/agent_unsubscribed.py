"""An agent that unsubscribes from its caller in the middle of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import FOR_LONG
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["AgentUnsubscribed"]


class AgentUnsubscribed(Scenario):
    """Its session goes on, and hears nothing."""

    name = "agent-unsubscribed"
    question = "The agent heard my caller, and in the middle of the call it no longer does: why?"
    cause = "agent-unsubscribed"
    workers = (silent("unsubscribes"),)

    async def play(self, play: Play) -> None:
        """A caller who goes on speaking."""
        caller = play.caller()
        await play.happened(Kind.TRACK_UNSUBSCRIBED)
        await play.hangs_up(caller, FOR_LONG)
