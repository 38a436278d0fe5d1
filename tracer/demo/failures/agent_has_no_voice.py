"""An agent whose audio cannot be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

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
        caller = play.caller()
        await play.happened(Kind.SESSION_AUDIO_FAILED)
        await play.hangs_up(caller, 2 * ALONE)
