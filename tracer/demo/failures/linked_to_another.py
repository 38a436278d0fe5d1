"""A session that is linked to another participant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import LIMIT
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
        monitor = play.caller("monitor", silent=True, seconds=LIMIT)
        await play.happened(Kind.SESSION_STARTED)
        await play.has_left(play.caller(seconds=4.0))
        await play.hangs_up(monitor)
