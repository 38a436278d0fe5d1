"""Who spends the time between two steps, and what can be done about it."""

from __future__ import annotations

from tracer.labelled import Labelled
from tracer.moment import Kind
from tracer.why.node_words import in_node

__all__ = ["Owner", "advice"]


class Owner(Labelled):
    """Who spends the time of a gap."""

    SERVER = "livekit_server", "LiveKit server"
    """It collects workers' bids for 200 ms, assigns, and announces participants to each other."""
    WORKER = "worker", "worker"
    """livekit-agents on the worker's machine: it hands the job to a process that is ready, and connects to the server
    until JOINING, before any media."""
    PROCESS = "process_start", "process start"
    """A process is made for the job, or takes it over; where its ``setup_fnc`` was not reported, with that."""
    CODE = "your_code", "your code"
    """request_fnc, setup_fnc, the entrypoint."""
    NETWORK = "network", "network"
    """Signalling and media between two machines."""
    SESSION = "session_start", "session start"
    """livekit-agents starts the session, and the models their connections."""
    CALLER = "caller", "caller"
    """They are not there yet."""
    SETTING = "setting", "a setting"
    """A fixed wait that a setting, or how it is used, decides."""
    UNKNOWN = "unknown", "unknown"
    """Several of the others: what lies between them was not seen."""


_ANSWER = "answer at once in request_fnc: what takes long belongs in the entrypoint"
_IDLE = "keep processes warm: num_idle_processes, 1 or more, and more than the calls that come at once"
_NEAR = "run the agent near the LiveKit server, and see that media needs no fallback to TCP or TURN"
_CPU = "see that the agent's machine has CPU to spare, and reaches the LiveKit server quickly (DNS, TLS, a proxy)"
_LOAD = "load models in setup_fnc; the spans below session_start show what takes long"
_SPEAK = "have the caller publish a track as soon as they join: without one they are announced up to 3 s late"
_ADVICE: dict[tuple[str, Kind], str] = {
    (Owner.NETWORK, Kind.JOB_RECEIVED): _NEAR,
    (Owner.CODE, Kind.JOB_OFFERED): _ANSWER,
    (Owner.CODE, Kind.JOB_REJECTED): _ANSWER,
    (Owner.CODE, Kind.JOB_ACCEPTED): _ANSWER,
    (Owner.PROCESS, Kind.PROCESS_STARTED): _IDLE,
    (Owner.CODE, Kind.PROCESS_READY): (
        "make setup_fnc shorter, or keep processes warm so that nobody waits for it: num_idle_processes"
    ),
    (Owner.PROCESS, Kind.JOB_PROCESS_ASSIGNED): _IDLE,
    (Owner.CODE, Kind.AGENT_CONNECTING): "connect first in the entrypoint, and do the rest afterwards",
    (Owner.WORKER, Kind.PARTICIPANT_JOINING): _CPU,
    (Owner.NETWORK, Kind.AGENT_CONNECTED): _NEAR,
    (Owner.CODE, Kind.AGENT_WAITING_FOR_PARTICIPANT): "wait for the participant as soon as you are connected",
    (Owner.SETTING, Kind.TRACK_PUBLISHED): _SPEAK,
    (Owner.SETTING, Kind.AGENT_PARTICIPANT_READY): _SPEAK,
    (Owner.CODE, Kind.SESSION_STARTING): (
        "do what takes long before the call (setup_fnc), beside the rest, or after the greeting"
    ),
    (Owner.SESSION, Kind.AGENT_CONNECTING): _LOAD,
    (Owner.SESSION, Kind.SESSION_STARTED): _LOAD,
}


def advice(owner: str, end: Kind, *, is_node: bool = False) -> str:
    """What can be done about the time that this owner spends up to a step of this kind; empty where nothing can.

    In Node's words where the agent is one in Node.
    """
    found = _ADVICE.get((owner, end), "")
    return in_node(found) if is_node else found
