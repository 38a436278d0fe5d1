"""A dispatch that is deleted in the middle of its call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import FOR_LONG
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["DispatchDeleted"]


class DispatchDeleted(Scenario):
    """DeleteDispatch ends the job of an agent that talks."""

    name = "dispatch-deleted"
    question = "The agent left in the middle of the call, its job ended well, and its worker runs: who ended it?"
    cause = "dispatch-deleted"

    async def play(self, play: Play) -> None:
        """The dispatch is deleted, and the caller stays."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.delete_dispatches()
        await play.happened(Kind.JOB_ENDED)
        await play.hangs_up(caller, FOR_LONG)
