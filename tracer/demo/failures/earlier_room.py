"""An agent that joins the next room of the same name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import ALONE
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["EarlierRoom"]


class EarlierRoom(Scenario):
    """Its token is for the room's name: by the time it connects, another room has it."""

    name = "earlier-room"
    question = "I deleted a room and made it again, and two agents came: why?"
    cause = "agent-of-earlier-room"
    own_server = "its agent can come when its room is over, which makes a new room that requests the unnamed agent"
    workers = (faulty("thinks-long", "helper"),)

    async def play(self, play: Play) -> None:
        """DeleteRoom while the agent gets ready, and the same caller again. It is about the second room."""
        first = play.caller(agents=("helper",))
        await play.happened(Kind.JOB_ENTRYPOINT_STARTED)
        play.say("DeleteRoom")
        await play.delete_room()
        await play.has_left(first)
        again = play.anew(play.room)
        second = again.caller(agents=("helper",))
        await again.happened(Kind.PARTICIPANT_ACTIVE, 3)
        await play.hangs_up(second, ALONE)
