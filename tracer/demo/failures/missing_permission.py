"""A caller whose token does not let them publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["MissingPermission"]


class MissingPermission(Scenario):
    """It joins as any other."""

    name = "missing-permission"
    question = "The caller is in the room with an agent that does not hear them: whose fault is it?"
    cause = "missing-permission"

    async def play(self, play: Play) -> None:
        """A caller without canPublish."""
        caller = play.caller(may_publish=False)
        await play.happened(Kind.SESSION_STARTED)
        await play.hangs_up(caller, IN_VAIN)
