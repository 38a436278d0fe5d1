"""An entrypoint that raises in the middle of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["RaiseAfterConnect"]


class RaiseAfterConnect(Scenario):
    """Its job ends with it, and the agent leaves."""

    name = "raise-after-connect"
    question = "The agent left in the middle of the call, and nobody removed it: why?"
    cause = "raised-after-connect"
    workers = (faulty("raises-in-the-call"),)

    async def play(self, play: Play) -> None:
        """A call, in the middle of which the entrypoint looks for a setting that is missing."""
        caller = play.caller()
        await play.happened(Kind.JOB_ENDED)
        await play.hangs_up(caller, ALONE)
