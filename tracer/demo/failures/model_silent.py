"""A model that takes the request and sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import ALONE, IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["ModelSilent"]


class ModelSilent(Scenario):
    """An answer that does not come, without an error."""

    name = "model-silent"
    question = "The agent is in the room and I hear nothing: is its model slow?"
    cause = "model-silent"
    workers = (silent("hangs"),)

    async def play(self, play: Play) -> None:
        """The agent asks its model, and the caller waits."""
        caller = play.caller()
        await play.happened(Kind.MODEL_ASKED)
        await play.hangs_up(caller, IN_VAIN + 2 * ALONE)
