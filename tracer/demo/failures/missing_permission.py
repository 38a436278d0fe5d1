"""A caller whose token does not let them publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import Scenario

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
        await play.has_left(play.caller(seconds=8.0, may_publish=False))
