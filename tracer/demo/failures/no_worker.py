"""No worker at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["NoWorker"]


class NoWorker(Scenario):
    """A dispatch is created all the same, without an error."""

    name = "no-worker"
    question = "I join the room and nothing happens: no agent, no error. What is missing?"
    cause = "no-worker"
    workers = ()

    async def play(self, play: Play) -> None:
        """Only a caller."""
        await play.nobody_comes(play.caller())
