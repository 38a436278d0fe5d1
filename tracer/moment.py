"""The unit of everything here: a moment, which is an interval, told by one witness."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from tracer import keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["BY_WORKER", "Fact", "Facts", "Kind", "Moment", "facts"]


Fact = str | int | float | bool
"""What can be said of a subject under one key."""
Facts = tuple[tuple[str, Fact], ...]
"""Facts in order of their keys, so that equal ones compare and hash as equal."""

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


class Kind(StrEnum):
    """Everything that can happen, in LiveKit's words and in causal order.

    Of two kinds that cannot be told apart by time, the one that is defined first comes first.
    """

    WORKER_REGISTERED = "worker.registered"
    """A worker connected to the server and was given its id (``AW_…``). Next: it is asked for jobs."""
    WORKER_AVAILABLE = "worker.available"
    """A worker that was full takes jobs again."""
    WORKER_FULL = "worker.full"
    """A worker's load is at its threshold (0.7 by default): it refuses jobs."""
    WORKER_LOAD = "worker.load"
    """A worker reports another load. Above the server's own limit (0.7) it is not asked."""
    WORKER_DRAINING = "worker.draining"
    """A worker was told to stop: it finishes its jobs and takes no new ones."""
    WORKER_DISCONNECTED = "worker.disconnected"
    """A worker's connection to the server broke: it is not asked until it is back, under another id."""
    WORKER_CLOSED = "worker.closed"
    """A worker has stopped. One that is killed does not say so."""

    ROOM_CREATED = "room.created"
    """The server made the room. Next, within a millisecond: its dispatches."""
    DISPATCH_CREATED = "dispatch.created"
    """The server noted that an agent is wanted. Next: it asks workers, about 200 ms after."""
    PARTICIPANT_JOINING = "participant.joining"
    """A participant's session was made on the server. Next: JOINED, a few ms after."""
    PARTICIPANT_JOINED = "participant.joined"
    """The join response was written; media is not up yet. Only the API shows it. Next: ACTIVE."""

    JOB_OFFERED = "job.offered"
    """The server chose a worker and asks it. Set before the worker hears of it."""
    JOB_RECEIVED = "job.received"
    """The worker was asked for the job. Next: its ``request_fnc`` answers."""
    JOB_ACCEPTED = "job.accepted"
    """The worker's ``request_fnc`` accepted. Next: the server assigns."""
    JOB_REJECTED = "job.rejected"
    """The worker's ``request_fnc`` refused."""
    JOB_TIMED_OUT = "job.timed_out"
    """The worker accepted and the server no longer wanted it."""
    JOB_ASSIGNED = "job.assigned"
    """The server gave the job to the worker, with a token for the room. Next: a process takes it."""
    PROCESS_STARTED = "process.started"
    """A process that the job had to wait for begins its ``setup_fnc``."""
    PROCESS_READY = "process.ready"
    """The ``setup_fnc`` of that process returned."""
    JOB_PROCESS_ASSIGNED = "job.process_assigned"
    """A process has the job: at once when one was warm."""
    JOB_ENTRYPOINT_STARTED = "job.entrypoint_started"
    """The agent's own code runs. Next: it connects to the room."""
    AGENT_CONNECTING = "agent.connecting"
    """``ctx.connect()`` began. The agent becomes a participant in the middle of it."""
    PARTICIPANT_ACTIVE = "participant.active"
    """The media path is up; the webhook ``participant_joined`` says this and not JOINED."""
    TRACK_PUBLISHED = "track.published"
    """A participant's track is there to be heard or seen."""
    AGENT_CONNECTED = "agent.connected"
    """``ctx.connect()`` returned."""
    AGENT_WAITING_FOR_PARTICIPANT = "agent.waiting_for_participant"
    """``wait_for_participant()`` began."""
    AGENT_PARTICIPANT_READY = "agent.participant_ready"
    """``wait_for_participant()`` returned: the agent can read the caller's attributes."""
    AGENT_WAIT_ENDED = "agent.wait_ended"
    """``wait_for_participant()`` ended without a participant: it raised, or was cancelled."""
    SESSION_STARTING = "session.starting"
    """``AgentSession.start()`` began."""
    JOB_ENTRYPOINT_RETURNED = "job.entrypoint_returned"
    """The agent's own function returned; the job goes on until it is shut down."""
    SESSION_STARTED = "session.started"
    """``AgentSession.start()`` is done: the agent listens and can speak."""
    SESSION_LINKED = "session.linked"
    """The session listens to a participant from now on."""
    SESSION_WAITING_FOR_AUDIO = "session.waiting_for_audio"
    """The session waits for a track of the participant that it is linked to."""
    SESSION_TRACK_SUBSCRIBED = "session.track_subscribed"
    """The session's agent was given that track."""
    SESSION_AUDIO_RECEIVED = "session.audio_received"
    """The first frame of it: the session hears the participant."""
    SESSION_AUDIO_PUBLISHED = "session.audio_published"
    """The agent's own audio track is published: it has a voice."""
    SESSION_AUDIO_FAILED = "session.audio_failed"
    """The agent's audio track could not be published: it has no voice."""
    MODEL_ASKED = "model.asked"
    """The session asked its language model for an answer."""
    MODEL_ANSWERED = "model.answered"
    """The first token of the answer came."""
    MODEL_GAVE_NO_ANSWER = "model.gave_no_answer"
    """The session gave up an answer of which nothing had come, most often because the caller spoke again."""
    MODEL_FAILED = "model.failed"
    """A model, or the agent's ``on_enter``, raised: there is no answer."""
    AGENT_SPEAKING = "agent.speaking"
    """The agent began to speak."""
    AGENT_BLOCKED = "agent.blocked"
    """The agent's event loop stood still: it neither heard nor spoke."""
    AGENT_RECONNECTING = "agent.reconnecting"
    """The agent lost its connection to the room, and tries to get it back."""
    AGENT_RECONNECTED = "agent.reconnected"
    """The agent has its connection back."""

    TRACK_UNPUBLISHED = "track.unpublished"
    """A track is gone."""
    PARTICIPANT_ABORTED = "participant.aborted"
    """A participant went without ever having been ACTIVE."""
    PARTICIPANT_LEFT = "participant.left"
    """A participant that had been ACTIVE left."""
    SESSION_CLOSED = "session.closed"
    """The agent's session ended. The job need not end with it."""
    SESSION_UNLINKED = "session.unlinked"
    """The participant that the session listened to has left."""
    AGENT_CONNECTION_LOST = "agent.connection_lost"
    """The agent gave up to get its connection back."""
    ROOM_FINISHED = "room.finished"
    """The server closed the room: the last webhook of a room."""
    JOB_SHUTDOWN = "job.shutdown"
    """The job began to shut down."""
    AGENT_DISCONNECTED = "agent.disconnected"
    """The agent's connection to the room was closed from its own side."""
    PROCESS_FAILED = "process.failed"
    """A process did not come up, or ended other than by itself while it had a job."""
    JOB_ENDED = "job.ended"
    """The job is over, its clean-up included."""

    @property
    def rank(self) -> int:
        """Place in the causal order, from 0."""
        return _RANK[self]


BY_WORKER = frozenset({Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED, Kind.JOB_REJECTED, Kind.JOB_TIMED_OUT})
"""What each worker that is asked for a job does for itself: such a moment's occurrence is the worker's id."""

_RANK = {kind: rank for rank, kind in enumerate(Kind)}


def facts(items: Mapping[str, Fact | None]) -> Facts:
    """Facts from a mapping, in order of key; None means unknown and is left out, an empty text is a fact."""
    return tuple(sorted((key, value) for key, value in items.items() if value is not None))


@dataclass(frozen=True, slots=True)
class Moment:
    """What one witness says of one step: it lay in [``earliest``, ``latest``], most likely at ``time``.

    Times are ns since the epoch. A set of moments is all there is to know of a room; sets merge by
    union, so a moment that comes twice, late or out of order changes nothing.
    """

    room: str
    """SID of the room (``RM_…``); empty for what a worker says of itself."""
    kind: Kind
    subject: str
    """SID or id of what it happened to: ``RM_``, ``PA_``, ``AD_``, ``AJ_``, ``TR_`` or ``AW_…``."""
    earliest: int
    latest: int
    time: int
    clock: str
    """Whose clock told ``time``: ``server``, ``receiver`` or ``agent``."""
    witness: str
    """``webhook``, ``observer`` or ``agent``."""
    occurrence: str = ""
    """Tells apart moments of one kind and subject where there can be several, as in two sessions of one
    job; empty for what happens once."""
    facts: Facts = ()
    """What this witness knew of the subject then, under the names of ``tracer.keys``."""

    @property
    def width(self) -> int:
        """Length of the interval, ns."""
        return self.latest - self.earliest

    def row(self) -> tuple[str | int, ...]:
        """The moment as plain values, for a table or a file; ``from_row`` reads it back."""
        return (
            self.room,
            self.kind.value,
            self.subject,
            self.occurrence,
            self.earliest,
            self.latest,
            self.time,
            self.clock,
            self.witness,
            json.dumps(self.facts, separators=(",", ":")),
        )

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> Moment:
        """A moment from what ``row`` made of it."""
        room, kind, subject, occurrence, earliest, latest, time, clock, witness, told = row
        known = tuple((key, value) for key, value in json.loads(told))
        return cls(room, Kind(kind), subject, earliest, latest, time, clock, witness, occurrence, known)

    def redacted(self) -> Moment:
        """The same moment without personal data."""
        return replace(self, facts=tuple(item for item in self.facts if not keys.is_personal(item[0])))
