"""The states of participants, jobs, workers and sessions, in LiveKit's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.explain.entry import Entry, Group
from tracer.livekit_sources import Page, agents, protocol, server

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["states"]

_MODELS = protocol("protobufs/livekit_models.proto")
_PARTICIPANT = server("pkg/rtc/participant.go")
_JOBS = server("pkg/agent/worker.go")
_AGENT = protocol("protobufs/livekit_agent.proto")
_SAID = (Page.AGENT_STATE, agents("voice/events.py"))
_STATE = "The agent's attribute `lk.agent.state`; `tracer call` shows it."


def states() -> Iterator[Entry]:
    """Every state, in the order in which it is come to."""
    yield from _PARTICIPANTS
    yield from _OF_JOBS
    yield from _WORKERS
    yield from _SESSIONS


_PARTICIPANTS = (
    Entry(
        word="JOINING",
        group=Group.STATE,
        title="a participant is connecting",
        meaning="The server has made the participant's session, and has not answered the client yet.",
        caused_by="A client connects with a token.",
        following="JOINED, a few ms later. A participant only goes up: JOINING, JOINED, ACTIVE, DISCONNECTED.",
        mistake="`joined_at` is the time of JOINING: neither of JOINED nor of ACTIVE.",
        sources=(_PARTICIPANT, _MODELS),
        related=("participant.joining", "participant-states"),
    ),
    Entry(
        word="JOINED",
        group=Group.STATE,
        title="a participant has its answer",
        meaning="The server has written the join response; media is not up yet.",
        caused_by="The server.",
        following="ACTIVE, when the media path is up.",
        mistake="The webhook `participant_joined` is not this state: it is sent when the participant is ACTIVE.",
        known_from="Only `ListParticipants` shows it, so only the observer reports it.",
        sources=(server("pkg/rtc/participant_signal.go"), _MODELS),
        related=("participant.joined", "participant-states"),
    ),
    Entry(
        word="ACTIVE",
        group=Group.STATE,
        title="a participant's media path is up",
        meaning="The participant's primary transport is connected: it can send and receive.",
        caused_by="The client and the server, which negotiate ICE and DTLS.",
        following="It publishes tracks; an agent's `wait_for_participant()` can return it.",
        mistake=(
            "Who is ACTIVE need not be known to the others at once: one who publishes nothing is announced to them up"
            " to 3 s later."
        ),
        known_from="The webhook `participant_joined`, and `ListParticipants`.",
        sources=(_PARTICIPANT, server("pkg/rtc/room.go"), _MODELS),
        related=("participant.active", "silent-caller", "participant-states"),
    ),
    Entry(
        word="DISCONNECTED",
        group=Group.STATE,
        title="a participant has left",
        meaning="The participant left, was removed, or the room closed; its `disconnect_reason` says which.",
        caused_by="Its client, the API, the network, or the end of the room.",
        following="Nothing: a client that comes back is another participant, with another SID.",
        mistake="A client that dies without a word is DISCONNECTED only when the server notices, about 19 s later.",
        sources=(server("pkg/rtc/types/interfaces.go"), _MODELS),
        related=("participant.left", "participant.aborted", "CLIENT_INITIATED", "ROOM_CLOSED"),
    ),
)

_OF_JOBS = (
    Entry(
        word="JS_PENDING",
        group=Group.STATE,
        title="a job that no worker has",
        meaning="The job is made, and no worker has been asked.",
        caused_by="The server.",
        following="JS_RUNNING, when the server asks a worker.",
        sources=(_JOBS, _AGENT),
        related=("job.created",),
    ),
    Entry(
        word="JS_RUNNING",
        group=Group.STATE,
        title="a job that a worker was asked to do",
        meaning="The server has asked a worker to do the job, or has assigned it.",
        caused_by="The server, which sets it just before it asks.",
        following="JS_SUCCESS or JS_FAILED.",
        mistake=(
            "It does not mean that the agent runs: an entrypoint that raised before it connected leaves its job"
            " JS_RUNNING for ever."
        ),
        sources=(_JOBS, _AGENT),
        related=("job.offered", "raised-before-connect", "process-failed"),
    ),
    Entry(
        word="JS_SUCCESS",
        group=Group.STATE,
        title="a job that is over",
        meaning="The job ended without an error.",
        caused_by="The agent, at the end of its shutdown; or the server, which ended the job.",
        following="Nothing.",
        mistake="A job that was rejected is JS_SUCCESS too: it ends when it starts, and has no participant identity.",
        sources=(_JOBS, _AGENT),
        related=("job.ended", "rejected"),
    ),
    Entry(
        word="JS_FAILED",
        group=Group.STATE,
        title="a job that failed",
        meaning="The job ended with an error, or its agent left the room before it ended.",
        caused_by="The agent's own code; or the server, in the words “agent worker left the room”.",
        following="Nothing: the server does not start the job again.",
        mistake="Where the room was deleted, its jobs are JS_FAILED as well: that alone is no fault.",
        sources=(_JOBS, _AGENT),
        related=("job.ended", "raised-after-connect", "room-deleted"),
    ),
    Entry(
        word="JS_CANCELLED",
        group=Group.STATE,
        title="a job that ended unassigned",
        meaning="The job ended before it was assigned to an agent.",
        caused_by="The server: none before protocol 1.53.1 has it.",
        following="Nothing.",
        sources=(_AGENT,),
        related=("job.ended",),
    ),
)

_WORKERS = (
    Entry(
        word="WS_AVAILABLE",
        group=Group.STATE,
        title="a worker that takes jobs",
        meaning="The worker reports that it takes jobs.",
        caused_by="Its load is below its `load_threshold`.",
        following="The server may offer it a job.",
        mistake=(
            "A worker that is available is not offered jobs while its load is above the server's own limit"
            " (`agents.target_load`, 0.7)."
        ),
        sources=(agents("worker.py"), server("pkg/agent/config.go"), _AGENT),
        related=("worker.available", "load-above-limit", "worker.load"),
    ),
    Entry(
        word="WS_FULL",
        group=Group.STATE,
        title="a worker that takes no jobs",
        meaning="The worker reports that it takes no jobs.",
        caused_by="Its load is at its `load_threshold`, or it is draining.",
        following="The server offers jobs to other workers; to this one again when it is available.",
        mistake=(
            "An idle worker can be full: each request in flight counts as load until its job runs, so a burst of calls"
            " fills it."
        ),
        sources=(agents("worker.py"), _AGENT),
        related=("worker.full", "workers-full", "worker-overbooked", "worker-draining"),
    ),
)

_SESSIONS = (
    Entry(
        word="initializing",
        group=Group.STATE,
        title="a session that starts",
        meaning="The agent's session starts; it neither listens nor speaks yet.",
        caused_by="`session.start()`.",
        following="`listening`, or `speaking` where it greets first.",
        known_from=_STATE,
        sources=_SAID,
        related=("session.starting",),
    ),
    Entry(
        word="idle",
        group=Group.STATE,
        title="a session that waits",
        meaning="The agent is connected and waits for input; livekit-agents for Python says `listening` instead.",
        caused_by="The session.",
        following="`thinking`, or `speaking`.",
        known_from=_STATE,
        sources=_SAID,
    ),
    Entry(
        word="listening",
        group=Group.STATE,
        title="a session that listens",
        meaning="The agent waits for the caller to speak.",
        caused_by="The session.",
        following="`thinking`, at the end of the caller's turn.",
        known_from=_STATE,
        sources=_SAID,
        related=("session.audio_received",),
    ),
    Entry(
        word="thinking",
        group=Group.STATE,
        title="a session that waits for its model",
        meaning="The caller's turn is over, and the agent waits for the answer of its model or of its own code.",
        caused_by="The session.",
        following="`speaking`.",
        known_from=_STATE,
        sources=_SAID,
        related=("model.asked", "model-silent", "own-code-hangs"),
    ),
    Entry(
        word="speaking",
        group=Group.STATE,
        title="a session that speaks",
        meaning="The agent speaks.",
        caused_by="An answer, or `session.say()`.",
        following="`listening`.",
        known_from=_STATE,
        sources=_SAID,
        related=("agent.speaking",),
    ),
)
