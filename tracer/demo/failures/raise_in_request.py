"""A request_fnc that raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["RaiseInRequest"]


class RaiseInRequest(Scenario):
    """livekit-agents treats that as a rejection."""

    name = "raise-in-request"
    question = "My request_fnc raises an exception: what happens to the job?"
    cause = "request-raised"
    workers = (faulty("raises-in-request"),)

    async def play(self, play: Play) -> None:
        """A caller; request_fnc raises."""
        caller = play.caller()
        await play.happened(Kind.JOB_REJECTED)
        await play.hangs_up(caller, 2 * ALONE)
