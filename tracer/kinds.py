"""Every kind of moment and what it means: wording, ``--help`` and the documentation are made from this list."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

__all__ = ["Kind", "KindInfo"]


@dataclass(frozen=True, slots=True)
class KindInfo:
    """What there is to say of one kind; a member of Kind gives its value and then these, in this order."""

    phrase: str
    """What it is called in a list of steps, unlike any other kind: ``job offered``; ``{who}`` is the participant."""
    verb: str
    """What happened to its subject, in a sentence: the job ``was offered``."""
    meaning: str
    cause: str
    """Who or what causes it."""
    following: str
    """What normally comes next."""
    source: str
    """Which witnesses report it, and what the time is when the server or the agent does not give it in ns."""


class Kind(StrEnum):
    """Everything that can happen, in LiveKit's words and in causal order.

    Of two kinds whose times do not decide which came first, the one that is defined first comes first.
    """

    info: KindInfo

    def __new__(  # noqa: D102  makes the members below; the defaults let a type checker accept Kind("job.offered")
        cls,
        value: str,
        phrase: str = "",
        verb: str = "",
        meaning: str = "",
        cause: str = "",
        following: str = "",
        source: str = "",
    ) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.info = KindInfo(phrase, verb, meaning, cause, following, source)
        return member

    WORKER_REGISTERED = (
        "worker.registered",
        "worker registered",
        "was registered",
        "A worker connected to the server and was given its id (`AW_…`).",
        "An agent program starts, or reconnects to the server.",
        "The server can offer it jobs.",
        "agent",
    )
    WORKER_AVAILABLE = (
        "worker.available",
        "worker available again",
        "was available again",
        "A worker that was full accepts jobs again.",
        "Its load fell below its threshold.",
        "The server can offer it jobs.",
        "agent",
    )
    WORKER_FULL = (
        "worker.full",
        "worker full",
        "was full",
        "A worker's load reached its threshold (0.7 by default), and it refuses jobs.",
        "Its CPU, its running jobs, or jobs it was just offered.",
        "The server offers jobs to other workers.",
        "agent",
    )
    WORKER_LOAD = (
        "worker.load",
        "worker reports its load",
        "reported its load",
        "A worker reported a load that differs from the last: the server asks none above its own limit (0.7).",
        "Its CPU, its running jobs, or its load_fnc.",
        "The server offers it jobs while the load is below the limit.",
        "agent",
    )
    WORKER_OFFERED = (
        "worker.offered",
        "worker was offered a job",
        "was offered a job",
        "A worker was offered a job, of this room or another: so it was registered, connected and available.",
        "The server's offer.",
        "The worker receives the next one.",
        "agent: with each job.received",
    )
    WORKER_DRAINING = (
        "worker.draining",
        "worker draining",
        "was draining",
        "A worker finishes its jobs and accepts no new ones.",
        "A signal to stop, as in a deploy.",
        "The worker closes once its jobs have ended.",
        "agent",
    )
    WORKER_DISCONNECTED = (
        "worker.disconnected",
        "worker lost its connection",
        "lost its connection",
        "A worker's connection to the server broke: it is offered no jobs.",
        "The network, a proxy, or a restart of the server.",
        "It connects again and is registered under another id.",
        "agent: when it noticed or, from older agents, when it was back",
    )
    WORKER_CLOSED = (
        "worker.closed",
        "worker closed",
        "stopped",
        "A worker has stopped; one that is killed does not report it.",
        "Its drain is over, or it was stopped.",
        "Nothing: a worker that starts again has another id.",
        "agent",
    )

    ROOM_CREATED = (
        "room.created",
        "room created",
        "was created",
        "The server created the room.",
        "The first join, CreateRoom, CreateDispatch, SIP or ingress.",
        "The room's dispatches, within a millisecond.",
        "webhook, API: the server's own time in ms",
    )
    DISPATCH_CREATED = (
        "dispatch.created",
        "dispatch created",
        "was created",
        "The server recorded that an agent is requested.",
        "Room creation, a token's agents or CreateDispatch.",
        "The server collects bids from workers for about 200 ms and offers the job to one.",
        "API",
    )
    PARTICIPANT_JOINING = (
        "participant.joining",
        "{who} JOINING",
        "was JOINING",
        "The server created the participant's session.",
        "A client connects with a token.",
        "JOINED, a few ms later.",
        "webhook, API: the server's own time in ms",
    )
    PARTICIPANT_JOINED = (
        "participant.joined",
        "{who} JOINED",
        "was JOINED",
        "The server wrote the join response; media is not up yet.",
        "The server, once the participant's session exists.",
        "ACTIVE, when the media path is up.",
        "API only: between two polls",
    )

    JOB_OFFERED = (
        "job.offered",
        "job offered",
        "was offered",
        "The server chose a worker and is about to offer it the job.",
        "The server, about 200 ms after the dispatch: it waits for bids.",
        "The worker receives the offer.",
        "API, agent: the server's own time",
    )
    JOB_RECEIVED = (
        "job.received",
        "job received",
        "was received",
        "The worker received the offer.",
        "The server's offer.",
        "The worker's `request_fnc` answers.",
        "agent",
    )
    JOB_ACCEPTED = (
        "job.accepted",
        "job accepted",
        "was accepted",
        "The worker accepted the job.",
        "The worker's `request_fnc`.",
        "The server assigns the job.",
        "agent",
    )
    JOB_REJECTED = (
        "job.rejected",
        "job rejected",
        "was rejected",
        "The worker refused the job.",
        "`request_fnc` rejected it, raised or gave no answer, or the worker is full or draining.",
        "The server offers the job to another worker, unless the rejection was for good.",
        "agent",
    )
    JOB_TIMED_OUT = (
        "job.timed_out",
        "job timed out",
        "timed out",
        "The worker accepted the job, and the server never assigned it.",
        "An answer later than the 3 s that the server waits.",
        "Nothing: the server does not offer the job again.",
        "agent",
    )
    JOB_ASSIGNED = (
        "job.assigned",
        "job assigned",
        "was assigned",
        "The server gave the job to the worker, with a token for the room.",
        "The worker's acceptance.",
        "A process of the worker takes the job.",
        "agent",
    )
    PROCESS_STARTED = (
        "process.started",
        "process started",
        "began to set up its process",
        "A process that the job had to wait for begins its `setup_fnc`.",
        "The worker, when no idle process is ready.",
        "The `setup_fnc` returns.",
        "agent",
    )
    PROCESS_READY = (
        "process.ready",
        "process ready",
        "had its process set up",
        "The `setup_fnc` of a process that the job waits for returned.",
        "The `setup_fnc` is done: models are loaded.",
        "The process gets the job.",
        "agent",
    )
    JOB_PROCESS_ASSIGNED = (
        "job.process_assigned",
        "process assigned",
        "was given a process",
        "A process has the job: at once when one was ready.",
        "The worker.",
        "The entrypoint starts.",
        "agent",
    )
    JOB_ENTRYPOINT_STARTED = (
        "job.entrypoint_started",
        "entrypoint started",
        "started its entrypoint",
        "The agent's own function runs.",
        "The job's process.",
        "It connects to the room.",
        "agent",
    )
    AGENT_CONNECTING = (
        "agent.connecting",
        "agent connecting",
        "began to connect",
        "`ctx.connect()` began.",
        "The agent's own code, or a session that connects by itself.",
        "The agent is JOINING as a participant, in the middle of it.",
        "agent",
    )
    PARTICIPANT_ACTIVE = (
        "participant.active",
        "{who} ACTIVE",
        "was ACTIVE",
        "The participant's media path is up; the webhook `participant_joined` means this and not JOINED.",
        "The client's primary transport is connected.",
        "The participant publishes tracks, and an agent can wait for it.",
        "webhook: within its second, API: between two polls",
    )
    TRACK_PUBLISHED = (
        "track.published",
        "{who} publishes",
        "was published",
        "A participant's track can be heard or seen.",
        "The participant's client.",
        "Others subscribe to it.",
        "webhook: within its second",
    )
    AGENT_CONNECTED = (
        "agent.connected",
        "agent connected",
        "was connected",
        "`ctx.connect()` returned.",
        "The server accepted the connection and the media path is up.",
        "The agent waits for a participant or starts its session.",
        "agent",
    )
    AGENT_WAITING_FOR_PARTICIPANT = (
        "agent.waiting_for_participant",
        "agent waiting for participant",
        "began to wait for a participant",
        "`wait_for_participant()` began.",
        "The agent's own code, or its session.",
        "It returns with the first participant who is ACTIVE.",
        "agent",
    )
    AGENT_PARTICIPANT_READY = (
        "agent.participant_ready",
        "participant ready",
        "had waited for a participant",
        "`wait_for_participant()` returned: the agent can read the participant's attributes.",
        "A participant is ACTIVE and the agent knows of it.",
        "The agent starts its session.",
        "agent",
    )
    AGENT_WAIT_ENDED = (
        "agent.wait_ended",
        "wait for a participant ended with none",
        "had waited for a participant in vain",
        "`wait_for_participant()` ended without a participant: it raised or was cancelled.",
        "The room closed, or the agent's code gave up.",
        "The job fails or shuts down.",
        "agent: livekit-agents' span `wait_for_participant`",
    )
    SESSION_STARTING = (
        "session.starting",
        "session starting",
        "began to start a session",
        "`AgentSession.start()` began.",
        "The agent's own code.",
        "The session is started.",
        "agent",
    )
    JOB_ENTRYPOINT_RETURNED = (
        "job.entrypoint_returned",
        "entrypoint returned",
        "returned from its entrypoint",
        "The agent's own function returned; the job goes on until it is shut down.",
        "The agent's own code.",
        "The call goes on; the job shuts down when the room closes or the agent asks for it.",
        "agent",
    )
    SESSION_STARTED = (
        "session.started",
        "session started",
        "had started a session",
        "`AgentSession.start()` is done: the agent listens and can speak.",
        "The session's models and audio are ready.",
        "The conversation.",
        "agent",
    )
    SESSION_LINKED = (
        "session.linked",
        "session linked",
        "linked its session",
        "The session listens to this participant from now on.",
        "The first participant to come, `participant_identity` in the room options, or `set_participant()`.",
        "The session waits for their audio track.",
        "agent: livekit-agents' span `agent_session`, event `participant_linked`",
    )
    SESSION_WAITING_FOR_AUDIO = (
        "session.waiting_for_audio",
        "session waits for audio",
        "began to wait for audio",
        "The session waits for an audio track of the participant it is linked to.",
        "`session.start()`, or a new link.",
        "The track is subscribed, and its first frame arrives.",
        "agent: livekit-agents' span `wait_for_audio_track`",
    )
    SESSION_TRACK_SUBSCRIBED = (
        "session.track_subscribed",
        "audio track subscribed",
        "subscribed to an audio track",
        "The agent is subscribed to that track.",
        "The participant published it.",
        "Its first frame arrives.",
        "agent: livekit-agents' span `wait_for_audio_track`",
    )
    SESSION_AUDIO_RECEIVED = (
        "session.audio_received",
        "session hears the participant",
        "received audio",
        "The first audio frame arrived: the session hears the participant.",
        "The participant's microphone.",
        "The caller speaks, and the agent answers.",
        "agent: livekit-agents' span `wait_for_audio_track`, event `first_frame`",
    )
    SESSION_AUDIO_PUBLISHED = (
        "session.audio_published",
        "agent has a voice",
        "published its audio",
        "The agent's own audio track is published: the others can hear it.",
        "`session.start()`.",
        "The agent can speak.",
        "agent: livekit-agents' span `publish_audio_output`",
    )
    SESSION_AUDIO_FAILED = (
        "session.audio_failed",
        "agent has no voice",
        "failed to publish its audio",
        "The agent's audio track could not be published: nobody hears it.",
        "A missing permission, or lost signalling.",
        "The agent stays silent.",
        "agent: livekit-agents' span `publish_audio_output`",
    )
    MODEL_ASKED = (
        "model.asked",
        "model asked",
        "asked its model",
        "The session asked its language model for an answer.",
        "The caller's turn ended, or the agent's code asked for a reply.",
        "The first token of the answer.",
        "agent: livekit-agents' span `llm_node`",
    )
    MODEL_ANSWERED = (
        "model.answered",
        "model answered",
        "got an answer of its model",
        "The first token of the answer arrived.",
        "The model.",
        "The agent speaks.",
        "agent: livekit-agents' span `llm_node`",
    )
    MODEL_GAVE_NO_ANSWER = (
        "model.gave_no_answer",
        "no answer from the model",
        "got no answer of its model",
        "The session gave up an answer of which nothing had come.",
        "The caller spoke again, or left, before the model answered.",
        "The next turn.",
        "agent: livekit-agents' span `llm_node`",
    )
    MODEL_FAILED = (
        "model.failed",
        "model failed",
        "had a model fail",
        "A model (LLM, TTS, STT), or the agent's `on_enter`, raised.",
        "The model's provider, a wrong key, or a bug.",
        "No answer; after several failures the session closes.",
        "agent: livekit-agents' span that failed",
    )
    AGENT_SPEAKING = (
        "agent.speaking",
        "agent speaks",
        "began to speak",
        "The agent began to speak.",
        "An answer, or `say()`.",
        "The caller answers.",
        "agent: livekit-agents' span `agent_speaking`",
    )
    AGENT_BLOCKED = (
        "agent.blocked",
        "event loop blocked",
        "had its event loop blocked",
        "The agent's event loop stood still for half a second or more: it neither heard nor spoke.",
        "Blocking code in the agent, or a machine without CPU to spare.",
        "It goes on.",
        "agent: livekit-agents' span `event_loop_blocked`",
    )
    AGENT_RECONNECTING = (
        "agent.reconnecting",
        "agent reconnecting",
        "was reconnecting",
        "The agent lost its connection to the room and tries to get it back.",
        "The network, or a restart of the server.",
        "It is reconnected, or gives up after about 15 s.",
        "agent: livekit-agents' span `agent_session`, event `connection_state_changed`",
    )
    AGENT_RECONNECTED = (
        "agent.reconnected",
        "agent reconnected",
        "was reconnected",
        "The agent has its connection to the room back.",
        "The network recovered.",
        "The call goes on.",
        "agent: livekit-agents' span `agent_session`, event `connection_state_changed`",
    )

    TRACK_UNPUBLISHED = (
        "track.unpublished",
        "{who} unpublishes",
        "was unpublished",
        "A track was removed.",
        "The participant's client, or the participant left.",
        "Others no longer hear or see it.",
        "webhook: within its second",
    )
    PARTICIPANT_ABORTED = (
        "participant.aborted",
        "{who} aborted",
        "aborted its connection",
        "A participant left without having been ACTIVE.",
        "No media path within 60 s, or the client left before it was up.",
        "Nothing: a client that tries again has another SID.",
        "webhook: within its second, API: between two polls",
    )
    PARTICIPANT_LEFT = (
        "participant.left",
        "{who} left",
        "left",
        "A participant that had been ACTIVE left.",
        "Its client, a removal, a lost connection or the end of the room.",
        "The room closes once departure_timeout has passed with nobody left but agents.",
        "webhook: within its second, API: between two polls",
    )
    SESSION_CLOSED = (
        "session.closed",
        "session closed",
        "closed a session",
        "The agent's session ended; the job need not end with it.",
        "Its linked participant left, an error, or the job shuts down.",
        "The job shuts down, or stays in the room.",
        "agent",
    )
    SESSION_UNLINKED = (
        "session.unlinked",
        "linked participant left",
        "lost the participant of its session",
        "The participant that the session listened to left.",
        "The participant hung up or lost the connection.",
        "The session closes (`close_on_disconnect`) or is linked to whoever comes next.",
        "agent: livekit-agents' span `agent_session`, event `participant_disconnected`",
    )
    AGENT_CONNECTION_LOST = (
        "agent.connection_lost",
        "agent gave up to reconnect",
        "gave up to reconnect",
        "The agent could not get its connection to the room back.",
        "The network.",
        "Its job shuts down.",
        "agent: livekit-agents' span `agent_session`, event `connection_state_changed`",
    )
    ROOM_FINISHED = (
        "room.finished",
        "room finished",
        "was closed",
        "The server closed the room: the last webhook of a room.",
        "Its departure timeout, its empty timeout or DeleteRoom.",
        "Its jobs shut down.",
        "webhook: within its second, API: between two polls",
    )
    JOB_SHUTDOWN = (
        "job.shutdown",
        "job shutting down",
        "began to shut down",
        "The job began to shut down.",
        "The room closed, `ctx.shutdown()`, or the worker drains.",
        "Shutdown callbacks run, and the agent disconnects.",
        "agent",
    )
    AGENT_DISCONNECTED = (
        "agent.disconnected",
        "agent disconnected",
        "was disconnected",
        "The agent closed its own connection to the room.",
        "The job's shutdown.",
        "The job ends.",
        "agent",
    )
    PROCESS_FAILED = (
        "process.failed",
        "process failed",
        "had its process fail",
        "A process did not come up, or ended unexpectedly while it had a job.",
        "`setup_fnc` raised or took too long, a crash, a kill, or too little memory.",
        "Nothing: the job has no agent, and the server does not offer it again.",
        "agent",
    )
    JOB_ENDED = (
        "job.ended",
        "job ended",
        "ended",
        "The job is over, its clean-up included.",
        "The end of the shutdown, or the server when the agent left the room.",
        "The process exits.",
        "agent, API: the server's own time",
    )

    @property
    def rank(self) -> int:
        """Place in the causal order, from 0."""
        return _RANK[self]


_RANK = {kind: rank for rank, kind in enumerate(Kind)}
