"""An agent whose audio cannot be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["AgentHasNoVoice"]


class AgentHasNoVoice(Scenario):
    """Its permission to publish was taken away before a caller came."""

    name = "agent-has-no-voice"
    question = "The agent hears my caller, and the caller hears nothing: where is its voice?"
    cause = "agent-has-no-voice"

    async def play(self, play: Play) -> None:
        """The agent waits; UpdateParticipant; a caller comes."""
        await play.room_without_callers("")
        await play.may_not_publish(await play.agent())
        await play.has_left(play.caller(seconds=25.0))
