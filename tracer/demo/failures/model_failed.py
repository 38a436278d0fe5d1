"""A model whose provider is away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["ModelFailed"]


class ModelFailed(Scenario):
    """An answer that does not come, with an error."""

    name = "model-failed"
    question = "The agent is in the room and never says anything: did its model fail?"
    cause = "model-failed"
    workers = (silent("fails"),)

    async def play(self, play: Play) -> None:
        """The agent greets with what its model says, and the model fails."""
        caller = play.caller()
        await play.happened(Kind.MODEL_FAILED)
        await play.hangs_up(caller, 2 * ALONE)
