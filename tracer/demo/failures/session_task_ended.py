"""An ``stt_node`` that raises, of which livekit-agents writes a line in its log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.agents import silent
from tracer.demo.play import FOR_LONG
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["SessionTaskEnded"]


class SessionTaskEnded(Scenario):
    """The session goes on, and understands nothing that its caller says."""

    name = "session-task-ended"
    question = "The agent is there and hears my caller's audio, and never answers: what is it waiting for?"
    cause = "session-task-ended"
    workers = (silent("deaf"),)

    async def play(self, play: Play) -> None:
        """A caller who speaks, and waits."""
        caller = play.caller()
        await play.happened(Kind.SESSION_TASK_ENDED)
        await play.hangs_up(caller, FOR_LONG / 2)
