"""A process that takes more memory than the worker allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["OutOfMemory"]


class OutOfMemory(Scenario):
    """The worker kills it (job_memory_limit_mb)."""

    name = "out-of-memory"
    question = "In long calls the agent disappears: why?"
    cause = "process-killed"
    workers = (faulty("takes-too-much-memory"),)

    async def play(self, play: Play) -> None:
        """The agent takes memory until the worker notices."""
        caller = play.caller()
        await play.happened(Kind.PROCESS_FAILED)
        await play.hangs_up(caller, ALONE)
