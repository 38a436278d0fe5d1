"""A telephone that the agent greets while it rings."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import FOR_LONG
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["SpokeWhileRinging"]

RINGS_ON = 3.0
"""How long the telephone rings after the greeting, s."""


class SpokeWhileRinging(Scenario):
    """Whom SIP calls is in the room before they answer. The caller here is such a participant, without a telephone."""

    name = "spoke-while-ringing"
    question = "I call somebody by telephone, and they never hear the greeting: why?"
    cause = "spoke-while-ringing"
    workers = (silent("greets"),)

    async def play(self, play: Play) -> None:
        """The agent greets, and later somebody answers, and waits."""
        caller = play.caller(attributes={"sip.callStatus": "ringing"}, by_telephone=True)
        await play.happened(Kind.AGENT_SPEAKING)
        await asyncio.sleep(RINGS_ON)
        await play.answers("ada")
        await play.happened(Kind.PARTICIPANT_ATTRIBUTES_CHANGED)
        await play.hangs_up(caller, FOR_LONG)
