"""A dispatch for a name that no worker has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["WrongName"]


class WrongName(Scenario):
    """Names are compared letter by letter."""

    name = "wrong-name"
    question = "My worker is running, and no agent comes: why?"
    cause = "no-worker"
    workers = (DemoWorker("helper"),)

    async def play(self, play: Play) -> None:
        """The worker is “helper”; the caller's token asks for “Helper”."""
        await play.nobody_comes(play.caller(agents=("Helper",)))
