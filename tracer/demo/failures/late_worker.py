"""A worker that registers after the dispatch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["LateWorker"]


class LateWorker(Scenario):
    """A dispatch is made once: it is not repeated for a worker that registers later."""

    name = "late-worker"
    question = "I started my agent after I had joined the room, and it does not come: why?"
    cause = "late-worker"
    workers = ()

    async def play(self, play: Play) -> None:
        """The caller first, then the worker."""
        caller = play.caller()
        await play.happened(Kind.DISPATCH_CREATED)
        play.start(DemoWorker())
        await play.nobody_comes(caller)
