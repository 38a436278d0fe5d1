"""An agent that is subscribed to no track."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.play import IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["CallerNotHeard"]


class CallerNotHeard(Scenario):
    """Its session waits for audio that never comes."""

    name = "caller-not-heard"
    question = "The caller speaks and the agent does not hear a word: where is the audio?"
    cause = "caller-not-heard"
    workers = (faulty("subscribes-to-nothing"),)

    async def play(self, play: Play) -> None:
        """A caller who speaks, beside an agent that connected with SUBSCRIBE_NONE."""
        caller = play.caller()
        await play.happened(Kind.SESSION_STARTED)
        await play.hangs_up(caller, IN_VAIN)
