"""A request_fnc that raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.scenario import Play

__all__ = ["RaiseInRequest"]


class RaiseInRequest(Scenario):
    """livekit-agents takes that for a refusal."""

    name = "raise-in-request"
    question = "An exception in my request_fnc: what becomes of the job?"
    cause = "request-raised"
    workers = (faulty("raises-in-request"),)

    async def play(self, play: Play) -> None:
        """A caller; request_fnc raises."""
        await play.has_left(play.caller())
