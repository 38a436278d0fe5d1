"""A request_fnc that neither accepts nor rejects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["NoAnswer"]


class NoAnswer(Scenario):
    """livekit-agents treats that as a rejection."""

    name = "no-answer"
    question = "My request_fnc returns without an error, and no job starts: why?"
    cause = "request-unanswered"
    workers = (faulty("gives-no-answer"),)

    async def play(self, play: Play) -> None:
        """A caller; request_fnc returns without having answered."""
        caller = play.caller()
        await play.happened(Kind.JOB_REJECTED)
        await play.hangs_up(caller, 2 * ALONE)
