"""A caller who is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["CallerRemoved"]


class CallerRemoved(Scenario):
    """RemoveParticipant disconnects them."""

    name = "caller-removed"
    question = "My caller was thrown out of the room: by whom?"
    cause = "removed"

    async def play(self, play: Play) -> None:
        """RemoveParticipant of the caller in the middle of a call."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.remove("ada")
        await play.has_left(caller)
