"""An agent that connects when its room has closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["GhostRoom"]


class GhostRoom(Scenario):
    """Its join creates a new, empty room of the same name."""

    name = "ghost-room"
    question = "There is a room with only an agent in it: where does it come from?"
    cause = "ghost-room"
    own_server = "its agent can come when its room is over, which makes a new room that requests the unnamed agent"
    workers = (faulty("connects-when-all-is-over", "helper"),)

    async def play(self, play: Play) -> None:
        """The caller gives up while the agent gets ready. It is about the first room."""
        caller = play.caller(agents=("helper",))
        await play.happened(Kind.JOB_ENTRYPOINT_STARTED)
        await play.is_about_this_room()
        await play.hangs_up(caller, ALONE)
        await play.happened(Kind.AGENT_CONNECTED)
        await play.delete_room()  # the ghost, so that it need not be waited for
