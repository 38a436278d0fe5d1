"""A machine that fails, with the worker and the job on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["HostGone"]


class HostGone(Scenario):
    """Nothing is left to report it: what began has no end."""

    name = "host-gone"
    question = "The agent fell silent, and its worker has reported nothing since: why?"
    cause = "process-killed"

    async def play(self, play: Play) -> None:
        """SIGKILL to the worker and all its processes in the middle of a call."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.is_killed(play.workers[0])
        await play.hangs_up(caller, ALONE)
