"""An agent that waits for an identity that nobody has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import FOR_LONG
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["WaitedForAnother"]


class WaitedForAnother(Scenario):
    """wait_for_participant(identity=…) returns for nobody else."""

    name = "waited-for-another"
    question = "The caller is there and the agent does nothing: whom does it wait for?"
    cause = "waited-for-another"
    workers = (faulty("waits-for-another"),)

    async def play(self, play: Play) -> None:
        """A caller of another identity."""
        caller = play.caller()
        await play.happened(Kind.AGENT_WAITING_FOR_PARTICIPANT)
        await play.hangs_up(caller, FOR_LONG)
