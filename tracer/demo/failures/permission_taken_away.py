"""A caller whose permission to publish is taken away in the middle of the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import FOR_LONG
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["PermissionTakenAway"]


class PermissionTakenAway(Scenario):
    """UpdateParticipant replaces all permissions, and takes away what it does not name."""

    name = "permission-taken-away"
    question = "The agent heard my caller, and then their microphone was gone: who took it?"
    cause = "permission-taken-away"

    async def play(self, play: Play) -> None:
        """UpdateParticipant, while the caller speaks."""
        caller = play.caller()
        await play.happened(Kind.SESSION_AUDIO_RECEIVED)
        await play.may_not_publish("ada")
        await play.happened(Kind.PARTICIPANT_PERMISSIONS_CHANGED)
        await play.hangs_up(caller, FOR_LONG)
