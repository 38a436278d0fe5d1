"""An agent that joins late and reports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import STRANGER
from tracer.demo.play import ALONE, DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["LateStranger"]


class LateStranger(Scenario):
    """The server shows that it is late, and nobody shows why."""

    name = "late-stranger"
    question = "My agent is not instrumented and joins seconds late: where does the time go?"
    cause = "late-unexplained"
    workers = (DemoWorker("helper", STRANGER, {"SECONDS_BEFORE": "7"}, instrumented=False),)

    async def play(self, play: Play) -> None:
        """The caller stays until the agent has come."""
        caller = play.caller(agents=("helper",))
        await play.happened(Kind.PARTICIPANT_ACTIVE, 2)
        await play.hangs_up(caller, ALONE)
