"""A worker without a name, and a token that names one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["UnnamedWorker"]


class UnnamedWorker(Scenario):
    """A room that names its agents gets no automatic dispatch."""

    name = "unnamed-worker"
    question = "My agent came to every room until the token named one: why does it not come now?"
    cause = "worker-is-unnamed"
    own_server = "its worker has no name, and could get your calls"

    async def play(self, play: Play) -> None:
        """The caller's token names “helper”; the worker has no name."""
        await play.nobody_comes(play.caller(agents=("helper",)))
