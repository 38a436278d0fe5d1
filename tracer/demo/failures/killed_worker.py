"""A worker that was killed, and could not report it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["KilledWorker"]


class KilledWorker(Scenario):
    """The server knows at once; a killed worker itself reports nothing."""

    name = "killed-worker"
    question = "My worker registered, but it gets no job: is it still running?"
    cause = "worker-not-asked"

    async def play(self, play: Play) -> None:
        """SIGKILL to the worker; then a caller."""
        await play.is_killed(play.workers[0])
        await play.nobody_comes(play.caller())
