"""What an agent's room reports to it of the others while it is there: changed attributes, muted tracks.

No webhook does, and the API only to one who polls it. Source: livekit-rtc 1.x, ``Room.on``.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from livekit.protocol.models import TrackSource
from opentelemetry.context import Context

from tracer import keys
from tracer.instrumentation.guard import guarded
from tracer.kinds import Kind
from tracer.witness.changes import OF_EACH_TURN
from tracer.witness.fields import enum_name

if TYPE_CHECKING:
    from livekit.agents import JobContext
    from livekit.rtc import Participant, TrackPublication
    from opentelemetry.trace import Tracer

    from tracer.moment import Fact

__all__ = ["RoomEvents"]


class RoomEvents:
    """Reports each as a span of one moment, at the time the agent learns of it."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def listen(self, job: JobContext) -> None:
        """From now on, to the room of this job."""
        room, about = job.room, {keys.ROOM_SID: job.job.room.sid, keys.JOB_ID: job.job.id}

        def changed(attributes: dict[str, str], who: Participant) -> None:
            guarded(self._changed, about, attributes, who)

        def muted(who: Participant, track: TrackPublication) -> None:
            guarded(self._muted, about, Kind.TRACK_MUTED, who, track)

        def unmuted(who: Participant, track: TrackPublication) -> None:
            guarded(self._muted, about, Kind.TRACK_UNMUTED, who, track)

        room.on("participant_attributes_changed", changed)
        room.on("track_muted", muted)
        room.on("track_unmuted", unmuted)

    def _changed(self, about: dict[str, str], attributes: dict[str, str], who: Participant) -> None:
        values = {
            keys.PARTICIPANT_ATTRIBUTE + key: value for key, value in attributes.items() if key not in OF_EACH_TURN
        }
        if values:
            known = {**about, keys.PARTICIPANT_IDENTITY: who.identity, **values}
            self._report(Kind.PARTICIPANT_ATTRIBUTES_CHANGED, who.sid, known)

    def _muted(self, about: dict[str, str], kind: Kind, who: Participant, track: TrackPublication) -> None:
        known = {
            **about,
            keys.PARTICIPANT_ID: who.sid,
            keys.PARTICIPANT_IDENTITY: who.identity,
            keys.TRACK_SOURCE: enum_name(TrackSource, track.source),
        }
        self._report(kind, track.sid, known)

    def _report(self, kind: Kind, subject: str, about: dict[str, str]) -> None:
        at = time.time_ns()
        attributes: dict[str, Fact] = {**about, keys.SUBJECT: subject, keys.OCCURRENCE: str(at)}
        self._tracer.start_span(kind.value, Context(), start_time=at, attributes=attributes).end()
