"""A request_fnc that thinks for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["SlowAnswer"]


class SlowAnswer(Scenario):
    """Not so long that the job is lost."""

    name = "slow-answer"
    question = "My agent always comes a second or two late: what takes so long?"
    cause = "slow-answer"
    workers = (faulty("answers-slowly"),)

    async def play(self, play: Play) -> None:
        """A caller; request_fnc accepts after 1.5 s."""
        await play.call()
