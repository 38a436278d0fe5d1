"""A caller who comes back to a room that the agent has left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["Rejoin"]


class Rejoin(Scenario):
    """A dispatch comes with a room, not with a caller."""

    name = "rejoin"
    question = "My caller reconnected in time, and no agent is there: why?"
    cause = "rejoined-without-agent"
    workers = (faulty("leaves-with-the-caller"),)

    async def play(self, play: Play) -> None:
        """The caller leaves and is back before the room closes; the agent's job ended with their leaving."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.goes_away(caller, ALONE)
        await play.happened(Kind.PARTICIPANT_LEFT, 2)
        play.comes_back(caller)
        await play.happened(Kind.PARTICIPANT_ACTIVE, 3)
        await play.hangs_up(caller, 2 * ALONE)
