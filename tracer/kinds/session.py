"""An agent's session, its audio and its models."""

from __future__ import annotations

from tracer.kinds.info import KindInfo

__all__ = ["SESSION"]

SESSION = {
    "session.starting": KindInfo(
        phrase="session starting",
        verb="began to start a session",
        meaning="`AgentSession.start()` began.",
        cause="The agent's own code.",
        following="The session is started.",
        reported={"agent": ""},
    ),
    "session.started": KindInfo(
        phrase="session started",
        verb="had started a session",
        meaning="`AgentSession.start()` is done: the agent listens and can speak.",
        cause="The session's models and audio are ready.",
        following="The conversation.",
        reported={"agent": ""},
    ),
    "session.linked": KindInfo(
        phrase="session linked",
        verb="linked its session",
        meaning="The session listens to this participant from now on.",
        cause="The first participant to come, `participant_identity` in the room options, or `set_participant()`.",
        following="The session waits for their audio track.",
        reported={"agent": "livekit-agents' span `agent_session`, event `participant_linked`"},
    ),
    "session.waiting_for_audio": KindInfo(
        phrase="session waits for audio",
        verb="began to wait for audio",
        meaning="The session waits for an audio track of the participant it is linked to.",
        cause="`session.start()`, or a new link.",
        following="The track is subscribed, and its first frame arrives.",
        reported={"agent": "livekit-agents' span `wait_for_audio_track`"},
    ),
    "session.track_subscribed": KindInfo(
        phrase="audio track subscribed",
        verb="subscribed to an audio track",
        meaning="The agent is subscribed to that track.",
        cause="The participant published it.",
        following="Its first frame arrives.",
        reported={"agent": "livekit-agents' span `wait_for_audio_track`"},
    ),
    "session.audio_received": KindInfo(
        phrase="session hears the participant",
        verb="received audio",
        meaning="The first audio frame arrived: the session hears the participant. In Node: they began to speak.",
        cause="The participant's microphone.",
        following="The caller speaks, and the agent answers.",
        reported={"agent": "livekit-agents' span `wait_for_audio_track`, event `first_frame`; in Node `user_speaking`"},
    ),
    "session.audio_published": KindInfo(
        phrase="agent has a voice",
        verb="published its audio",
        meaning="The agent's own audio track is published: the others can hear it.",
        cause="`session.start()`.",
        following="The agent can speak.",
        reported={"agent": "livekit-agents' span `publish_audio_output`"},
    ),
    "session.audio_failed": KindInfo(
        phrase="agent has no voice",
        verb="failed to publish its audio",
        meaning="The agent's audio track could not be published: nobody hears it.",
        cause="A missing permission, or lost signalling.",
        following="The agent stays silent.",
        reported={"agent": "livekit-agents' span `publish_audio_output`"},
    ),
    "model.asked": KindInfo(
        phrase="model asked",
        verb="asked its model",
        meaning="The session asked its language model for an answer.",
        cause="The caller's turn ended, or the agent's code asked for a reply.",
        following="The first token of the answer.",
        reported={"agent": "livekit-agents' span `llm_node`"},
    ),
    "model.answered": KindInfo(
        phrase="model answered",
        verb="got an answer from its model",
        meaning="The first token of the answer arrived.",
        cause="The model.",
        following="The agent speaks.",
        reported={"agent": "livekit-agents' span `llm_node`"},
    ),
    "model.gave_no_answer": KindInfo(
        phrase="no answer from the model",
        verb="got no answer from its model",
        meaning="The session stopped waiting for an answer before its first token.",
        cause="The caller spoke again, or left, before the model answered.",
        following="The next turn.",
        reported={"agent": "livekit-agents' span `llm_node`"},
    ),
    "model.failed": KindInfo(
        phrase="model failed",
        verb="had a model fail",
        meaning="A model (LLM, TTS, STT), or the agent's `on_enter`, raised.",
        cause="The model's provider, a wrong key, or a bug.",
        following="No answer; after several failures the session closes.",
        reported={"agent": "livekit-agents' span that failed"},
    ),
    "session.agent_changed": KindInfo(
        phrase="agent handed over",
        verb="was handed over",
        meaning="One `Agent` of the session handed the conversation over to another.",
        cause="A tool that returned an agent, or `session.update_agent()`.",
        following="The new agent's `on_enter`.",
        reported={"agent": "livekit-agents' span `update_agent`"},
    ),
    "session.closed": KindInfo(
        phrase="session closed",
        verb="closed a session",
        meaning="The agent's session ended; the job need not end with it.",
        cause="Its linked participant left, an error, or the job shuts down.",
        following="The job shuts down, or stays in the room.",
        reported={"agent": ""},
    ),
    "session.unlinked": KindInfo(
        phrase="linked participant left",
        verb="lost the participant of its session",
        meaning="The participant that the session listened to left.",
        cause="The participant hung up or lost the connection.",
        following="The session closes (`close_on_disconnect`) or is linked to whoever comes next.",
        reported={"agent": "livekit-agents' span `agent_session`, event `participant_disconnected`"},
    ),
}
"""By slug."""
