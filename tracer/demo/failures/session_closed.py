"""A session that is closed while its job goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["SessionClosed"]


class SessionClosed(Scenario):
    """The agent stays in the room, and neither hears nor speaks."""

    name = "session-closed"
    question = "The agent is in the room and no longer answers: why?"
    cause = "session-closed"
    workers = (faulty("closes-its-session"),)

    async def play(self, play: Play) -> None:
        """The agent closes its session, and the caller waits."""
        caller = play.caller()
        await play.happened(Kind.SESSION_CLOSED)
        await play.hangs_up(caller, 2 * ALONE)
