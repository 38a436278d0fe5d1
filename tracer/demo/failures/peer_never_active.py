"""A caller whose media never comes up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["PeerNeverActive"]


class PeerNeverActive(Scenario):
    """wait_for_participant() waits for one who is ACTIVE."""

    name = "peer-never-active"
    question = "The caller is in the room and the agent waits forever: for whom?"
    cause = "peer-never-active"

    async def play(self, play: Play) -> None:
        """A caller with signalling and no media, as behind a firewall, who gives up."""
        caller = play.caller(media=False)
        await play.happened(Kind.AGENT_WAITING_FOR_PARTICIPANT)
        await play.hangs_up(caller, IN_VAIN)
