"""An agent whose audio track is muted by the server's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import FOR_LONG
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["AgentMuted"]


class AgentMuted(Scenario):
    """A moderator mutes everybody, the agent too, which goes on speaking."""

    name = "agent-muted"
    question = "My agent could be heard, and then not any more, though it goes on speaking: why?"
    cause = "agent-muted"
    workers = (silent("talks"),)

    async def play(self, play: Play) -> None:
        """The agent has spoken, and is muted."""
        caller = play.caller()
        await play.happened(Kind.AGENT_SPEAKING)
        await play.mute(await play.agent())
        await play.happened(Kind.TRACK_MUTED)
        await play.hangs_up(caller, FOR_LONG)
