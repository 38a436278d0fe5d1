"""A worker that is slow to receive the server's offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import ALONE
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
            caller = play.caller()
            # It is the offer that is late, which comes 0.2 s after the room; the server waits for an answer for 3 s.
            await play.room_is_old(2.0)
        await play.happened(Kind.SESSION_STARTED)
        await play.hangs_up(caller, ALONE)
