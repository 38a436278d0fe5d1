"""What a pair of steps is called in a sentence. Text from outside is left as it came: a view makes it harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.clocks.offsets import SERVER
from tracer.moment import NS_PER_MS, NS_PER_S, Kind
from tracer.timeline.entities import Dispatch, Job, Participant, Room, Track
from tracer.view.json import rfc3339
from tracer.view.text import milliseconds

if TYPE_CHECKING:
    from tracer.clocks.offsets import Apart, Clocks
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["accounts", "did", "length", "name", "sentence", "uncertainty"]

_DID = {
    Kind.WORKER_REGISTERED: "was registered",
    Kind.WORKER_AVAILABLE: "was available again",
    Kind.WORKER_FULL: "was full",
    Kind.WORKER_DRAINING: "was draining",
    Kind.WORKER_CLOSED: "stopped",
    Kind.ROOM_CREATED: "was created",
    Kind.DISPATCH_CREATED: "was created",
    Kind.PARTICIPANT_JOINING: "was JOINING",
    Kind.PARTICIPANT_JOINED: "was JOINED",
    Kind.PARTICIPANT_ACTIVE: "was ACTIVE",
    Kind.PARTICIPANT_ABORTED: "gave up",
    Kind.PARTICIPANT_LEFT: "left",
    Kind.TRACK_PUBLISHED: "was published",
    Kind.TRACK_UNPUBLISHED: "was unpublished",
    Kind.JOB_OFFERED: "was offered",
    Kind.JOB_RECEIVED: "was received",
    Kind.JOB_ACCEPTED: "was accepted",
    Kind.JOB_REJECTED: "was rejected",
    Kind.JOB_TIMED_OUT: "timed out",
    Kind.JOB_ASSIGNED: "was assigned",
    Kind.PROCESS_STARTED: "began to set up its process",
    Kind.PROCESS_READY: "had its process set up",
    Kind.PROCESS_FAILED: "had its process fail",
    Kind.JOB_PROCESS_ASSIGNED: "was given a process",
    Kind.JOB_ENTRYPOINT_STARTED: "started its entrypoint",
    Kind.JOB_ENTRYPOINT_RETURNED: "returned from its entrypoint",
    Kind.AGENT_CONNECTING: "began to connect",
    Kind.AGENT_CONNECTED: "was connected",
    Kind.AGENT_WAITING_FOR_PARTICIPANT: "began to wait for a participant",
    Kind.AGENT_PARTICIPANT_READY: "had waited for a participant",
    Kind.SESSION_STARTING: "began to start a session",
    Kind.SESSION_STARTED: "had started a session",
    Kind.SESSION_CLOSED: "closed a session",
    Kind.ROOM_FINISHED: "was closed",
    Kind.JOB_SHUTDOWN: "began to shut down",
    Kind.AGENT_DISCONNECTED: "was disconnected",
    Kind.JOB_ENDED: "ended",
}


def name(timeline: Timeline, sid: str) -> str:
    """What a subject is called: what it is and its id, or who it is."""
    life = timeline.by_sid.get(sid)
    match life:
        case Room():
            return "the room"
        case Participant():
            return life.identity or f"participant {sid}"
        case Track():
            return f"{name(timeline, life.participant)}'s track {sid}" if life.participant else f"track {sid}"
        case Dispatch():
            return f"dispatch {sid}"
        case Job():
            return f"job {sid}"
        case _:
            return sid


def did(step: Step) -> str:
    """What happened to its subject."""
    return _DID[step.kind]


def sentence(timeline: Timeline, cause: Step, effect: Step, apart: Apart) -> str:
    """How long after the one step the other came; where that was not measured, by the clocks as they are."""
    same = cause.subject == effect.subject and not isinstance(timeline.by_sid.get(cause.subject), Participant)
    first = "it" if same else name(timeline, cause.subject)
    raw = effect.time - cause.time
    unknown = apart.least is None or apart.most is None
    between = f"{length(raw)} {_side(raw)}" if unknown else _between(apart.least or 0, apart.most or 0)
    said = f"{name(timeline, effect.subject)} {did(effect)} {between} {first} {did(cause)}"
    return f"{said}, each by its own clock" if unknown else said


def _between(least: int, most: int) -> str:
    if _side(least) == _side(most):
        near, far = sorted((abs(least), abs(most)))
        between = f"between {length(near)} and {length(far)}" if length(near) != length(far) else length(near)
        return f"{between} {_side(least)}"
    return f"between {length(least)} before and {length(most)} after"


def _side(ns: int) -> str:
    return "before" if ns < 0 else "after"


def length(ns: int) -> str:
    """A length of time without its sign, to the ms also where it is long."""
    ns = abs(ns)
    if ns < NS_PER_MS / 20:
        return f"{ns / 1000:.1f} µs"
    return milliseconds(ns / NS_PER_MS) if ns < 10 * NS_PER_S else f"{ns / NS_PER_S:,.3f} s"


def uncertainty(apart: Apart, clocks: Clocks, cause: Step, effect: Step) -> str:
    """Why the order of two steps cannot be told."""
    told_by = sorted(clocks.clocks_of(cause, effect) - {SERVER})
    unknown = [clock for clock in told_by if not clocks.offsets[clock].bounded]
    if unknown and (apart.least is None or apart.most is None):
        how = "contradicts itself" if clocks.offsets[unknown[0]].contradictory else "is not bounded"
        return f"how far the clock of the {unknown[0]} is ahead of the server's {how}"
    if apart.least is None or apart.most is None:
        return "no clock told both to the side that counts"
    return f"the times overlap: what is between them is told to {length(apart.most - apart.least)}"


def accounts(step: Step) -> str:
    """What each witness said of a step, as it said it."""
    told = (
        f"{moment.witness} by the {moment.clock}'s clock: {rfc3339(moment.earliest)} … {rfc3339(moment.latest)}"
        for moment in step.told
    )
    return f"{step.kind} {step.subject}: {'; '.join(told)}"
