"""An entrypoint that returns and never connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["NeverConnects"]


class NeverConnects(Scenario):
    """The job goes on, outside of the room."""

    name = "never-connects"
    question = "My entrypoint returned without an error, and no agent is in the room: why?"
    cause = "never-connected"
    workers = (faulty("never-connects"),)

    async def play(self, play: Play) -> None:
        """A caller; the entrypoint returns at once."""
        caller = play.caller()
        await play.happened(Kind.JOB_ENTRYPOINT_RETURNED)
        await play.hangs_up(caller, 2 * ALONE)
