"""Two workers of one name, one for rooms and one for publishers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["TwoJobTypes"]


class TwoJobTypes(Scenario):
    """The server answers a dispatch with a job of each type."""

    name = "two-job-types"
    question = "I dispatched my agent once, and two came: why?"
    cause = "two-job-types"
    workers = (faulty(agent_name="helper"), faulty(agent_name="helper", job_type="PUBLISHER"))

    async def play(self, play: Play) -> None:
        """The caller's token names “helper”; one comes for the room, and one when the caller publishes."""
        caller = play.caller(agents=("helper",))
        await play.happened(Kind.SESSION_STARTED, 2)
        await play.hangs_up(caller, ALONE)
