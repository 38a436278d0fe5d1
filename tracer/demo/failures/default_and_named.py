"""An agent without a name and a named one in the same room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import ALONE, DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["DefaultAndNamed"]


class DefaultAndNamed(Scenario):
    """CreateDispatch does not take the place of the automatic dispatch."""

    name = "default-and-named"
    question = "I dispatched my agent by API, and another agent came too: where from?"
    cause = "default-and-named"
    own_server = "its room requests the unnamed agent, and one of yours could come"
    workers = (DemoWorker(), DemoWorker("helper"))

    async def play(self, play: Play) -> None:
        """The caller's join brings the automatic dispatch; then comes CreateDispatch."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.dispatch("helper")
        await play.happened(Kind.SESSION_STARTED, 2)
        await play.hangs_up(caller, ALONE)
