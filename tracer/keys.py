"""Names of facts: what a moment knows beyond its time, and what a span carries as attributes.

One name serves both. LiveKit's own names are kept where livekit-agents has one
(``livekit/agents/telemetry/trace_types.py``); ours begin with ``tracer.``. As there, a key with the
dot-delimited segment ``pii`` holds personal data and nothing else does: that is what ``--redact`` drops.
"""

from typing import Final

__all__ = [
    "AGENT_LABEL",
    "AGENT_NAME",
    "AGENT_TRACE",
    "ANSWER",
    "AUTO_SUBSCRIBE",
    "BLOCKED_FOR",
    "CALL_STATUS",
    "CAN_PUBLISH",
    "CAN_PUBLISH_SOURCES",
    "CAN_SUBSCRIBE",
    "CAUSE",
    "CLOCK",
    "CLOSE_REASON",
    "CONVERSATION_ID",
    "DEPLOYMENT",
    "DISCONNECT_REASON",
    "DISPATCH_ID",
    "DISPATCH_METADATA",
    "DISPATCH_TRIGGER",
    "EARLIEST",
    "ENTRYPOINT_ONLY",
    "ERROR_MESSAGE",
    "ERROR_TYPE",
    "EVENTS_DROPPED",
    "EXIT_CODE",
    "HIDDEN",
    "INSTRUCTIONS",
    "INTERRUPTED_BY",
    "JOB_ANSWER",
    "JOB_ATTEMPTS",
    "JOB_ID",
    "JOB_PARTICIPANT_ID",
    "JOB_REASON",
    "JOB_STATUS",
    "JOB_TERMINATED",
    "JOB_TYPE",
    "KILLED",
    "LATEST",
    "LINKED_ID",
    "LINKED_IDENTITY",
    "LISTENS_BY",
    "LOAD_TOOK",
    "OCCURRENCE",
    "PARTICIPANT_ATTRIBUTE",
    "PARTICIPANT_FILTER",
    "PARTICIPANT_ID",
    "PARTICIPANT_IDENTITY",
    "PARTICIPANT_KIND",
    "PARTICIPANT_METADATA",
    "PARTICIPANT_NAME",
    "PLAYED_FOR",
    "PREVIOUS_AGENT_LABEL",
    "PROCESS_ID",
    "ROOM_DEPARTURE_TIMEOUT",
    "ROOM_EMPTY_TIMEOUT",
    "ROOM_END_REASON",
    "ROOM_NAME",
    "ROOM_SERVER_AWAY",
    "ROOM_SID",
    "ROOM_WATCHED",
    "SDK_LANGUAGE",
    "SEEN_AFTER",
    "SEEN_BY",
    "SETUP_BEGAN",
    "SETUP_ENDED",
    "SHUTDOWN_BY_USER",
    "SHUTDOWN_REASON",
    "SILENT_FOR",
    "SOUNDED_FOR",
    "SPANS_ABOVE",
    "SPANS_BEGUN",
    "SPANS_DUE",
    "SPANS_ENDED",
    "SPANS_FIRST",
    "SPANS_LAST",
    "SPANS_ROOT",
    "SPAN_NAME",
    "SPEAKS_BY",
    "SPOKE_FOR",
    "SUBJECT",
    "TASK",
    "TOOL_NAME",
    "TRACK_ENCRYPTION",
    "TRACK_MUTED",
    "TRACK_NAME",
    "TRACK_SOURCE",
    "TURN_LASTED",
    "WELL",
    "WITNESS",
    "WORKERS_ASKED",
    "WORKER_HOST",
    "WORKER_ID",
    "WORKER_JOBS",
    "WORKER_LOAD",
    "WORKER_PREVIOUS_ID",
    "WORKER_RESERVED",
    "WORKER_SERVER",
    "is_personal",
]

ROOM_SID: Final = "lk.room_sid"
"""The room's SID (``RM_…``), the unit of a trace."""
ROOM_NAME: Final = "lk.pii.room_name"
"""The room's name, used again and again by different rooms."""
CONVERSATION_ID: Final = "gen_ai.conversation.id"
"""The room's SID again: livekit-agents puts it on every span of a job."""
DISPATCH_ID: Final = "lk.dispatch_id"
"""The dispatch (``AD_…``) a job belongs to."""
JOB_ID: Final = "lk.job_id"
"""The job (``AJ_…``)."""
AGENT_NAME: Final = "lk.agent_name"
"""The agent's name that a dispatch asks for; empty for the unnamed, automatic one."""
WORKER_ID: Final = "lk.job.worker_id"
"""The worker (``AW_…``) that took the job."""
PARTICIPANT_ID: Final = "lk.participant_id"
"""A participant's SID (``PA_…``)."""
PARTICIPANT_IDENTITY: Final = "lk.pii.participant_identity"
"""A participant's identity."""
PARTICIPANT_KIND: Final = "lk.participant_kind"
"""STANDARD, INGRESS, EGRESS, SIP, AGENT, CONNECTOR or BRIDGE."""
TRACK_SOURCE: Final = "lk.track_source"
"""CAMERA, MICROPHONE, SCREEN_SHARE, …"""
DISCONNECT_REASON: Final = "lk.disconnect_reason"
"""Why a participant left, in the words of LiveKit's ``DisconnectReason``."""
SHUTDOWN_REASON: Final = "lk.shutdown.reason"
"""Why a job shut down, in the words of the agent's code or of livekit-agents."""
INTERRUPTED_BY: Final = "lk.interruption.source"
"""What interrupted the agent, by newer versions: ``audio_activity``, ``user_turn`` or ``programmatic``."""
PLAYED_FOR: Final = "lk.playout.position"
"""Seconds of an interrupted reply that had been played, by newer versions (livekit-agents 1.8.9)."""

INSTRUCTIONS: Final = "lk.pii.instructions"
"""The instructions of the agent that a session started with."""

PARTICIPANT_NAME: Final = "tracer.pii.participant_name"
"""A participant's display name."""
PARTICIPANT_METADATA: Final = "tracer.pii.participant_metadata"
"""A participant's metadata."""
CALL_STATUS: Final = "tracer.participant.call_status"
"""How far the telephone call to a SIP participant is, as its attribute ``sip.callStatus`` says: ``ringing``, say."""
PARTICIPANT_ATTRIBUTE: Final = "tracer.pii.attribute."
"""Prefix: one key for each of a participant's attributes."""
TRACK_NAME: Final = "tracer.pii.track_name"
"""A track's name, chosen by the client."""
DISPATCH_METADATA: Final = "tracer.pii.dispatch_metadata"
"""A dispatch's metadata."""
DISPATCH_TRIGGER: Final = "tracer.dispatch.trigger"
"""What created a dispatch, where the server reports it: ADT_JOIN, ADT_ROOM_API or ADT_DISPATCH_API."""
ROOM_EMPTY_TIMEOUT: Final = "tracer.room.empty_timeout"
"""Seconds a room waits for its first participant."""
ROOM_DEPARTURE_TIMEOUT: Final = "tracer.room.departure_timeout"
"""Seconds a room stays open after the last leave."""
ROOM_WATCHED: Final = "tracer.room.watched"
"""Whether the observer was at work when the room was made, and so has seen everyone who came."""
ROOM_SERVER_AWAY: Final = "tracer.room.server_away"
"""Whether the observer could not reach the server when the room closed or a participant left: it may have died."""
ROOM_END_REASON: Final = "tracer.room.end_reason"
"""Why the room ended, where the server reports it."""
JOB_PARTICIPANT_ID: Final = "tracer.job.participant_id"
"""SID of the participant a job of type JT_PARTICIPANT or JT_PUBLISHER is for."""
JOB_STATUS: Final = "tracer.job.status"
"""A job's status as the server or the agent last reported it: JS_PENDING, JS_RUNNING, JS_SUCCESS, JS_FAILED or, from
servers of protocol 1.53.1 on, JS_CANCELLED."""
JOB_REASON: Final = "tracer.job.reason"
"""Why a job has no agent, where the server reports it: JSR_NO_CAPACITY, JSR_ROOM_CLOSED, JSR_DISPATCH_DELETED or
JSR_RETRYING."""
JOB_ATTEMPTS: Final = "tracer.job.attempts"
"""How often a job was assigned to a worker, where the server reports it."""
WORKERS_ASKED: Final = "tracer.job.workers_asked"
"""How many workers were asked to take a job, the one that took it included, where the server reports it."""
JOB_ANSWER: Final = "tracer.job.answer"
"""How a worker refused a job: rejected, raised, unanswered (by its ``request_fnc``), full or draining (before it); or
load_raised: its ``load_fnc`` raised, and the server got no answer."""
LOAD_TOOK: Final = "tracer.worker.load_took"
"""How long the worker's ``load_fnc`` took before the offer of a job was answered, seconds."""
JOB_TERMINATED: Final = "tracer.job.terminated"
"""Whether the refusal was for good: then the server asks no other worker."""
ERROR_TYPE: Final = "error.type"
"""The class of an exception, OpenTelemetry's own key."""
ERROR_MESSAGE: Final = "tracer.pii.error_message"
"""An exception's message: free text, which can hold anything."""
EXIT_CODE: Final = "tracer.process.exit_code"
"""How a process ended: negative for the signal that killed it."""
KILLED: Final = "tracer.process.killed"
"""Whether it was the worker that killed its process: it was unresponsive, or took too much memory or time."""
PROCESS_ID: Final = "process.pid"
"""The process on its host, OpenTelemetry's own key."""
SETUP_BEGAN: Final = "tracer.process.setup_began"
"""When ``setup_fnc`` began in a process that came up for a job, ns since the epoch as text."""
SETUP_ENDED: Final = "tracer.process.setup_ended"
"""When it returned."""
LINKED_ID: Final = "tracer.session.participant_id"
"""SID of the participant that a session listens to."""
LINKED_IDENTITY: Final = "tracer.pii.session_identity"
"""That participant's identity."""
SEEN_AFTER: Final = "tracer.seen_after"
"""When the observer last looked without seeing it, ns since the epoch as text, on the receiver's clock."""
SEEN_BY: Final = "tracer.seen_by"
"""When the observer first saw it, ns since the epoch as text, on the receiver's clock."""
WORKER_LOAD: Final = "tracer.worker.load"
"""A worker's load: what its ``load_fnc`` returns, from 0 to 1, and what it has promised to jobs on their way."""
WORKER_RESERVED: Final = "tracer.worker.reserved"
"""How many jobs a worker is answering or has accepted, and not launched: each counts as load."""
WORKER_JOBS: Final = "tracer.worker.jobs"
"""How many jobs a worker has."""
JOB_TYPE: Final = "tracer.job.type"
"""JT_ROOM, JT_PARTICIPANT or JT_PUBLISHER."""
WORKER_HOST: Final = "tracer.worker.host"
"""Name of the machine the worker runs on."""
AGENT_TRACE: Final = "tracer.agent_trace_id"
"""The trace in which the agent itself made a job's spans, 32 hexadecimal digits: given by those that do not name the
job, and what the user exports elsewhere has it."""

ENTRYPOINT_ONLY: Final = "tracer.entrypoint_only"
"""Whether an agent traces its entrypoint, not how it connected, shut down and ended: livekit-agents before 1.8.2."""
SDK_LANGUAGE: Final = "telemetry.sdk.language"
"""In what language an agent is written, OpenTelemetry's own key: ``nodejs``; absent for Python."""
AUTO_SUBSCRIBE: Final = "lk.room.auto_subscribe"
"""What an agent subscribes to by itself: subscribe_all, audio_only, video_only, subscribe_none."""
PARTICIPANT_FILTER: Final = "lk.room_io.participant_filter"
"""Whether a wait was for one identity, and not for whoever comes."""
CLOSE_REASON: Final = "lk.close_reason"
"""Why a session closed: participant_disconnected, error, job_shutdown, user_initiated, …"""
AGENT_LABEL: Final = "lk.agent_label"
"""The agent that a session was handed over to: its module and class."""
PREVIOUS_AGENT_LABEL: Final = "lk.previous_agent_label"
"""The agent that handed over."""
SHUTDOWN_BY_USER: Final = "lk.shutdown.user_initiated"
"""Whether the agent's own code shut the job down."""
SPANS_ENDED: Final = "tracer.spans.ended"
"""Spans of a job that came with their end: the beginnings of their ids, with a space between."""
SPANS_BEGUN: Final = "tracer.spans.begun"
"""Those that were reported when they began, and can be left open."""
SPANS_DUE: Final = "tracer.spans.due"
"""Those that were reported when they began, and end before their job does."""
SPANS_ABOVE: Final = "tracer.spans.above"
"""The parents of those that livekit-agents makes beneath one of its own."""
SPANS_ROOT: Final = "tracer.spans.root"
"""``job_entrypoint``, which is above all others."""
SPANS_FIRST: Final = "tracer.spans.first"
"""Number of the first span of a job in a request: an instrumented agent's process counts what it sends of it."""
SPANS_LAST: Final = "tracer.spans.last"
"""Number of the last one there, with none missing between."""
SPAN_NAME: Final = "tracer.span_name"
"""Name of the span of livekit-agents that failed, or of the agent's own code that it is about."""
TOOL_NAME: Final = "lk.function_tool.name"
"""The function tool that a model called."""
SILENT_FOR: Final = "tracer.silent_for"
"""Seconds of silence that an agent sent while it spoke."""
SOUNDED_FOR: Final = "tracer.sounded_for"
"""Seconds for which a microphone was as loud as a voice, and no speech was noticed."""
SPOKE_FOR: Final = "tracer.spoke_for"
"""Seconds that an agent, or a caller, spoke at one go."""
TURN_LASTED: Final = "tracer.turn_lasted"
"""Seconds from the beginning of a turn, the caller's or the agent's, until it was over, with pauses."""
TASK: Final = "tracer.task"
"""A task by the function that it runs, as livekit-agents' ``_vad_task``; ``stt_node`` for the agent's own."""
LISTENS_BY: Final = "tracer.session.listens_by"
"""What understands the caller of a session: ``stt``, ``realtime``, or ``nothing``."""
SPEAKS_BY: Final = "tracer.session.speaks_by"
"""What gives a session its voice: ``tts``, ``realtime``, or ``nothing``."""
BLOCKED_FOR: Final = "tracer.blocked_for"
"""Seconds that an agent's event loop stood still."""
EVENTS_DROPPED: Final = "tracer.session.events_dropped"
"""Whether a session's first events are not known: OpenTelemetry keeps the last 128, and older agents report none."""
CAN_PUBLISH: Final = "tracer.participant.can_publish"
"""Whether a participant's token lets it publish tracks."""
CAN_SUBSCRIBE: Final = "tracer.participant.can_subscribe"
"""Whether a participant's token lets it subscribe to tracks."""
CAN_PUBLISH_SOURCES: Final = "tracer.participant.can_publish_sources"
"""The track sources that a token allows, joined by commas; absent where it allows all."""
HIDDEN: Final = "tracer.participant.hidden"
"""Whether the others in the room do not see a participant."""
TRACK_ENCRYPTION: Final = "tracer.track.encryption"
"""How a track is encrypted end to end, as ``GCM``; absent where it is not."""
TRACK_MUTED: Final = "tracer.track.muted"
"""Whether a track was muted when it was published."""
DEPLOYMENT: Final = "tracer.worker.deployment"
"""The deployment that a worker registered for (LIVEKIT_AGENT_DEPLOYMENT); absent for none."""
WORKER_SERVER: Final = "tracer.worker.server"
"""Host and port of the server that a worker registered with."""
WORKER_PREVIOUS_ID: Final = "tracer.worker.previous_id"
"""The id (``AW_…``) that a worker had before it lost its connection and registered again."""

SUBJECT: Final = "tracer.subject"
"""The SID or id a moment is about, on the span event that carries the moment."""
WITNESS: Final = "tracer.witness"
"""Who saw the moment: webhook, observer or agent."""
CLOCK: Final = "tracer.clock"
"""Whose clock gave the moment's most likely time: server, receiver or agent."""
EARLIEST: Final = "tracer.earliest"
"""Lower bound of the moment, ns since the epoch, as text (JSON numbers lose digits beyond 2**53)."""
LATEST: Final = "tracer.latest"
"""Upper bound of the moment, ns since the epoch, as text."""
OCCURRENCE: Final = "tracer.occurrence"
"""Distinguishes moments of one kind and subject where there can be several; else absent."""

WELL: Final = "tracer.well"
"""Whether all went well in a room, on its span; absent where that was not known when the span was exported."""
CAUSE: Final = "tracer.cause"
"""Name of the first cause that `tracer why` found, on the room's span."""
ANSWER: Final = "tracer.pii.answer"
"""What `tracer why` answered, in a sentence, on the room's span: it can name people."""


def is_personal(key: str) -> bool:
    """Whether a fact under this key is personal data, by livekit-agents' own rule: the segment ``pii``."""
    return "pii" in key.split(".")
