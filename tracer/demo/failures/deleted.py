"""A room that is deleted while somebody is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["Deleted"]


class Deleted(Scenario):
    """DeleteRoom disconnects everybody."""

    name = "deleted"
    question = "Caller and agent left at the same moment: why?"
    cause = "room-deleted"

    async def play(self, play: Play) -> None:
        """DeleteRoom in the middle of a call."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        play.say("DeleteRoom")
        await play.delete_room()
        await play.has_left(caller)
