"""A worker that drains accepts no new jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["DrainingWorker"]


class DrainingWorker(Scenario):
    """It finishes those that it has."""

    name = "draining-worker"
    question = "While my agent was being deployed, a caller got nobody: why?"
    cause = "worker-draining"
    workers = (faulty(drain=60),)

    async def play(self, play: Play) -> None:
        """A call in another room keeps the worker from stopping; then comes this one."""
        before = play.anew(f"{play.room}-before")
        bob = before.caller("bob")
        await before.happened(Kind.SESSION_STARTED)
        play.drain(play.workers[0])
        await play.worker_reported(Kind.WORKER_DRAINING)
        await play.nobody_comes(play.caller())
        await play.hangs_up(bob)
