"""A session that is closed while its job goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import ALONE, LIMIT, Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.scenario import Play

__all__ = ["SessionClosed"]


class SessionClosed(Scenario):
    """The agent keeps its seat, and neither hears nor speaks."""

    name = "session-closed"
    question = "The agent is in the room and does not answer any more: why?"
    cause = "session-closed"
    workers = (faulty("closes-its-session"),)

    async def play(self, play: Play) -> None:
        """The agent closes its session, and the caller waits."""
        caller = play.caller(seconds=LIMIT)
        await play.happened(Kind.SESSION_CLOSED)
        await play.hangs_up(caller, 2 * ALONE)
