"""An agent that comes at the second try."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.demo.play import ALONE, DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["AskedAgain"]

HELPER = "helper"


class AskedAgain(Scenario):
    """A dispatch is not repeated by itself."""

    name = "asked-again"
    question = "My agent came only when I dispatched it a second time: what happened to the first dispatch?"
    cause = "asked-again"
    workers = ()

    async def play(self, play: Play) -> None:
        """CreateDispatch before the worker is there, and once more afterwards."""
        caller = play.caller(agents=(HELPER,))
        await play.happened(Kind.PARTICIPANT_ACTIVE)
        play.start(DemoWorker(HELPER))
        await asyncio.sleep(ALONE)  # the caller notices that nobody is there
        await play.dispatch(HELPER)
        await play.happened(Kind.SESSION_STARTED)
        await play.hangs_up(caller, ALONE)
