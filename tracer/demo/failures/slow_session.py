"""A session that takes long to start."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["SlowSession"]


class SlowSession(Scenario):
    """It waits for servers of tools, before it hears the caller."""

    name = "slow-session"
    question = "The agent joins at once and hears nothing for seconds: what is it doing?"
    cause = "slow-session"
    workers = (faulty("starts-slowly"),)

    async def play(self, play: Play) -> None:
        """A caller; a server of tools needs 4 s to say what it has."""
        await play.call()
