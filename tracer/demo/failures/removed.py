"""An agent that is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["Removed"]


class Removed(Scenario):
    """RemoveParticipant ends its job."""

    name = "removed"
    question = "My agent vanished in the middle of the call: who did that?"
    cause = "removed"

    async def play(self, play: Play) -> None:
        """RemoveParticipant of the agent in the middle of a call."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.remove(await play.agent())
        await play.hangs_up(caller, 2 * ALONE)
