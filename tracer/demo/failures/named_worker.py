"""A worker with a name, and nobody who names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import LIMIT, DemoWorker, Scenario

if TYPE_CHECKING:
    from tracer.demo.scenario import Play

__all__ = ["NamedWorker"]


class NamedWorker(Scenario):
    """Whoever has an agent_name must be asked for."""

    name = "named-worker"
    question = "Since I gave my agent a name it is not sent to rooms any more: why?"
    cause = "worker-is-named"
    workers = (DemoWorker("helper"),)

    async def play(self, play: Play) -> None:
        """The worker is “helper”; the caller's token names no agent, as with one from a token server."""
        await play.nobody_comes(play.caller(seconds=LIMIT))
