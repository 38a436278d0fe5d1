"""Who could be heard in a room: the tracks that carry a voice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.why.call.limits import FOREVER

if TYPE_CHECKING:
    from tracer.timeline.step import Step
    from tracer.why.call.call import Call

__all__ = ["MICROPHONE", "Voice", "voices"]

MICROPHONE = "MICROPHONE"
"""The source of the tracks that a session listens to (livekit-agents 1.8.9, voice/room_io/_input.py)."""
PICTURES = ("CAMERA", "SCREEN_SHARE")
"""Sources of tracks that nobody hears."""
VIDEO = "TR_V"
"""How the SID of a track of pictures begins (livekit-server v1.13.5, pkg/rtc/participant.go)."""


class Voice(NamedTuple):
    """A track that can be heard, from when until when, ns."""

    since: int
    until: int
    """``FOREVER`` for one that was not seen to end."""
    source: str | None
    step: Step


def voices(call: Call, sid: str) -> list[Voice]:
    """Tracks of a participant that can be heard."""
    found = []
    for track in call.timeline.tracks:
        step, source = track.at(Kind.TRACK_PUBLISHED), track.text(keys.TRACK_SOURCE)
        if track.participant == sid and step and source not in PICTURES and not track.sid.startswith(VIDEO):
            found.append(Voice(step.time, track.time(Kind.TRACK_UNPUBLISHED) or FOREVER, source, step))
    return sorted(found, key=lambda voice: voice.since)
