"""A caller whose token hides them from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["CallerHidden"]


class CallerHidden(Scenario):
    """The token was made for those who listen to a call, and nobody sees them."""

    name = "caller-hidden"
    question = "My caller is in the room and speaks, and the agent waits for a participant: why does it not see them?"
    cause = "caller-hidden"

    async def play(self, play: Play) -> None:
        """A caller with the permission hidden."""
        caller = play.caller(hidden=True)
        await play.happened(Kind.AGENT_WAITING_FOR_PARTICIPANT)
        await play.hangs_up(caller, IN_VAIN)
