"""A job that takes long to shut down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["SlowShutdown"]


class SlowShutdown(Scenario):
    """The worker kills its process; the call was over."""

    name = "slow-shutdown"
    question = "After the call my agent should have sent its report, and did not: why?"
    cause = "killed-in-shutdown"
    workers = (faulty("shuts-down-slowly"),)

    async def play(self, play: Play) -> None:
        """The caller has hung up, and the shutdown callback takes long; the worker is stopped, and waits for 4 s."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.hangs_up(caller, ALONE)
        await play.happened(Kind.JOB_SHUTDOWN)
        play.drain(play.workers[0])
        await play.happened(Kind.PROCESS_FAILED)
