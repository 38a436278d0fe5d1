"""A setup_fnc that raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["PrewarmFailure"]


class PrewarmFailure(Scenario):
    """The worker is registered and takes jobs, for which it then has no process."""

    name = "prewarm-failure"
    question = "My worker accepted the job and the agent never started: why?"
    cause = "process-failed"
    workers = (faulty("fails-to-prepare"),)

    async def play(self, play: Play) -> None:
        """A caller; three processes are tried for the job."""
        caller = play.caller()
        await play.happened(Kind.PROCESS_FAILED)
        await play.hangs_up(caller, ALONE)
