"""A caller whose client encrypts end to end, and an agent that has no key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.demo.play import IN_VAIN
from tracer.demo.scenario import Scenario
from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.demo.play import Play

__all__ = ["EncryptionDiffers"]


class EncryptionDiffers(Scenario):
    """The agent receives frames, and cannot decode one of them."""

    name = "encryption-differs"
    question = "The agent receives my caller's audio, and understands nothing: why?"
    cause = "encryption-differs"

    async def play(self, play: Play) -> None:
        """A caller who encrypts their microphone."""
        caller = play.caller(encrypts=True)
        await play.happened(Kind.SESSION_AUDIO_PUBLISHED)
        await play.hangs_up(caller, IN_VAIN)
