"""A session that is linked to another participant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["LinkedToAnother"]


class LinkedToAnother(Scenario):
    """Without a participant identity, to the first participant."""

    name = "linked-to-another"
    question = "The agent is in the room and does not hear my caller: whom does it hear?"
    cause = "linked-to-another"

    async def play(self, play: Play) -> None:
        """Somebody who only listens is there before the caller."""
        monitor = play.caller("monitor", silent=True)
        await play.happened(Kind.SESSION_STARTED)
        caller = play.caller()
        await play.happened(Kind.TRACK_PUBLISHED, 2)  # theirs, and the agent's
        await play.hangs_up(caller, 2 * ALONE)
        await play.hangs_up(monitor)
