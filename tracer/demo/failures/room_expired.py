"""A room that is made ahead, and is over before its caller comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["RoomExpired"]

NAME = "helper"
SHORT = 8
"""Seconds in which an agent comes, on a machine that is busy."""


class RoomExpired(Scenario):
    """An agent does not keep a room open."""

    name = "room-expired"
    question = "I made the room with its agent ahead of the call, and my caller found nobody: where is the agent?"
    cause = "room-expired"
    own_server = "its second room requests the unnamed agent, and one of yours could come"
    workers = (DemoWorker(NAME),)

    async def play(self, play: Play) -> None:
        """The room is made with a short empty_timeout, and the caller comes when it has closed."""
        first = play.anew(play.room)
        play.say(f"CreateRoom with the agent {NAME!r}, and an empty_timeout of {SHORT} s")
        await first.create_room(NAME, empty_timeout=SHORT)
        # One that connects when the room is over makes a new one: another cause.
        await first.happened(Kind.AGENT_WAITING_FOR_PARTICIPANT)
        await first.is_about_this_room()
        await play.until(first.is_over, "the room has not closed")
        second = play.anew(play.room)
        await second.nobody_comes(second.caller())
