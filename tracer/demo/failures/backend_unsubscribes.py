"""A backend that unsubscribes the agent from its caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import FOR_LONG
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["BackendUnsubscribes"]


class BackendUnsubscribes(Scenario):
    """UpdateSubscriptions; the agent's room reports nothing of it."""

    name = "backend-unsubscribes"
    question = "My agent no longer hears its caller, and its code did nothing: who unsubscribed it?"
    cause = "agent-unsubscribed"

    async def play(self, play: Play) -> None:
        """The backend unsubscribes the agent, and the caller goes on speaking."""
        caller = play.caller()
        await play.happened(Kind.SESSION_AUDIO_RECEIVED)
        # Of a track of which nothing was received yet it is not known whether it will be.
        await play.room_is_old(4.0)
        await play.unsubscribe(await play.agent())
        await play.happened(Kind.TRACK_UNSUBSCRIBED)
        await play.hangs_up(caller, FOR_LONG / 2)
