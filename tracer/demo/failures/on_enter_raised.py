"""An exception in on_enter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["OnEnterRaised"]


class OnEnterRaised(Scenario):
    """livekit-agents logs it, and goes on without a greeting."""

    name = "on-enter-raised"
    question = "The agent is in the room and does not greet: why?"
    cause = "on-enter-raised"
    workers = (silent("raises"),)

    async def play(self, play: Play) -> None:
        """The agent's greeting fails, and the caller waits."""
        caller = play.caller()
        await play.happened(Kind.MODEL_FAILED)
        await play.hangs_up(caller, 2 * ALONE)
