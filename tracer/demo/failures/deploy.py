"""A worker that is stopped while a call goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["Deploy"]


class Deploy(Scenario):
    """It waits for its jobs, but only for its drain_timeout."""

    name = "deploy"
    question = "My caller was cut off when I deployed: why?"
    cause = "deployed"
    workers = (faulty(drain=2),)

    async def play(self, play: Play) -> None:
        """SIGTERM to the worker in the middle of a call; it waits for 2 s."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.stops(play.workers[0])
        await play.hangs_up(caller, ALONE)
