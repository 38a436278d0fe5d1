"""A request_fnc that rejects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["Reject"]


class Reject(Scenario):
    """The job is over for the server, as one that succeeded."""

    name = "reject"
    question = "The job was offered to my worker, and no agent came: why?"
    cause = "rejected"
    workers = (faulty("rejects"),)

    async def play(self, play: Play) -> None:
        """A caller; request_fnc rejects."""
        caller = play.caller()
        await play.happened(Kind.JOB_REJECTED)
        await play.hangs_up(caller, 2 * ALONE)
