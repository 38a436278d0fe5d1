"""One side of the call encrypts its audio, and the other does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.livekit_sources import agents
from tracer.units import NS_PER_S
from tracer.why.call.limits import NOTICED
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import is_hidden
from tracer.why.call.voices import MICROPHONE
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.why.call import Call
    from tracer.why.call.voices import Voice
    from tracer.why.cause import Finding

__all__ = ["EncryptionDiffers"]


class EncryptionDiffers(Cause):
    """With end-to-end encryption each side needs the key; one that has none receives frames that it cannot decode.

    Frames arrive all the same, so that a session reports that it hears them. Known from the tracks in the webhooks,
    which say whether they are encrypted: who has the key encrypts their own track too.
    """

    name = "encryption-differs"
    symptom = Symptom.SILENT
    about = "one side encrypted its audio end to end and the other did not: they could not understand each other"
    advice = (
        "Give the agent the key of the room (ctx.connect(encryption=…), the E2EE options of rtc.RoomOptions), or turn"
        " end-to-end encryption off in the caller's client."
    )
    said = (agents("voice/room_io/_input.py"),)

    def find(self, call: Call) -> Iterator[Finding]:
        for _, _, who in call.callers.active:
            mine = [voice for voice in call.voices(who.sid) if voice.source == MICROPHONE and _is_known(voice)]
            for agent in call.agents.all:
                pairs = [(one, other) for one in mine for other in call.voices(agent.sid) if _is_known(other)]
                if is_hidden(agent) or not pairs or any(_encrypted(one) is _encrypted(other) for one, other in pairs):
                    continue
                one, other = pairs[0]
                until = min(one.until, other.until, call.seen_until(who), call.left_at(agent), call.end)
                lasted = until - max(one.since, other.since)
                if lasted <= NOTICED:
                    continue
                does, not_ = (name_of(who), name_of(agent)) if _encrypted(one) else (name_of(agent), name_of(who))
                yield self.found(
                    f"The audio of {does} was encrypted end to end, and that of {not_} was not: for"
                    f" {lasted / NS_PER_S:.1f} s {not_} could not decode what {does} said.",
                    one.step,
                    other.step,
                )
                return


def _is_known(voice: Voice) -> bool:
    """Whether a webhook reported the track: no other witness says how it is encrypted."""
    return "webhook" in voice.step.witnesses


def _encrypted(voice: Voice) -> bool:
    return keys.TRACK_ENCRYPTION in voice.step.facts
