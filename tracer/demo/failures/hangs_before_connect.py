"""An entrypoint that waits for something before it connects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import faulty
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["HangsBeforeConnect"]


class HangsBeforeConnect(Scenario):
    """It is called, and then reports nothing more."""

    name = "hangs-before-connect"
    question = "My entrypoint was called, and then nothing: where is the agent?"
    cause = "never-connected"
    workers = (faulty("hangs-before-connect"),)

    async def play(self, play: Play) -> None:
        """A caller, for whom the entrypoint never gets to connect()."""
        caller = play.caller()
        await play.happened(Kind.JOB_ENTRYPOINT_STARTED)
        await play.hangs_up(caller, 9.0)  # and the room's last seconds: longer than connecting ever takes
