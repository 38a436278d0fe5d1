"""A request_fnc that thinks for longer than the server waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["SlowRequest"]


class SlowRequest(Scenario):
    """The server waits for 3 s, and then no longer wants the answer."""

    name = "slow-request"
    question = "My worker logs that it received the job request, and no job starts: why?"
    cause = "slow-request"
    workers = (faulty("answers-late"),)

    async def play(self, play: Play) -> None:
        """A caller; request_fnc accepts after 4 s."""
        caller = play.caller()
        await play.happened(Kind.JOB_ACCEPTED)
        await play.hangs_up(caller, 2 * ALONE)
