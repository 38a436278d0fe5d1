"""A caller who comes back too late."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["CallerAway"]


class CallerAway(Scenario):
    """The room closed departure_timeout after they left; a new one shares nothing with it."""

    name = "caller-away"
    question = "My caller lost the connection for a moment, and the agent had forgotten everything: why?"
    cause = "caller-away"

    async def play(self, play: Play) -> None:
        """A call that breaks off; when its room has closed, the same caller again. It is about the first room."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.breaks_off(caller)
        await play.is_about_this_room()
        await play.until(play.is_over, "the room has not closed")
        await asyncio.sleep(1.0)  # the caller is away for longer than the room waits
        second = play.anew(play.room)
        caller = second.caller()
        await second.happened(Kind.PARTICIPANT_ACTIVE)
        await second.hangs_up(caller, ALONE)
        await second.ended()
