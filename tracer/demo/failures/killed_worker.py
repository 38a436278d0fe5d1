"""A worker that was killed, and could not say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import LIMIT, Scenario

if TYPE_CHECKING:
    from tracer.demo.scenario import Play

__all__ = ["KilledWorker"]


class KilledWorker(Scenario):
    """The server knows at once; who only hears what workers tell of themselves does not."""

    name = "killed-worker"
    question = "My worker registered, and yet it gets no job: is it still there?"
    cause = "worker-not-asked"

    async def play(self, play: Play) -> None:
        """SIGKILL to the worker; then a caller."""
        await play.is_killed(play.workers[0])
        await play.nobody_comes(play.caller(seconds=LIMIT))
