"""A worker that has lost its connection to the server."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.demo.detour import Detour
from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["WorkerCutOff"]

A_WHILE = 1.5
"""Seconds that keep the two apart, whatever the clock skew."""


class WorkerCutOff(Scenario):
    """A worker without a connection is offered nothing, and nothing is kept for it."""

    name = "worker-cut-off"
    question = "My worker runs, and got no job while its connection was broken: how do I see that?"
    cause = "worker-disconnected"
    workers = ()

    async def play(self, play: Play) -> None:
        """The worker's connection is cut; then a caller."""
        path = Detour()
        there = replace(play, server=replace(play.server, url=await path.opened(play.server.url)))
        await asyncio.to_thread(there.start, DemoWorker())  # this thread passes on what the worker sends
        play.say("the worker's connection breaks")
        path.cut()
        await play.worker_reported(Kind.WORKER_DISCONNECTED)
        await asyncio.sleep(A_WHILE)
        await play.nobody_comes(play.caller())
