"""An agent whose join answer is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["ConnectsTwice"]


class ConnectsTwice(Scenario):
    """It tries again, and the server ends the job of the first try, which is its own."""

    name = "connects-twice"
    question = "My agent joined twice, seconds late, and was gone again at once: why?"
    cause = "agent-retried"
    workers = (faulty("gets-no-answer"),)

    async def play(self, play: Play) -> None:
        """The answer to the agent's first join does not reach it."""
        caller = play.caller()
        await play.happened(Kind.AGENT_CONNECTED)
        await play.happened(Kind.JOB_ENDED)
        await play.hangs_up(caller, 2 * ALONE)
