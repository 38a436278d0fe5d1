"""Every kind of moment, in causal order."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from tracer.kinds.agent import AGENT
from tracer.kinds.job import JOB
from tracer.kinds.participant import PARTICIPANT
from tracer.kinds.room import ROOM
from tracer.kinds.session import SESSION
from tracer.kinds.worker import WORKER

if TYPE_CHECKING:
    from tracer.kinds.info import KindInfo

__all__ = ["Kind"]

_INFO = WORKER | ROOM | PARTICIPANT | JOB | AGENT | SESSION


class Kind(StrEnum):
    """Everything that can happen, in LiveKit's words and in causal order.

    Of two kinds whose times do not decide which came first, the one that is defined first comes first.
    """

    WORKER_REGISTERED = "worker.registered"
    WORKER_AVAILABLE = "worker.available"
    WORKER_FULL = "worker.full"
    WORKER_LOAD = "worker.load"
    WORKER_OFFERED = "worker.offered"
    WORKER_DRAINING = "worker.draining"
    WORKER_DISCONNECTED = "worker.disconnected"
    WORKER_CLOSED = "worker.closed"

    ROOM_CREATED = "room.created"
    DISPATCH_CREATED = "dispatch.created"
    PARTICIPANT_JOINING = "participant.joining"
    PARTICIPANT_JOINED = "participant.joined"

    JOB_CREATED = "job.created"
    JOB_OFFERED = "job.offered"
    JOB_RECEIVED = "job.received"
    JOB_ACCEPTED = "job.accepted"
    JOB_REJECTED = "job.rejected"
    JOB_TIMED_OUT = "job.timed_out"
    JOB_ASSIGNED = "job.assigned"
    PROCESS_STARTED = "process.started"
    PROCESS_READY = "process.ready"
    JOB_PROCESS_ASSIGNED = "job.process_assigned"
    JOB_ENTRYPOINT_STARTED = "job.entrypoint_started"
    AGENT_CONNECTING = "agent.connecting"
    PARTICIPANT_ACTIVE = "participant.active"
    PARTICIPANT_ATTRIBUTES_CHANGED = "participant.attributes_changed"
    PARTICIPANT_PERMISSIONS_CHANGED = "participant.permissions_changed"
    TRACK_PUBLISHED = "track.published"
    TRACK_MUTED = "track.muted"
    TRACK_UNMUTED = "track.unmuted"
    TRACK_UNSUBSCRIBED = "track.unsubscribed"
    TRACK_SUBSCRIBED = "track.subscribed"
    TRACK_SILENT = "track.silent"
    TRACK_SOUNDS = "track.sounds"
    TRACK_UNNOTICED = "track.unnoticed"
    AGENT_CONNECTED = "agent.connected"
    AGENT_WAITING_FOR_PARTICIPANT = "agent.waiting_for_participant"
    AGENT_PARTICIPANT_READY = "agent.participant_ready"
    AGENT_WAIT_ENDED = "agent.wait_ended"
    SESSION_STARTING = "session.starting"
    JOB_ENTRYPOINT_RETURNED = "job.entrypoint_returned"
    SESSION_STARTED = "session.started"
    SESSION_LINKED = "session.linked"
    SESSION_WAITING_FOR_AUDIO = "session.waiting_for_audio"
    SESSION_TRACK_SUBSCRIBED = "session.track_subscribed"
    SESSION_AUDIO_RECEIVED = "session.audio_received"
    SESSION_AUDIO_PUBLISHED = "session.audio_published"
    SESSION_AUDIO_FAILED = "session.audio_failed"
    SESSION_AUDIO_INPUT_OFF = "session.audio_input_off"
    SESSION_AUDIO_INPUT_ON = "session.audio_input_on"
    SESSION_AUDIO_OUTPUT_OFF = "session.audio_output_off"
    SESSION_AUDIO_OUTPUT_ON = "session.audio_output_on"
    SESSION_CALLER_SPOKE = "session.caller_spoke"
    SESSION_TURN_TRANSCRIBED = "session.turn_transcribed"
    MODEL_ASKED = "model.asked"
    MODEL_ANSWERED = "model.answered"
    MODEL_GAVE_NO_ANSWER = "model.gave_no_answer"
    MODEL_FAILED = "model.failed"
    SESSION_TASK_ENDED = "session.task_ended"
    SESSION_AGENT_CHANGED = "session.agent_changed"
    AGENT_SPEAKING = "agent.speaking"
    AGENT_SPEAKS_SILENCE = "agent.speaks_silence"
    AGENT_INTERRUPTED = "agent.interrupted"
    AGENT_CODE_BEGAN = "agent.code_began"
    AGENT_CODE_RETURNED = "agent.code_returned"
    AGENT_TASK_RAISED = "agent.task_raised"
    AGENT_BLOCKED = "agent.blocked"
    AGENT_STALLED = "agent.stalled"
    AGENT_DELETING_ROOM = "agent.deleting_room"
    AGENT_REMOVING_PARTICIPANT = "agent.removing_participant"
    AGENT_MEDIA_STOPPED = "agent.media_stopped"
    AGENT_MEDIA_BACK = "agent.media_back"
    AGENT_RECONNECTING = "agent.reconnecting"
    AGENT_RECONNECTED = "agent.reconnected"

    TRACK_UNPUBLISHED = "track.unpublished"
    PARTICIPANT_ABORTED = "participant.aborted"
    PARTICIPANT_LEFT = "participant.left"
    SESSION_CLOSED = "session.closed"
    SESSION_UNLINKED = "session.unlinked"
    AGENT_CONNECTION_LOST = "agent.connection_lost"
    ROOM_FINISHED = "room.finished"
    JOB_SHUTDOWN = "job.shutdown"
    AGENT_DISCONNECTED = "agent.disconnected"
    PROCESS_FAILED = "process.failed"
    JOB_SPANS_REPORTED = "job.spans_reported"
    JOB_ENDED = "job.ended"

    @property
    def info(self) -> KindInfo:
        """What is documented of it."""
        return _INFO[self.value]

    @property
    def rank(self) -> int:
        """Place in the causal order, from 0."""
        return _RANK[self]


_RANK = {kind: rank for rank, kind in enumerate(Kind)}
