"""A worker that registers when the dispatch was made already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import LIMIT, DemoWorker, Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.scenario import Play

__all__ = ["LateWorker"]


class LateWorker(Scenario):
    """A dispatch is made once: it is not repeated for a worker that comes later."""

    name = "late-worker"
    question = "I started my agent when I was in the room already, and it does not come: why?"
    cause = "late-worker"
    workers = ()

    async def play(self, play: Play) -> None:
        """The caller first, then the worker."""
        caller = play.caller(seconds=LIMIT)
        await play.happened(Kind.DISPATCH_CREATED)
        play.start(DemoWorker())
        await play.nobody_comes(caller)
