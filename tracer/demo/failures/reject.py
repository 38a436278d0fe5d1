"""A request_fnc that rejects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario

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
        await play.has_left(play.caller())
