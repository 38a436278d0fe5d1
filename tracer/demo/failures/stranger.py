"""Another worker of the same name takes the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import STRANGER
from tracer.demo.play import IN_VAIN, DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["Stranger"]


class Stranger(Scenario):
    """The server gives it to any of them, the more likely the lower the load it reports."""

    name = "stranger"
    question = "My agent is in the room and my worker knows nothing about it: whose is it?"
    cause = "foreign-worker"
    workers = (
        DemoWorker("helper", environment={"AGENT_LOAD": "0.95"}),
        DemoWorker("helper", STRANGER, instrumented=False),
    )

    async def play(self, play: Play) -> None:
        """Ours has no room for more, so that it is the other one for certain."""
        await play.worker_reported(Kind.WORKER_FULL)
        caller = play.caller(agents=("helper",))
        await play.happened(Kind.PARTICIPANT_ACTIVE, 2)
        await play.hangs_up(caller, IN_VAIN)
