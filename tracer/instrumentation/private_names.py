"""The names of livekit-agents that tracer uses and livekit-agents does not promise to keep.

A new version of livekit-agents is checked against this list: without one of them, less is reported and nothing fails.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CHECKED_WITH", "PRIVATE_NAMES", "PrivateName"]

CHECKED_WITH = "1.8.9"
"""The version of livekit-agents in which all of them are there."""


class PrivateName(NamedTuple):
    """One name, and what for."""

    module: str
    """The module of ``livekit.agents`` in which it is defined."""
    owner: str
    """The class that has it; empty for the module itself."""
    name: str
    why: str


PRIVATE_NAMES = (
    PrivateName("worker", "AgentServer", "_handle_availability", "called for each job that the server offers"),
    PrivateName("worker", "AgentServer", "_answer_availability", "raises where load_fnc does, and no answer is sent"),
    PrivateName("worker", "AgentServer", "_queue_msg", "called for each message to the server: answers and status"),
    PrivateName("worker", "AgentServer", "_request_fnc", "the user's request_fnc: when it accepts, what it raises"),
    PrivateName("worker", "AgentServer", "_agent_name", "the agent name that the worker registers with"),
    PrivateName("worker", "AgentServer", "_server_type", "the job type that the worker registers for"),
    PrivateName("worker", "AgentServer", "_get_effective_load", "the load that is compared with the threshold"),
    PrivateName("worker", "AgentServer", "_reserved_slots", "how many jobs on their way that load counts"),
    PrivateName("worker", "AgentServer", "_run_ws", "runs as long as a connection, and raises when it breaks"),
    PrivateName("worker", "AgentServer", "_ws_url", "the server that the worker registers with"),
    PrivateName("worker", "AgentServer", "_deployment", "the deployment that the worker registers for"),
    PrivateName("worker", "AgentServer", "_draining", "whether it drains, where there is no property for it: in 1.3"),
    PrivateName(
        "worker", "AgentServer", "_setup_fnc", "the user's setup_fnc, where there is no property for it: in 1.3.1"
    ),
    PrivateName("worker", "AgentServer", "_proc_pool", "the pool whose event process_closed reports a failed process"),
    PrivateName("worker", "", "_default_request_fnc", "what answers where the user has no request_fnc"),
    PrivateName("job", "JobRequest", "_on_accept", "called by accept(): when it was called, whether the job started"),
    PrivateName("ipc.supervised_proc", "SupervisedProc", "_initialize_fut", "why a process did not come up"),
    PrivateName("voice.io", "AgentInput", "_audio_changed", "the session whose audio it is; AgentOutput has the same"),
    PrivateName("voice.room_io", "RoomIO", "_agent_session", "the session that it links to a participant"),
    PrivateName("voice.agent_session", "AgentSession", "_closing", "whether the session takes its audio away itself"),
    PrivateName("voice.audio_recognition", "AudioRecognition", "_update_stt", "begins to run the agent's stt_node"),
    PrivateName(
        "voice.agent_activity", "AgentActivity", "_user_turn_completed_task", "logs what the agent's own raised"
    ),
    PrivateName("telemetry.traces", "_DynamicTracer", "_tracer_provider", "the provider that is set already"),
    PrivateName("telemetry.traces", "_DynamicTracer", "_tracer", "the user's tracer, which makes the spans of a job"),
    PrivateName("telemetry.traces", "", "_install_pii_redaction", "leaves out personal data where settings want that"),
)
"""What a new version of livekit-agents is checked for, name by name."""
