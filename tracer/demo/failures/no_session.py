"""An entrypoint that gets stuck after its wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import ALONE, IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["NoSession"]


class NoSession(Scenario):
    """The agent is in the room, and has no session."""

    name = "no-session"
    question = "The agent joined and does nothing at all: why?"
    cause = "no-session"
    workers = (silent("starts-none"),)

    async def play(self, play: Play) -> None:
        """The agent never starts its session, and the caller waits."""
        caller = play.caller()
        await play.happened(Kind.AGENT_PARTICIPANT_READY)
        await play.hangs_up(caller, IN_VAIN + 2 * ALONE)
