"""Who could be heard in a room: the tracks that carry a voice."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.units import FOREVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Track
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["MICROPHONE", "Voice", "mutes", "voices"]

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


def voices(timeline: Timeline) -> dict[str, list[Voice]]:
    """For each participant's SID the tracks that can be heard, in the order in which they were published."""
    found: dict[str, list[Voice]] = defaultdict(list)
    for track in timeline.tracks:
        step, source = track.at(Kind.TRACK_PUBLISHED), track.text(keys.TRACK_SOURCE)
        if track.participant and step and source not in PICTURES and not track.sid.startswith(VIDEO):
            until = track.time(Kind.TRACK_UNPUBLISHED) or FOREVER
            found[track.participant].append(Voice(step.time, until, source, step))
    return {sid: sorted(known, key=lambda voice: voice.since) for sid, known in found.items()}


def mutes(track: Track) -> Iterator[tuple[Step, Step | None]]:
    """Each time that a track was muted, and what ended it. Of one change there can be several reports."""
    muted: Step | None = None
    for step in track.steps:
        if step.kind is Kind.TRACK_MUTED or (
            step.kind is Kind.TRACK_PUBLISHED and step.facts.get(keys.TRACK_MUTED) is True
        ):
            muted = muted or step
        elif step.kind in (Kind.TRACK_UNMUTED, Kind.TRACK_UNPUBLISHED) and muted:
            yield muted, step
            muted = None
    if muted:
        yield muted, None
