"""A worker whose process stands still for longer than the server waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["FrozenWorker"]

FROZEN = 5.0
"""Seconds; the server waits for 3."""


class FrozenWorker(Scenario):
    """The server waits for 3 s for an answer, and the worker reads the offer later than that."""

    name = "frozen-worker"
    question = "My worker received the job request seconds late, and no job starts: why?"
    cause = "worker-did-not-answer"

    async def play(self, play: Play) -> None:
        """The worker is suspended while the caller joins, as a container or a laptop is."""
        with play.held_up(play.workers[0]):
            caller = play.caller()
            await play.happened(Kind.ROOM_CREATED)
            await asyncio.sleep(FROZEN)
        await play.happened(Kind.JOB_TIMED_OUT)
        await play.hangs_up(caller)
