"""What an agent's room reports: its own connection, and the others' attributes, permissions and tracks muted or lost.

No webhook does, and the API only of the others and to one who polls it. The session reports the connection too, when it
has ended. Source: livekit-rtc 1.x, ``Room.on``.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from livekit.protocol.models import DisconnectReason, TrackSource
from livekit.rtc import ConnectionState, TrackKind

from tracer import keys
from tracer.instrumentation.guard import guarded
from tracer.instrumentation.media_flow import MediaFlow, arrived
from tracer.instrumentation.moment_spans import report_of_job
from tracer.instrumentation.sound import ReceivedSound, received
from tracer.instrumentation.subscriptions import SubscriptionWatch
from tracer.kinds import Kind
from tracer.witness.changes import OF_EACH_TURN, permissions
from tracer.witness.fields import attribute_facts, enum_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from livekit.agents import JobContext
    from livekit.protocol.models import ParticipantPermission
    from livekit.rtc import Participant, RemoteParticipant, RemoteTrackPublication, Track, TrackPublication
    from livekit.rtc._proto.stats_pb2 import RtcStats
    from opentelemetry.trace import Tracer

    from tracer.instrumentation.speech import Speech
    from tracer.moment import Fact

__all__ = ["RoomEvents"]

SETTLED_S = 1.0
"""A track that is unpublished, or whose publisher leaves, is unsubscribed first, this long before at most."""


class _Connection:
    """The agent's connection to its room, which can be interrupted."""

    def __init__(self) -> None:
        self.is_interrupted = False

    def changed(self, state: int) -> Kind | None:
        """What a new state means; None for the room's start and end."""
        if state == ConnectionState.CONN_RECONNECTING:
            self.is_interrupted = True
            return Kind.AGENT_RECONNECTING
        if state == ConnectionState.CONN_CONNECTED and self.is_interrupted:
            self.is_interrupted = False
            return Kind.AGENT_RECONNECTED
        return None

    def ended(self, reason: int) -> Kind | None:
        """What its end means, for a reason; None where it was not interrupted, or the agent itself disconnected."""
        given_up = self.is_interrupted and reason != DisconnectReason.CLIENT_INITIATED
        return Kind.AGENT_CONNECTION_LOST if given_up else None


class RoomEvents:
    """Reports each as a span of one moment, at the time the agent learns of it."""

    def __init__(self, tracer: Tracer, speech: Speech) -> None:
        self._tracer = tracer
        self._speech = speech

    def listen(self, job: JobContext) -> None:
        """From now on, to the room of this job."""
        room = job.room
        unsubscribed: set[str] = set()
        connection = _Connection()

        def flows(kind: Kind, earliest: int, at: int) -> None:
            report_of_job(self._tracer, job, kind, attributes={keys.EARLIEST: str(earliest)}, at=at)

        flow = MediaFlow(flows)

        def changed(attributes: dict[str, str], who: Participant) -> None:
            guarded(self._changed, job, attributes, who)

        def permitted(who: Participant, granted: ParticipantPermission) -> None:
            guarded(self._permitted, job, who, granted)

        def muted(who: Participant, track: TrackPublication) -> None:
            guarded(self._track, job, Kind.TRACK_MUTED, who, track)

        def unmuted(who: Participant, track: TrackPublication) -> None:
            guarded(self._track, job, Kind.TRACK_UNMUTED, who, track)

        def lost(_: Track, track: RemoteTrackPublication, who: RemoteParticipant) -> None:
            guarded(self._lost, job, unsubscribed, who, track)

        def got(_: Track, track: RemoteTrackPublication, who: RemoteParticipant) -> None:
            guarded(self._got, job, unsubscribed, who, track)
            guarded(self._watch, job, connection, flow, who, track)

        def connected(state: int) -> None:
            guarded(self._connected, job, connection.changed, state)
            guarded(flow.unknown)

        def disconnected(reason: int) -> None:
            guarded(self._connected, job, connection.ended, reason)

        room.on("connection_state_changed", connected)
        room.on("disconnected", disconnected)
        room.on("participant_attributes_changed", changed)
        room.on("participant_permissions_changed", permitted)
        room.on("track_muted", muted)
        room.on("track_unmuted", unmuted)
        room.on("track_unsubscribed", lost)
        room.on("track_subscribed", got)

    def _connected(self, job: JobContext, means: Callable[[int], Kind | None], value: int) -> None:
        if kind := means(value):
            report_of_job(self._tracer, job, kind)

    def _changed(self, job: JobContext, attributes: dict[str, str], who: Participant) -> None:
        values = attribute_facts({key: value for key, value in attributes.items() if key not in OF_EACH_TURN})
        if values:
            known = {keys.PARTICIPANT_IDENTITY: who.identity, **values}
            report_of_job(self._tracer, job, Kind.PARTICIPANT_ATTRIBUTES_CHANGED, who.sid, known)

    def _permitted(self, job: JobContext, who: Participant, granted: ParticipantPermission) -> None:
        known = {keys.PARTICIPANT_IDENTITY: who.identity, **permissions(granted)}
        report_of_job(self._tracer, job, Kind.PARTICIPANT_PERMISSIONS_CHANGED, who.sid, known)

    def _lost(
        self,
        job: JobContext,
        unsubscribed: set[str],
        who: RemoteParticipant,
        track: RemoteTrackPublication,
    ) -> None:
        """A track is unsubscribed: reported if it is published still, and not subscribed again, a moment later."""
        if track.kind != TrackKind.KIND_AUDIO:
            return
        at = time.time_ns()

        def settled() -> None:
            same = _still_there(job, who, track)
            if same is not None and same.track is None:
                unsubscribed.add(track.sid)
                self._track(job, Kind.TRACK_UNSUBSCRIBED, who, track, at)

        asyncio.get_running_loop().call_later(SETTLED_S, guarded, settled)

    def _got(
        self, job: JobContext, unsubscribed: set[str], who: RemoteParticipant, track: RemoteTrackPublication
    ) -> None:
        if track.sid in unsubscribed:
            unsubscribed.discard(track.sid)
            self._track(job, Kind.TRACK_SUBSCRIBED, who, track)

    def _watch(
        self,
        job: JobContext,
        connection: _Connection,
        flow: MediaFlow,
        who: RemoteParticipant,
        publication: RemoteTrackPublication,
    ) -> None:
        track = publication.track
        if track is None or publication.kind != TrackKind.KIND_AUDIO:
            return

        def is_there() -> bool:
            same = _still_there(job, who, publication)
            return same is not None and same.track is track

        def report(kind: Kind, earliest: int, at: int, known: Mapping[str, Fact] | None = None) -> None:
            self._track(job, kind, who, publication, at, earliest, known)

        spoken = self._speech.of(job.job.id)
        sound = ReceivedSound(is_muted=lambda: bool(publication.muted), spoken=spoken, report=report)

        def answered(statistics: Sequence[RtcStats], at: int) -> None:
            sound.learn(received(statistics), at)
            flow.learn(arrived(statistics), at)

        SubscriptionWatch(
            track,
            is_there=is_there,
            is_interrupted=lambda: connection.is_interrupted,
            report=report,
            answered=answered,
        )

    def _track(
        self,
        job: JobContext,
        kind: Kind,
        who: Participant,
        track: TrackPublication,
        at: int | None = None,
        earliest: int | None = None,
        more: Mapping[str, Fact] | None = None,
    ) -> None:
        bound = {} if earliest is None else {keys.EARLIEST: str(earliest)}
        known = {
            **bound,
            **(more or {}),
            keys.PARTICIPANT_ID: who.sid,
            keys.PARTICIPANT_IDENTITY: who.identity,
            keys.TRACK_SOURCE: enum_name(TrackSource, track.source),
        }
        report_of_job(self._tracer, job, kind, track.sid, known, at=at)


def _still_there(
    job: JobContext, who: RemoteParticipant, track: RemoteTrackPublication
) -> RemoteTrackPublication | None:
    """What somebody publishes, as the room has it now; None where they do not any more, or nothing is known."""
    there = job.room.remote_participants.get(who.identity)
    return there.track_publications.get(track.sid) if there and job.room.isconnected() else None
