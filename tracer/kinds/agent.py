"""An agent's connection to the room, and its own code."""

from __future__ import annotations

from tracer.kinds.info import KindInfo
from tracer.livekit_sources import Page, agents

__all__ = ["AGENT"]

AGENT = {
    "agent.connecting": KindInfo(
        phrase="agent connecting",
        verb="began to connect",
        meaning="`ctx.connect()` began.",
        cause="The agent's own code, or a session that connects by itself.",
        following="The agent is JOINING as a participant, in the middle of it.",
        reported={"agent": ""},
        mistake=(
            "Slow work before it: the room can close meanwhile, and the agent then makes a new one of that name,"
            " without a caller."
        ),
        said=(
            agents("job.py"),
            Page.JOB,
        ),
    ),
    "agent.connected": KindInfo(
        phrase="agent connected",
        verb="was connected",
        meaning="`ctx.connect()` returned.",
        cause="The server accepted the connection and the media path is up.",
        following="The agent waits for a participant or starts its session.",
        reported={"agent": ""},
        mistake="Connected is not ready: the agent answers once its session has started.",
        said=(agents("job.py"),),
    ),
    "agent.waiting_for_participant": KindInfo(
        phrase="agent waiting for participant",
        verb="began to wait for a participant",
        meaning="`wait_for_participant()` began.",
        cause="The agent's own code, or its session.",
        following="It returns with the first participant who is ACTIVE.",
        reported={"agent": ""},
        mistake="It has no limit of its own: it waits for ever for a participant who never is ACTIVE.",
        said=(
            agents("job.py"),
            agents("utils/participant.py"),
        ),
    ),
    "agent.participant_ready": KindInfo(
        phrase="participant ready",
        verb="had waited for a participant",
        meaning="`wait_for_participant()` returned: the agent can read the participant's attributes.",
        cause="A participant is ACTIVE and the agent knows of it.",
        following="The agent starts its session.",
        reported={"agent": ""},
        mistake=(
            "What is known of the caller is known from here on: instructions that were built before hold nothing of it."
        ),
        said=(
            agents("job.py"),
            agents("utils/participant.py"),
        ),
    ),
    "agent.wait_ended": KindInfo(
        phrase="wait for a participant ended with none",
        verb="had waited for a participant in vain",
        meaning="`wait_for_participant()` ended without a participant: it raised or was cancelled.",
        cause="The room closed, or the agent's code gave up.",
        following="The job fails or shuts down.",
        reported={"agent": "livekit-agents' span `wait_for_participant`"},
        said=(
            agents("job.py"),
            agents("utils/participant.py"),
        ),
    ),
    "agent.speaking": KindInfo(
        phrase="agent speaks",
        verb="began to speak",
        meaning="The agent began to speak.",
        cause="An answer, or `say()`.",
        following="The caller answers.",
        reported={"agent": "livekit-agents' span `agent_speaking`"},
        said=(agents("voice/agent_activity.py"),),
    ),
    "agent.speaks_silence": KindInfo(
        phrase="agent speaks silence",
        verb="spoke, and sent silence",
        meaning="By its session the agent spoke, and its audio tracks sent nothing but silence meanwhile.",
        cause="A TTS, or a `tts_node`, that gives silence, or an audio output that has stopped.",
        following="The agent says something that can be heard.",
        reported={"agent": "when it has lasted for 3, 6, 12 s and so on, or all the time that the agent spoke"},
        mistake="The agent's state is speaking, its track is published and its transcript has the words.",
        said=(agents("voice/room_io/_output.py"),),
    ),
    "agent.interrupted": KindInfo(
        phrase="agent interrupted",
        verb="was interrupted",
        meaning="A turn of the agent's ended before its end: it was interrupted.",
        cause="The caller spoke, or what was taken for it; `session.interrupt()`; or the end of the session.",
        following="The agent listens, and answers what was said.",
        reported={"agent": "livekit-agents' span `agent_turn`, with `lk.interrupted`"},
        mistake="An agent that hears its own voice interrupts itself: nothing in the call looks ill.",
        said=(
            agents("voice/agent_activity.py"),
            agents("voice/speech_handle.py"),
        ),
    ),
    "agent.code_began": KindInfo(
        phrase="agent's code runs",
        verb="began to run code of its own",
        meaning=(
            "A function tool, `on_user_turn_completed`, `on_enter` or `on_exit` began; the conversation waits for it."
        ),
        cause="The model called the tool, the caller's turn ended, or the agent took over.",
        following="It returns, and the agent answers.",
        reported={"agent": "livekit-agents' spans of these names"},
        mistake="While it runs the caller hears nothing: let the agent say something first, or give the code a limit.",
        said=(
            agents("voice/agent_activity.py"),
            agents("voice/generation.py"),
            Page.NODES,
        ),
    ),
    "agent.code_returned": KindInfo(
        phrase="agent's code returned",
        verb="had run code of its own",
        meaning="A function tool, `on_user_turn_completed`, `on_enter` or `on_exit` returned, raised or was cancelled.",
        cause="It is done, or the session closed.",
        following="The agent answers.",
        reported={"agent": "livekit-agents' spans of these names"},
        mistake=(
            "`on_enter` ends with an error when it raised, and also when a task in it was cancelled at hang-up, which"
            " is healthy."
        ),
        said=(
            agents("voice/agent_activity.py"),
            Page.NODES,
        ),
    ),
    "agent.task_raised": KindInfo(
        phrase="agent's own task raised",
        verb="had a task of its own raise",
        meaning="A task that the agent's own code had started raised, and nobody awaited it.",
        cause=(
            "The agent's own code: `asyncio.create_task()`, as for a greeting, or `ctx.add_participant_entrypoint()`."
        ),
        following="The call goes on without what the task had still to do.",
        reported={
            "agent": "when asyncio or livekit-agents writes a line of it: as soon as nobody has the task any more"
        },
        mistake=(
            "Nothing shows it but a line in the log: “Task exception was never retrieved”, or “error in participant"
            " entrypoint”."
        ),
        said=(Page.SESSIONS,),
    ),
    "agent.blocked": KindInfo(
        phrase="event loop blocked",
        verb="had its event loop blocked",
        meaning="The agent's event loop stood still for half a second or more: it neither heard nor spoke.",
        cause="Blocking code in the agent, or a machine without CPU to spare.",
        following="It goes on.",
        reported={"agent": "livekit-agents' span `event_loop_blocked`"},
        mistake=(
            "One blocking call (`time.sleep`, loading a model, a client that is not async) stops all of the job, its"
            " audio too."
        ),
        said=(agents("telemetry/loop_monitor.py"),),
    ),
    "agent.stalled": KindInfo(
        phrase="event loop does not run",
        verb="had an event loop that did not run",
        meaning="The agent's event loop stands still, and has for 2 s or more: it neither hears nor speaks.",
        cause="Blocking code in the agent, or a machine without CPU to spare.",
        following="It goes on, and the whole is reported as `agent.blocked`.",
        reported={"agent": "while it lasts"},
        mistake=(
            "One blocking call (`time.sleep`, loading a model, a client that is not async) stops all of the job, its"
            " audio too."
        ),
        said=(agents("telemetry/loop_monitor.py"),),
    ),
    "agent.deleting_room": KindInfo(
        phrase="agent deletes the room",
        verb="began to delete the room",
        meaning="The agent's job asked to delete its own room: `ctx.delete_room()`, or the API's `delete_room()`.",
        cause="The agent's own code, a tool that ends the call, or `delete_room_on_close`: the agent hangs up.",
        following="Everybody is disconnected, ROOM_DELETED.",
        reported={"agent": ""},
        mistake="Callers who are to go on talking to each other are disconnected too.",
        said=(
            agents("job.py"),
            Page.JOB,
        ),
    ),
    "agent.removing_participant": KindInfo(
        phrase="agent removes a participant",
        verb="began to remove a participant",
        meaning="The agent's job asked the API to remove somebody from its own room (`remove_participant()`).",
        cause="The agent's own code: it hangs up, or has transferred a telephone call.",
        following="They are disconnected, PARTICIPANT_REMOVED.",
        reported={"agent": ""},
        said=(Page.PARTICIPANTS,),
    ),
    "agent.media_stopped": KindInfo(
        phrase="no media reaches the agent",
        verb="got nothing more of the server",
        meaning="For 5 s nothing of the server reached the agent, no answer to its connection's checks either.",
        cause="A server that stands still, or the network between it and the agent.",
        following="Media flows again, or the agent reconnects, some 15 s after it began.",
        reported={"agent": "by the statistics of the tracks that the agent is subscribed to"},
        mistake="The room is called connected and its tracks subscribed all the while, and no event tells of it.",
        said=(agents("voice/room_io/room_io.py"),),
    ),
    "agent.media_back": KindInfo(
        phrase="media reaches the agent again",
        verb="got something of the server again",
        meaning="Something of the server reached the agent, after nothing had.",
        cause="The server goes on, or the network has recovered.",
        following="The call goes on.",
        reported={"agent": "by the statistics of the tracks that the agent is subscribed to"},
        said=(agents("voice/room_io/room_io.py"),),
    ),
    "agent.reconnecting": KindInfo(
        phrase="agent reconnecting",
        verb="was reconnecting",
        meaning="The agent lost its connection to the room and tries to get it back.",
        cause="The network, or a restart of the server.",
        following="It is reconnected, or gives up after about 15 s.",
        reported={"agent": "livekit-agents' span `agent_session`, event `connection_state_changed`"},
        said=(agents("voice/room_io/room_io.py"),),
    ),
    "agent.reconnected": KindInfo(
        phrase="agent reconnected",
        verb="was reconnected",
        meaning="The agent has its connection to the room back.",
        cause="The network recovered.",
        following="The call goes on.",
        reported={"agent": "livekit-agents' span `agent_session`, event `connection_state_changed`"},
        said=(agents("voice/room_io/room_io.py"),),
    ),
    "agent.connection_lost": KindInfo(
        phrase="agent gave up reconnecting",
        verb="gave up reconnecting",
        meaning="The agent could not get its connection to the room back.",
        cause="The network.",
        following="Its job shuts down.",
        reported={"agent": "livekit-agents' span `agent_session`, event `connection_state_changed`"},
        mistake="The caller stays in the room, without an agent.",
        said=(agents("voice/room_io/room_io.py"),),
    ),
    "agent.disconnected": KindInfo(
        phrase="agent disconnected",
        verb="was disconnected",
        meaning="The agent closed its own connection to the room.",
        cause="The job's shutdown.",
        following="The job ends.",
        reported={"agent": ""},
        said=(agents("ipc/job_proc_lazy_main.py"),),
    ),
}
"""By slug."""
