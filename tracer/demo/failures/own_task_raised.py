"""A greeting in a task that nobody awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import FOR_LONG
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["OwnTaskRaised"]


class OwnTaskRaised(Scenario):
    """asyncio writes a line into the log, and the agent waits for a caller who waits for it."""

    name = "own-task-raised"
    question = "Neither of us says a word: why does the agent not begin?"
    cause = "own-task-raised"
    workers = (silent("forgets-its-task"),)

    async def play(self, play: Play) -> None:
        """The task of the greeting raises, and the caller waits."""
        caller = play.caller()
        await play.happened(Kind.AGENT_TASK_RAISED)
        await play.hangs_up(caller, FOR_LONG / 2)
