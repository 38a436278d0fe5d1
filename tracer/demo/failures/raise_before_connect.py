"""An entrypoint that raises before it connects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["RaiseBeforeConnect"]


class RaiseBeforeConnect(Scenario):
    """For the server the job keeps running."""

    name = "raise-before-connect"
    question = "The job is JS_RUNNING and no agent is in the room: why?"
    cause = "raised-before-connect"
    workers = (faulty("raises-before-connect"),)

    async def play(self, play: Play) -> None:
        """A caller; the entrypoint looks for a setting that is missing."""
        caller = play.caller()
        await play.happened(Kind.JOB_ENDED)
        await play.hangs_up(caller, 2 * ALONE)
