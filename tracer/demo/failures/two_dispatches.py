"""The same agent, dispatched twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import ALONE, DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["TwoDispatches"]


class TwoDispatches(Scenario):
    """Each dispatch brings an agent."""

    name = "two-dispatches"
    question = "Two agents greet my caller at once: why?"
    cause = "dispatched-twice"
    workers = (DemoWorker("helper"),)

    async def play(self, play: Play) -> None:
        """The caller's token names “helper”, and so does the backend's CreateDispatch."""
        caller = play.caller(agents=("helper",))
        await play.happened(Kind.SESSION_STARTED)
        await play.dispatch("helper")
        await play.happened(Kind.SESSION_STARTED, 2)
        await play.hangs_up(caller, ALONE)
