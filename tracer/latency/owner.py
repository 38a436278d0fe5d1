"""Who spends the time between two steps, and what can be done about it."""

from __future__ import annotations

from tracer.labelled import Labelled
from tracer.moment import Kind
from tracer.why.node_words import in_node

__all__ = ["SPENDS", "Owner", "advice", "meanwhile"]


class Owner(Labelled):
    """Who spends the time of a gap; what they do meanwhile is in ``SPENDS``."""

    SERVER = "livekit_server", "LiveKit server"
    WORKER = "worker", "worker"
    PROCESS = "process_start", "process start"
    CODE = "your_code", "your code"
    NETWORK = "network", "network"
    SESSION = "session_start", "session start"
    CALLER = "caller", "caller"
    SETTING = "setting", "a setting"
    UNKNOWN = "unknown", "unknown"


SPENDS = {
    Owner.SERVER: "It collects workers' bids for 200 ms, assigns, and announces participants to each other.",
    Owner.WORKER: (
        "livekit-agents on the worker's machine: it hands the job to a process that is ready, and connects to the"
        " server until JOINING, before any media."
    ),
    Owner.PROCESS: (
        "A process is made for the job, or takes it over; where its `setup_fnc` was not reported, with that."
    ),
    Owner.CODE: "`request_fnc`, `setup_fnc`, the entrypoint.",
    Owner.NETWORK: "Signalling and media between two machines.",
    Owner.SESSION: "livekit-agents starts the session, and the models their connections.",
    Owner.CALLER: "They are not there yet.",
    Owner.SETTING: "A fixed wait that a setting, or how it is used, decides.",
    Owner.UNKNOWN: "Several of the others: what lies between them was not seen.",
}
"""What each spends the time with."""


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

_MEANWHILE: dict[tuple[str, Kind], str] = {
    (Owner.SERVER, Kind.DISPATCH_CREATED): "The server creates the room and, within it, its dispatches.",
    (Owner.SERVER, Kind.JOB_OFFERED): (
        "The server asks its nodes which has a worker for the agent, waits about 200 ms for the answers, however idle"
        " they are, and chooses a worker."
    ),
    (Owner.CODE, Kind.JOB_OFFERED): (
        "Another worker's `request_fnc` was asked first, and did not answer; or answered so late."
    ),
    (Owner.NETWORK, Kind.JOB_RECEIVED): "The offer travels from the server to the worker.",
    (Owner.CODE, Kind.JOB_REJECTED): "The worker's `request_fnc` decides to refuse.",
    (Owner.WORKER, Kind.JOB_REJECTED): "The worker refuses without asking your code: it is full, or draining.",
    (Owner.CODE, Kind.JOB_ACCEPTED): "The worker's `request_fnc` decides; without one, livekit-agents accepts at once.",
    (Owner.SERVER, Kind.JOB_ASSIGNED): "The answer travels to the server, which assigns the job with a token.",
    (Owner.PROCESS, Kind.PROCESS_STARTED): (
        "No idle process was ready: one is started, and imports what the agent imports."
    ),
    (Owner.CODE, Kind.PROCESS_READY): "The new process runs your `setup_fnc`.",
    (Owner.WORKER, Kind.JOB_PROCESS_ASSIGNED): "The worker hands the job to the process that is ready now.",
    (Owner.PROCESS, Kind.JOB_PROCESS_ASSIGNED): "The job waits for a process: not at all where an idle one is ready.",
    (Owner.PROCESS, Kind.JOB_ENTRYPOINT_STARTED): "The process takes the job over and calls your entrypoint.",
    (Owner.CODE, Kind.AGENT_CONNECTING): "Your entrypoint runs what comes before `ctx.connect()`.",
    (Owner.SESSION, Kind.AGENT_CONNECTING): "`session.start()` runs, and has not begun to connect.",
    (Owner.WORKER, Kind.PARTICIPANT_JOINING): (
        "The agent opens its signalling connection: DNS, TLS and a WebSocket; there is no media yet."
    ),
    (Owner.CALLER, Kind.PARTICIPANT_JOINING): "The agent waits, and the caller has not joined.",
    (Owner.NETWORK, Kind.AGENT_CONNECTED): "The media path is negotiated: ICE and DTLS, several round trips.",
    (Owner.NETWORK, Kind.PARTICIPANT_ACTIVE): "The media path is negotiated: ICE and DTLS, several round trips.",
    (Owner.CODE, Kind.AGENT_WAITING_FOR_PARTICIPANT): "Your entrypoint runs what comes before the wait.",
    (Owner.SETTING, Kind.TRACK_PUBLISHED): (
        "The caller is ACTIVE and has published nothing: the server announces such a one in batches, 3 s apart."
    ),
    (Owner.SETTING, Kind.AGENT_PARTICIPANT_READY): (
        "The caller is ACTIVE and has published nothing: the server announces such a one in batches, 3 s apart."
    ),
    (Owner.SERVER, Kind.AGENT_PARTICIPANT_READY): "The server announces the caller to the agent.",
    (Owner.CODE, Kind.SESSION_STARTING): "Your entrypoint runs what comes before `session.start()`.",
    (Owner.SESSION, Kind.SESSION_STARTED): (
        "`session.start()` runs: livekit-agents sets up audio, and the models open their connections."
    ),
}


def meanwhile(owner: str, end: Kind) -> str:
    """What this owner does in the time up to a step of this kind; where nothing special is known, what it ever does."""
    return _MEANWHILE.get((owner, end)) or SPENDS[Owner(owner)]


def advice(owner: str, end: Kind, *, is_node: bool = False) -> str:
    """What can be done about the time that this owner spends up to a step of this kind; empty where nothing can.

    In Node's words where the agent is one in Node.
    """
    found = _ADVICE.get((owner, end), "")
    return in_node(found) if is_node else found
