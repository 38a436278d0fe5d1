"""An agent whose code calls sys.exit() in the middle of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["ExitsInCall"]


class ExitsInCall(Scenario):
    """Its job ends, and its connection to the room stays up."""

    name = "exits-in-call"
    question = "The agent is in the room, its job ended well, and I hear nothing: why?"
    cause = "job-ended-in-call"
    workers = (silent("exits"),)

    async def play(self, play: Play) -> None:
        """The caller stays with what is left of the agent."""
        caller = play.caller()
        await play.happened(Kind.JOB_ENDED)
        await play.hangs_up(caller, 2 * ALONE)
