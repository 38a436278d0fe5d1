"""A job's process that is killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["Killed"]


class Killed(Scenario):
    """What it had not reported by then is lost."""

    name = "killed"
    question = "In the middle of the call the agent fell silent, and nothing is in its log: why?"
    cause = "process-killed"
    workers = (faulty("is-killed"),)

    async def play(self, play: Play) -> None:
        """SIGKILL in the middle of a call."""
        caller = play.caller()
        await play.happened(Kind.PROCESS_FAILED)
        await play.hangs_up(caller, ALONE)
