"""A session whose participant leaves while another stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE, IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["LinkedToNobody"]


class LinkedToNobody(Scenario):
    """It listens to one participant, and to no other by itself."""

    name = "linked-to-nobody"
    question = "The first caller left, and the agent no longer answers the second: whom does it hear?"
    cause = "linked-to-nobody"
    workers = (faulty("keeps-its-session"),)

    async def play(self, play: Play) -> None:
        """Two callers; the first, whom the session is linked to, leaves."""
        ada = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        bob = play.caller("bob")
        await play.happened(Kind.TRACK_PUBLISHED, 3)  # theirs, and the agent's
        await play.hangs_up(ada, ALONE)
        await play.hangs_up(bob, 2 * IN_VAIN)
