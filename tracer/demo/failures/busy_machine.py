"""A worker that accepts any load, on a server that does not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["BusyMachine"]

STATUS_EVERY = 3.0
"""Seconds; a worker sends its status every 2.5."""


class BusyMachine(Scenario):
    """A worker without a threshold, as in dev mode, is AVAILABLE; the server has a limit of its own."""

    name = "busy-machine"
    question = "My worker is registered and available, its machine is busy, and it gets no jobs: why?"
    cause = "load-above-limit"
    workers = (DemoWorker(environment={"AGENT_LOAD": "0.85", "AGENT_LOAD_THRESHOLD": "0.95"}),)

    async def play(self, play: Play) -> None:
        """The call comes when the worker has reported its load."""
        await play.worker_reported(Kind.WORKER_LOAD)
        await asyncio.sleep(STATUS_EVERY)  # the first report can be from before the load was measured
        await play.nobody_comes(play.caller())
