"""Agents in the token of one who joins a room that is there already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import DemoWorker
from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["TokenExistingRoom"]


class TokenExistingRoom(Scenario):
    """They are ignored, without an error (livekit #4390)."""

    name = "token-existing-room"
    question = "The token names my agent, but it does not come to a room that I created before: why?"
    cause = "room-existed"
    own_server = "its room requests the unnamed agent, and one of yours could come"
    workers = (DemoWorker("helper"),)

    async def play(self, play: Play) -> None:
        """CreateRoom without agents; then a caller whose token names the worker."""
        play.say("CreateRoom")
        await play.create_room()
        await play.nobody_comes(play.caller(agents=("helper",)))
