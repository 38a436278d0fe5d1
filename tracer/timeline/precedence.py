"""What must come before what, as far as LiveKit guarantees it.

The one list of these pairs: the fold orders by it what time cannot tell apart, and ``check`` judges by it.
Source: livekit-server v1.13.5 and livekit-agents 1.8.9.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import BY_WORKER, Kind
from tracer.timeline.entities import Shutdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.timeline.step import Step

__all__ = ["must_precede"]

_WITHIN_ONE_SUBJECT = (
    (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_ACTIVE, Kind.PARTICIPANT_LEFT),
    (Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_ABORTED),
    (Kind.TRACK_PUBLISHED, Kind.TRACK_UNPUBLISHED),
    (Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED, Kind.JOB_TIMED_OUT),
    (Kind.JOB_RECEIVED, Kind.JOB_REJECTED),
    (Kind.PROCESS_STARTED, Kind.PROCESS_READY, Kind.JOB_PROCESS_ASSIGNED),
    (
        Kind.JOB_OFFERED,
        Kind.JOB_ASSIGNED,
        Kind.JOB_PROCESS_ASSIGNED,
        Kind.JOB_ENTRYPOINT_STARTED,
        Kind.AGENT_CONNECTING,
        Kind.AGENT_CONNECTED,
        Kind.AGENT_DISCONNECTED,
        Kind.JOB_ENDED,
    ),
    (Kind.JOB_ENTRYPOINT_STARTED, Kind.JOB_ENTRYPOINT_RETURNED, Kind.JOB_ENDED),
    (Kind.JOB_ENTRYPOINT_STARTED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED),
    (Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_PARTICIPANT_READY),
    (Kind.SESSION_STARTING, Kind.SESSION_STARTED, Kind.SESSION_CLOSED),
)
"""Chains of kinds of one subject and, where there can be several, one occurrence. A missing link is skipped."""

_TOLD_BY_THE_SERVER = (
    Kind.DISPATCH_CREATED,
    Kind.PARTICIPANT_JOINING,
    Kind.PARTICIPANT_JOINED,
    Kind.PARTICIPANT_ACTIVE,
    Kind.PARTICIPANT_LEFT,
    Kind.PARTICIPANT_ABORTED,
    Kind.TRACK_PUBLISHED,
    Kind.TRACK_UNPUBLISHED,
    Kind.JOB_OFFERED,
)
"""Kinds that happen on the server, and so between the room's creation and its end."""

_REPEATABLE = {
    *BY_WORKER,
    Kind.AGENT_CONNECTING,
    Kind.AGENT_WAITING_FOR_PARTICIPANT,
    Kind.AGENT_PARTICIPANT_READY,
    Kind.SESSION_STARTING,
    Kind.SESSION_STARTED,
    Kind.SESSION_CLOSED,
}


_ANSWERED = (Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED)
"""What comes of a worker's yes, in order."""


def must_precede(steps: Iterable[Step]) -> Iterator[tuple[Step, Step]]:
    """Pairs of steps of which the first cannot have come after the second."""
    by_subject: dict[tuple[str, str], dict[Kind, Step]] = defaultdict(dict)
    by_kind: dict[Kind, list[Step]] = defaultdict(list)
    for step in steps:
        occurrence = step.occurrence if step.kind in _REPEATABLE else ""
        by_subject[step.subject, occurrence][step.kind] = step
        by_kind[step.kind].append(step)

    for known in by_subject.values():
        for chain in _WITHIN_ONE_SUBJECT:
            yield from pairwise(known[kind] for kind in chain if kind in known)

    for created in by_kind[Kind.ROOM_CREATED]:
        for kind in _TOLD_BY_THE_SERVER:
            for step in by_kind[kind]:
                yield created, step
    for finished in by_kind[Kind.ROOM_FINISHED]:
        for kind in (Kind.ROOM_CREATED, *_TOLD_BY_THE_SERVER):
            for step in by_kind[kind]:
                yield step, finished

    for asked in (*by_kind[Kind.JOB_RECEIVED], *by_kind[Kind.JOB_ACCEPTED]):
        job = by_subject[asked.subject, ""]
        if Kind.JOB_OFFERED in job and asked.kind is Kind.JOB_RECEIVED:
            yield job[Kind.JOB_OFFERED], asked
        # What nobody told is passed over: whatever came of the answer came after it.
        assigned = next((job[kind] for kind in _ANSWERED if kind in job), None)
        # Several workers can have been asked; it was given to one.
        if assigned and asked.occurrence in ("", assigned.facts.get(keys.WORKER_ID)):
            yield asked, assigned

    dispatched = {step.subject: step for step in by_kind[Kind.DISPATCH_CREATED]}
    for offered in by_kind[Kind.JOB_OFFERED]:
        dispatch = dispatched.get(str(offered.facts.get(keys.DISPATCH_ID)))
        if dispatch is not None:
            yield dispatch, offered

    joining = {step.subject: step for step in by_kind[Kind.PARTICIPANT_JOINING]}
    for published in by_kind[Kind.TRACK_PUBLISHED]:
        publisher = joining.get(str(published.facts.get(keys.PARTICIPANT_ID)))
        if publisher is not None:
            yield publisher, published
    left = {step.subject: step for step in by_kind[Kind.PARTICIPANT_LEFT]}
    for connected in by_kind[Kind.AGENT_CONNECTED]:
        gone = left.get(str(connected.facts.get(keys.PARTICIPANT_ID)))
        shutdown = by_subject[connected.subject, ""].get(Kind.JOB_SHUTDOWN)
        # The user's code can have left the room by itself, and the job shuts down for that.
        by_shutdown = shutdown and shutdown.facts.get(keys.SHUTDOWN_REASON) != Shutdown.ROOM_GONE
        if gone and shutdown and by_shutdown and gone.facts.get(keys.DISCONNECT_REASON) == "CLIENT_INITIATED":
            yield shutdown, gone
        agent = joining.get(str(connected.facts.get(keys.PARTICIPANT_ID)))
        if agent is None:
            continue
        yield agent, connected
        connecting = by_subject[connected.subject, ""].get(Kind.AGENT_CONNECTING)
        if connecting is not None:
            yield connecting, agent
