"""A worker that is slow to receive the server's offer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.demo.play import ALONE, LIMIT
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["SlowOffer"]


class SlowOffer(Scenario):
    """Its process is held up by something else, or the network between them."""

    name = "slow-offer"
    question = "The server offered the job long before my worker received it: what does that mean?"
    cause = "slow-offer"

    async def play(self, play: Play) -> None:
        """The worker is stopped for a while, as one is that has nothing of the processor."""
        with play.held_up(play.workers[0]):
            caller = play.caller(seconds=LIMIT)
            await play.happened(Kind.ROOM_CREATED)
            await asyncio.sleep(1.7)  # it is this that is late; the server waits for an answer for 3 s
        await play.happened(Kind.SESSION_STARTED)
        await play.hangs_up(caller, ALONE)
