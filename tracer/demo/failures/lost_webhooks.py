"""Webhooks that do not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.scenario import Scenario

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["LostWebhooks"]


class LostWebhooks(Scenario):
    """The API shows what they would have reported."""

    name = "lost-webhooks"
    question = "How do I notice that webhooks are lost?"
    cause = "lost-webhooks"
    own_server = "it drops webhooks on their way from the server"
    lost = ("participant_joined", "participant_left")

    async def play(self, play: Play) -> None:
        """A call; on the way to the receiver some webhooks are lost."""
        await play.call()
