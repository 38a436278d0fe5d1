"""An agent's session, its audio and its models."""

from __future__ import annotations

from tracer.kinds.info import KindInfo
from tracer.livekit_sources import Page, agents

__all__ = ["SESSION"]

SESSION = {
    "session.starting": KindInfo(
        phrase="session starting",
        verb="began to start a session",
        meaning="`AgentSession.start()` began.",
        cause="The agent's own code.",
        following="The session is started.",
        reported={"agent": ""},
        mistake="The instructions are those of now: what is learnt of the caller later needs `update_instructions()`.",
        said=(
            agents("voice/agent_session.py"),
            Page.SESSIONS,
        ),
    ),
    "session.started": KindInfo(
        phrase="session started",
        verb="had started a session",
        meaning="`AgentSession.start()` is done: the agent listens and can speak.",
        cause="The session's models and audio are ready.",
        following="The conversation.",
        reported={"agent": ""},
        mistake="A session says nothing by itself: greet in `on_enter`, or with `session.generate_reply()` after it.",
        said=(
            agents("voice/agent_session.py"),
            Page.SESSIONS,
        ),
    ),
    "session.linked": KindInfo(
        phrase="session linked",
        verb="linked its session",
        meaning="The session listens to this participant from now on.",
        cause="The first participant to come, `participant_identity` in the room options, or `set_participant()`.",
        following="The session waits for their audio track.",
        reported={"agent": "livekit-agents' span `agent_session`, event `participant_linked`"},
        mistake="A session listens to one participant: the first to come, unless it is told another.",
        said=(
            agents("voice/room_io/room_io.py"),
            Page.PARTICIPANTS,
        ),
    ),
    "session.waiting_for_audio": KindInfo(
        phrase="session waits for audio",
        verb="began to wait for audio",
        meaning="The session waits for an audio track of the participant it is linked to.",
        cause="`session.start()`, or a new link.",
        following="The track is subscribed, and its first frame arrives.",
        reported={"agent": "livekit-agents' span `wait_for_audio_track`"},
        mistake="A session of text only has no such wait.",
        said=(agents("voice/room_io/_input.py"),),
    ),
    "session.track_subscribed": KindInfo(
        phrase="audio track subscribed",
        verb="subscribed to an audio track",
        meaning="The agent is subscribed to that track.",
        cause="The participant published it.",
        following="Its first frame arrives.",
        reported={"agent": "livekit-agents' span `wait_for_audio_track`"},
        said=(agents("voice/room_io/_input.py"),),
    ),
    "session.audio_received": KindInfo(
        phrase="session hears the participant",
        verb="received audio",
        meaning="The first audio frame arrived: the session hears the participant. In Node: they began to speak.",
        cause="The participant's microphone.",
        following="The caller speaks, and the agent answers.",
        reported={"agent": "livekit-agents' span `wait_for_audio_track`, event `first_frame`; in Node `user_speaking`"},
        mistake="Frames that are encrypted end to end arrive too, and cannot be decoded without the key.",
        said=(agents("voice/room_io/_input.py"),),
    ),
    "session.audio_published": KindInfo(
        phrase="agent has a voice",
        verb="published its audio",
        meaning="The agent's own audio track is published: the others can hear it.",
        cause="`session.start()`.",
        following="The agent can speak.",
        reported={"agent": "livekit-agents' span `publish_audio_output`"},
        said=(agents("voice/room_io/_output.py"),),
    ),
    "session.audio_failed": KindInfo(
        phrase="agent has no voice",
        verb="failed to publish its audio",
        meaning="The agent's audio track could not be published: nobody hears it.",
        cause="A missing permission, or lost signalling.",
        following="The agent stays silent.",
        reported={"agent": "livekit-agents' span `publish_audio_output`"},
        mistake="The session goes on all the same, without a voice.",
        said=(agents("voice/room_io/_output.py"),),
    ),
    "session.audio_input_off": KindInfo(
        phrase="audio input turned off",
        verb="turned its audio input off",
        meaning="`session.input.set_audio_enabled(False)`, `.audio = None`, or `unset_participant()`: it hears nobody.",
        cause="The agent's own code: push-to-talk, a pause, a hand-over to a person.",
        following="The same with True, when the agent is to hear again.",
        reported={"agent": ""},
        mistake="The track stays subscribed and its frames come: no span shows that the session drops them.",
        said=(agents("voice/io.py"),),
    ),
    "session.audio_input_on": KindInfo(
        phrase="audio input turned on",
        verb="turned its audio input on",
        meaning="`session.input.set_audio_enabled(True)`, after it was off: the session hears again.",
        cause="The agent's own code, as when the caller holds a button.",
        following="The caller speaks.",
        reported={"agent": ""},
        said=(agents("voice/io.py"),),
    ),
    "session.audio_output_off": KindInfo(
        phrase="audio output turned off",
        verb="turned its audio output off",
        meaning="`output.set_audio_enabled(False)` or `.audio = None`: the agent says nothing; its track stays.",
        cause="The agent's own code: it answers in writing, or a person has taken over.",
        following="The same with True, when the agent is to speak again.",
        reported={"agent": ""},
        mistake="The agent's track stays published: nobody else can tell.",
        said=(agents("voice/io.py"),),
    ),
    "session.audio_output_on": KindInfo(
        phrase="audio output turned on",
        verb="turned its audio output on",
        meaning="`session.output.set_audio_enabled(True)`, after it was off: the agent can speak again.",
        cause="The agent's own code.",
        following="The agent speaks.",
        reported={"agent": ""},
        said=(agents("voice/io.py"),),
    ),
    "model.asked": KindInfo(
        phrase="model asked",
        verb="asked its model",
        meaning="The session asked its language model for an answer.",
        cause="The caller's turn ended, or the agent's code asked for a reply.",
        following="The first token of the answer.",
        reported={"agent": "livekit-agents' span `llm_node`"},
        said=(
            agents("voice/agent_activity.py"),
            Page.NODES,
        ),
    ),
    "model.answered": KindInfo(
        phrase="model answered",
        verb="got an answer from its model",
        meaning="The first token of the answer arrived.",
        cause="The model.",
        following="The agent speaks.",
        reported={"agent": "livekit-agents' span `llm_node`"},
        mistake="It is the first token and not the first sound: speech has to be made of it.",
        said=(
            agents("voice/generation.py"),
            Page.NODES,
        ),
    ),
    "model.gave_no_answer": KindInfo(
        phrase="no answer from the model",
        verb="got no answer from its model",
        meaning="The session stopped waiting for an answer before its first token.",
        cause="The caller spoke again, or left, before the model answered.",
        following="The next turn.",
        reported={"agent": "livekit-agents' span `llm_node`"},
        mistake="It need not be a fault: a caller who goes on speaking interrupts it.",
        said=(agents("voice/generation.py"),),
    ),
    "model.failed": KindInfo(
        phrase="model failed",
        verb="had a model fail",
        meaning="A model (LLM, TTS, STT), or the agent's `on_enter` or `on_user_turn_completed`, raised.",
        cause="The model's provider, a wrong key, or a bug.",
        following="No answer; after several failures the session closes.",
        reported={"agent": "livekit-agents' span that failed"},
        mistake=(
            "When the session closes after several failures, the job and its agent stay in the room without a word."
        ),
        said=(
            agents("voice/agent_session.py"),
            agents("voice/agent_activity.py"),
        ),
    ),
    "session.agent_changed": KindInfo(
        phrase="agent handed over",
        verb="was handed over",
        meaning="One `Agent` of the session handed the conversation over to another.",
        cause="A tool that returned an agent, or `session.update_agent()`.",
        following="The new agent's `on_enter`.",
        reported={"agent": "livekit-agents' span `update_agent`"},
        mistake="It is another `Agent` of the same session: no other participant and no other job.",
        said=(
            agents("voice/agent_session.py"),
            Page.WORKFLOWS,
        ),
    ),
    "session.closed": KindInfo(
        phrase="session closed",
        verb="closed a session",
        meaning="The agent's session ended; the job need not end with it.",
        cause="Its linked participant left, an error, or the job shuts down.",
        following="The job shuts down, or stays in the room.",
        reported={"agent": ""},
        mistake=(
            "The job goes on, and its agent stays in the room without a word, until the room closes or the job is"
            " shut down."
        ),
        said=(
            agents("voice/agent_session.py"),
            agents("voice/room_io/room_io.py"),
        ),
    ),
    "session.unlinked": KindInfo(
        phrase="linked participant left",
        verb="lost the participant of its session",
        meaning="The participant that the session listened to left.",
        cause="The participant hung up or lost the connection.",
        following="The session closes (`close_on_disconnect`) or is linked to whoever comes next.",
        reported={"agent": "livekit-agents' span `agent_session`, event `participant_disconnected`"},
        mistake="With `close_on_disconnect` off the session does not turn to somebody who is in the room already.",
        said=(
            agents("voice/room_io/room_io.py"),
            Page.PARTICIPANTS,
        ),
    ),
}
"""By slug."""
