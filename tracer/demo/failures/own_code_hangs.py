"""A function tool that waits for what does not come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import FOR_LONG
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["OwnCodeHangs"]


class OwnCodeHangs(Scenario):
    """The model calls a tool, and the tool does not return."""

    name = "own-code-hangs"
    question = "The agent was to look something up, and says nothing more: is the model slow?"
    cause = "own-code-hangs"
    workers = (silent("searches"),)

    async def play(self, play: Play) -> None:
        """The tool begins, and the caller waits."""
        caller = play.caller()
        await play.happened(Kind.AGENT_CODE_BEGAN)
        await play.hangs_up(caller, FOR_LONG)
