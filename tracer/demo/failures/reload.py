"""A caller whose page is reloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE, IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["Reload"]


class Reload(Scenario):
    """A session closes with its participant, and does not open again."""

    name = "reload"
    question = "My caller reloaded the page, and the agent no longer answers: why?"
    cause = "session-closed"
    workers = (faulty(),)

    async def play(self, play: Play) -> None:
        """The caller leaves and is back before the room closes; the agent is still there."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.goes_away(caller, ALONE)
        play.comes_back(caller)
        await play.happened(Kind.PARTICIPANT_ACTIVE, 3)
        await play.hangs_up(caller, IN_VAIN)
