"""An agent that cannot reach the room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["ConnectFails"]


class ConnectFails(Scenario):
    """It has its job, and a server address that does not answer."""

    name = "connect-failed"
    question = "The agent has started and cannot connect to the room: how does that look?"
    cause = "connect-failed"
    workers = (faulty("connects-elsewhere"),)

    async def play(self, play: Play) -> None:
        """A caller; at the address that the agent has for the server nobody listens."""
        caller = play.caller()
        await play.happened(Kind.JOB_ENDED)
        await play.hangs_up(caller, 2 * ALONE)
