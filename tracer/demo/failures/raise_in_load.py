"""A load_fnc that raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import ALONE, DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["RaiseInLoad"]


class RaiseInLoad(Scenario):
    """livekit-agents calls it before it answers an offer: the server gets no answer."""

    name = "raise-in-load"
    question = "My load_fnc raises an exception: what happens to the job?"
    cause = "load-fnc-raised"
    workers = (DemoWorker(environment={"AGENT_LOAD": "unknown"}),)  # which is no number

    async def play(self, play: Play) -> None:
        """A caller; load_fnc raises."""
        caller = play.caller()
        await play.happened(Kind.JOB_REJECTED)
        await play.hangs_up(caller, 2 * ALONE)
