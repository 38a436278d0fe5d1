"""An agent whose voice is silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["AgentSpeaksSilence"]


class AgentSpeaksSilence(Scenario):
    """Its state is speaking, its track is published, its transcript has the words."""

    name = "agent-speaks-silence"
    question = "The agent's state is speaking and I read its words, and hear nothing: why?"
    cause = "agent-speaks-silence"
    workers = (silent("whispers"),)

    async def play(self, play: Play) -> None:
        """The agent greets with zeros, and the caller waits."""
        caller = play.caller()
        await play.happened(Kind.AGENT_SPEAKS_SILENCE)
        await play.hangs_up(caller, ALONE)
