"""What there is in a call, in LiveKit's words, and tracer's own two: moment and witness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.explain.entry import Entry, Group
from tracer.livekit_sources import Page, agents, protocol, server

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["things"]


_THINGS = (
    Entry(
        word="room",
        group=Group.THING,
        title="where a call takes place",
        meaning="Where participants meet. Its name is used again and again; its SID (`RM_…`) is its own.",
        caused_by="The first join, CreateRoom, CreateDispatch, SIP or ingress.",
        following="Its dispatches are made with it; it closes when nobody but agents has been in it for a while.",
        mistake="Two calls under one name are two rooms where the first one closed in between.",
        sources=(server("pkg/service/roomallocator.go"), Page.ROOMS),
        related=("room.created", "room.finished", "departure_timeout", "empty_timeout"),
    ),
    Entry(
        word="participant",
        group=Group.THING,
        title="somebody in a room",
        meaning=(
            "A caller, an agent, a telephone, a recorder: whoever is in a room. Each join is a participant of its own,"
            " with an SID (`PA_…`)."
        ),
        caused_by="A client that connects with a token.",
        following="It goes through JOINING, JOINED, ACTIVE and DISCONNECTED.",
        mistake="Who leaves and comes back has the same identity, and is another participant.",
        sources=(Page.PARTICIPANTS, server("pkg/rtc/participant.go")),
        related=("JOINING", "JOINED", "ACTIVE", "DISCONNECTED", "identity"),
    ),
    Entry(
        word="identity",
        group=Group.THING,
        title="who a participant is",
        meaning="What a token calls its holder. In one room nobody else has it.",
        caused_by="Whoever makes the token: your backend; of an agent, `accept(identity=…)`, or livekit-agents.",
        following="The agent reads it of the participant that `wait_for_participant()` returns.",
        mistake="A second client with the same identity disconnects the first.",
        sources=(Page.PARTICIPANTS, Page.TOKENS),
        related=("DUPLICATE_IDENTITY", "duplicate-identity", "agent-identity-reused"),
    ),
    Entry(
        word="attributes",
        group=Group.THING,
        title="what is known of a participant",
        meaning="Keys with values on a participant, as its name and its metadata are: for what an agent should know.",
        caused_by="The token, the participant's client, or `UpdateParticipant`.",
        following="The agent reads them once the participant is there, before `session.start()`.",
        mistake="They are the participant's: what is given to a dispatch is in `ctx.job.metadata`.",
        sources=(Page.ATTRIBUTES, agents("job.py")),
        related=("participant.attributes_changed", "instructions", "wait_for_participant"),
        aliases=("metadata",),
    ),
    Entry(
        word="track",
        group=Group.THING,
        title="audio or video of a participant",
        meaning="A stream that a participant publishes (`TR_…`): its microphone, its camera.",
        caused_by="The participant's client.",
        following="Others subscribe to it; an agent's session listens to one.",
        mistake="A participant without a track is announced to the agent up to 3 s late.",
        sources=(Page.TRACKS, server("pkg/rtc/room.go")),
        related=("track.published", "silent-caller"),
    ),
    Entry(
        word="dispatch",
        group=Group.THING,
        title="a request for an agent",
        meaning="The server's record that an agent is requested for a room (`AD_…`), by name or of any unnamed worker.",
        caused_by="The room's creation, or CreateDispatch.",
        following="A job is made of it and offered to a worker, about 200 ms later.",
        mistake=(
            "It is made when the room is, and not when the caller joins; and it is made once: no worker that registers"
            " later gets it."
        ),
        sources=(Page.DISPATCH, server("pkg/rtc/room.go")),
        related=("dispatch.created", "automatic", "explicit", "no-worker", "late-worker"),
    ),
    Entry(
        word="job",
        group=Group.THING,
        title="one run of an agent in a room",
        meaning="What a dispatch becomes (`AJ_…`): one agent's work in one room, for which a worker starts a process.",
        caused_by="The server, from a dispatch: for the room, or for each participant, as the worker's type is.",
        following="It is offered, received, accepted, assigned; a process takes it, and the entrypoint runs.",
        mistake="A job goes on when its session closes: it ends with the room, or with `ctx.shutdown()`.",
        sources=(Page.JOB, server("pkg/rtc/room.go"), protocol("protobufs/livekit_agent.proto")),
        related=("job.offered", "JS_RUNNING", "worker", "entrypoint"),
    ),
    Entry(
        word="worker",
        group=Group.THING,
        title="the program that runs agents",
        meaning=(
            "Your agent program (`AW_…`), which LiveKit calls an agent server: it registers with the LiveKit server,"
            " and runs each job in a process of its own."
        ),
        caused_by="Whoever starts it: `python agent.py start`.",
        following="It is registered, and the server offers it jobs while its load is low.",
        mistake="A worker with an `agent_name` gets dispatches of that name only, one without gets unnamed ones only.",
        sources=(Page.LIFECYCLE, Page.OPTIONS, agents("worker.py")),
        related=("worker.registered", "worker-is-named", "worker-is-unnamed", "load-above-limit"),
        aliases=("agent server",),
    ),
    Entry(
        word="process",
        group=Group.THING,
        title="where a job runs",
        meaning="The process of a worker that a job runs in. Idle ones are kept ready (`num_idle_processes`).",
        caused_by="The worker.",
        following="It takes the job and calls the entrypoint.",
        mistake="In dev mode none is kept ready: each job waits for its process and its imports.",
        sources=(Page.JOB, agents("ipc/proc_pool.py")),
        related=("process.started", "process.ready", "cold-process", "setup_fnc"),
    ),
    Entry(
        word="setup_fnc",
        group=Group.THING,
        title="your function that prepares a process",
        meaning="Your function that runs once in each process before it gets a job: models are loaded here.",
        caused_by="The worker, when it starts a process.",
        following="The process is ready for a job.",
        mistake="It has 10 s (`initialize_process_timeout`); a process that takes longer fails.",
        sources=(Page.OPTIONS, agents("worker.py")),
        related=("process.ready", "process-failed", "cold-process"),
        aliases=("prewarm",),
    ),
    Entry(
        word="request_fnc",
        group=Group.THING,
        title="your function that answers an offer",
        meaning="Your function that accepts or rejects a job. Without one, livekit-agents accepts every job.",
        caused_by="The server's offer.",
        following="`accept()`, and the server assigns the job.",
        mistake="The server waits 3 s for the answer, and then drops the job without an error.",
        sources=(Page.OPTIONS, server("pkg/agent/worker.go")),
        related=("job.accepted", "job.rejected", "slow-request", "rejected"),
    ),
    Entry(
        word="entrypoint",
        group=Group.THING,
        title="your function that is the agent",
        meaning="Your own function under `@server.rtc_session()`: the job's process calls it with the job's context.",
        caused_by="The job's process, when it has taken the job.",
        following="It connects, waits for the participant, and starts a session.",
        mistake="When it returns the job is not over: that goes on until it is shut down.",
        sources=(Page.JOB, agents("job.py")),
        related=("job.entrypoint_started", "job.entrypoint_returned", "raised-before-connect"),
    ),
    Entry(
        word="agent",
        group=Group.THING,
        title="the participant of a job",
        meaning="A participant of the kind AGENT: a job that has connected to its room.",
        caused_by="`ctx.connect()` in the job, or a session that connects by itself.",
        following="It waits for its caller, and starts a session.",
        mistake=(
            "It is not there when it is requested: first come the dispatch, the job and its process. It exists from the"
            " middle of `ctx.connect()` on."
        ),
        sources=(Page.JOB, Page.PARTICIPANTS),
        related=("agent.connecting", "agent.connected", "dispatch", "job"),
    ),
    Entry(
        word="wait_for_participant",
        group=Group.THING,
        title="how an agent gets its caller",
        meaning=(
            "`ctx.wait_for_participant()` connects where that was not done, waits for the first ACTIVE participant that"
            " is no agent, and returns it with its identity, name, metadata and attributes."
        ),
        caused_by="Your entrypoint; a session does so by itself as well.",
        following="Read what you need, build the `instructions`, and call `session.start()`.",
        mistake="Without a limit of your own it waits for ever for a caller who never becomes ACTIVE.",
        sources=(agents("job.py"),),
        related=("agent.waiting_for_participant", "agent.participant_ready", "peer-never-active", "silent-caller"),
    ),
    Entry(
        word="instructions",
        group=Group.THING,
        title="what an agent is told to be",
        meaning="What your `Agent` tells its model: `Agent(instructions=…)`.",
        caused_by="Your entrypoint, from what it knows of the caller.",
        following="`session.start(agent=…, room=ctx.room)`.",
        mistake=(
            "Built before `wait_for_participant()` has returned they can hold nothing of the caller; of an agent that"
            " runs already, `update_instructions()` changes them."
        ),
        sources=(Page.SESSIONS, agents("voice/agent.py")),
        related=("wait_for_participant", "attributes", "session.starting"),
    ),
    Entry(
        word="session",
        group=Group.THING,
        title="an agent's conversation",
        meaning="`AgentSession`: it hears the participant that it is linked to, asks the models, and speaks.",
        caused_by="`session.start()` in the entrypoint.",
        following="It closes when the participant it is linked to leaves (`close_on_disconnect`); the job goes on.",
        mistake="A session that closed stays closed: who reloads the page comes back to an agent that says nothing.",
        sources=(Page.SESSIONS, agents("voice/room_io/room_io.py")),
        related=("session.started", "session.closed", "session-closed", "no-session"),
    ),
    Entry(
        word="webhook",
        group=Group.THING,
        title="what the server reports",
        meaning="A signed POST of the LiveKit server for each event in a room; one of tracer's three witnesses.",
        caused_by="The server, to the URLs in its configuration.",
        mistake=(
            "`created_at` is in whole seconds, `participant_joined` means ACTIVE, and webhooks do get lost: the server"
            " tries five times."
        ),
        sources=(Page.WEBHOOKS, protocol("webhook/resource_url_notifier.go")),
        related=("witness", "lost-webhooks", "accuracy"),
        aliases=("W",),
    ),
    Entry(
        word="observer",
        group=Group.THING,
        title="what the API shows",
        meaning=(
            "The part of `tracer serve` and `tracer observe` that polls the server's API; one of the three witnesses."
            " It alone sees JOINED, dispatches, and what never happened."
        ),
        caused_by="`LIVEKIT_URL` and its key pair.",
        mistake="`ListDispatch` lists a job up to 5 s after it was assigned: the times in it are exact all the same.",
        sources=(Page.DISPATCH_API,),
        related=("witness", "dispatch.created"),
        aliases=("API", "O"),
    ),
    Entry(
        word="moment",
        group=Group.THING,
        title="one thing that happened, as one witness reports it",
        meaning=(
            "One thing that happened, as one witness reported it: a kind (`job.offered`), whom it happened to, and an"
            " interval: not before its earliest and not after its latest time."
        ),
        caused_by="A witness.",
        following="Several moments of one thing narrow each other; none is averaged.",
        related=("witness", "accuracy", "what"),
    ),
    Entry(
        word="witness",
        group=Group.THING,
        title="who reports what happened",
        meaning="Where a moment is known from: a webhook, the observer, which polls the API, or the agent itself.",
        caused_by="`tracer serve`, `tracer observe`, and `tracer.instrument(server)` in the agent.",
        mistake="What no witness reported is not shown: it may have happened all the same.",
        related=("webhook", "observer", "source"),
    ),
    Entry(
        word="participant kind",
        group=Group.THING,
        title="what a participant is: STANDARD, AGENT, SIP, …",
        meaning=(
            "LiveKit's kinds: STANDARD for a client, AGENT for a job's, SIP for a telephone, INGRESS for a stream that"
            " comes in, EGRESS for a recorder, CONNECTOR and BRIDGE for other networks."
        ),
        mistake="Only a participant of the kind AGENT is an agent to the server, whatever its identity says.",
        sources=(protocol("protobufs/livekit_models.proto"),),
        related=("participant", "agent"),
        aliases=("STANDARD", "SIP", "INGRESS", "EGRESS", "CONNECTOR", "BRIDGE", "a participant's kind"),
    ),
    Entry(
        word="track source",
        group=Group.THING,
        title="what a track carries: MICROPHONE, CAMERA, …",
        meaning="LiveKit's sources: MICROPHONE, CAMERA, SCREEN_SHARE and SCREEN_SHARE_AUDIO.",
        mistake="An agent hears a caller's MICROPHONE only, unless its session is told otherwise.",
        sources=(protocol("protobufs/livekit_models.proto"),),
        related=("track", "track.published"),
        aliases=("MICROPHONE", "CAMERA", "SCREEN_SHARE", "SCREEN_SHARE_AUDIO"),
    ),
    Entry(
        word="job type",
        group=Group.THING,
        title="for what a worker gets a job",
        meaning=(
            "JT_ROOM: for a room. JT_PARTICIPANT: for each participant in it. JT_PUBLISHER: for each that publishes a"
            " track."
        ),
        sources=(protocol("protobufs/livekit_agent.proto"),),
        related=("job", "worker"),
        aliases=("JT_ROOM", "JT_PARTICIPANT", "JT_PUBLISHER"),
    ),
    Entry(
        word="shutdown reason",
        group=Group.THING,
        title="why a job shuts down",
        meaning=(
            "In livekit-agents' words: `room disconnected`: the room closed, or the agent was taken from it."
            " `parent process shutdown`: its worker stops, or the server had the worker end it. `job crashed`: its"
            " entrypoint raised. Any other is what your code gave to `ctx.shutdown()`."
        ),
        sources=(agents("ipc/job_proc_lazy_main.py"),),
        related=("job.shutdown", "job.ended"),
        aliases=("room disconnected", "parent process shutdown", "job crashed"),
    ),
    Entry(
        word="room_connect",
        group=Group.THING,
        title="an agent's connection to its room",
        meaning="`ctx.connect()` in the entrypoint, or `session.start()` in its place, until the agent is in the room.",
        related=("agent.connecting", "agent.connected"),
        aliases=("ctx.connect", "connect"),
    ),
    Entry(
        word="trace",
        group=Group.THING,
        title="a room's spans in Jaeger",
        meaning=(
            "All spans of one room under one id, which is made of the room's SID: tracer's own and the agents'. A span"
            " is one piece of work, with its start and its end."
        ),
        related=("room", "moment"),
        aliases=("span", "trace id"),
    ),
    Entry(
        word="pseudonym",
        group=Group.THING,
        title="what stands for a name",
        meaning=(
            "`identity-1c02ab9e` or `room-77d0e3f1` in what an assistant is told, `caller-1` or `room-1` in a bundle:"
            " the same name always has the same one."
        ),
        related=("identity", "room"),
    ),
)


def things() -> Iterator[Entry]:
    """What there is, in the order of a call."""
    yield from _THINGS
