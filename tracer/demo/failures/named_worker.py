"""A worker with a name that nobody requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["NamedWorker"]


class NamedWorker(Scenario):
    """A worker with an agent_name must be requested by it."""

    name = "named-worker"
    question = "Since I gave my agent a name, it is no longer dispatched to rooms: why?"
    cause = "worker-is-named"
    own_server = "its room requests the unnamed agent, and one of yours could come"
    workers = (DemoWorker("helper"),)

    async def play(self, play: Play) -> None:
        """The worker is “helper”; the caller's token names no agent, as with one from a token server."""
        await play.nobody_comes(play.caller())
