"""A worker whose load is above its threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["FullWorker"]


class FullWorker(Scenario):
    """The server asks only those who are available; a busy machine is enough (0.7 by default)."""

    name = "full-worker"
    question = "My worker is registered and gets no jobs while the machine is busy: why?"
    cause = "workers-full"
    workers = (DemoWorker(environment={"AGENT_LOAD": "0.95"}),)

    async def play(self, play: Play) -> None:
        """The call comes when the worker has reported to the server that it is full."""
        await play.worker_reported(Kind.WORKER_FULL)
        await play.nobody_comes(play.caller())
