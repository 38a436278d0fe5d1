"""What must come before what, as far as LiveKit guarantees it.

The one table of it: the fold orders by it what time alone leaves open, and ``check`` judges by it.
Source: livekit-server v1.13.5 and livekit-agents 1.8.9.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.entities import Shutdown
from tracer.timeline.relations import (
    Guarantee,
    Pair,
    Precedence,
    StepIndex,
    each_worker,
    in_room,
    its_agent,
    its_job,
    names,
    same,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tracer.timeline.step import Step, StepKey

__all__ = ["TABLE", "Guarantee", "Pair", "must_precede", "ordered_pairs"]


# What must be true besides.


def _was_chosen(answer: Step, given: Step) -> bool:
    """Several workers can have been asked; the job was given to one."""
    return answer.occurrence in ("", given.facts.get(keys.WORKER_ID))


def _shutdown_disconnects(shutdown: Step, left: Step) -> bool:
    """The user's code can have left the room by itself, and then the job shuts down because of that."""
    by_shutdown = shutdown.facts.get(keys.SHUTDOWN_REASON) != Shutdown.ROOM_GONE
    return by_shutdown and left.facts.get(keys.DISCONNECT_REASON) == "CLIENT_INITIATED"


# Rows for kinds that come in a chain, of which any may be unknown.


def _first_of(
    cause: Kind,
    effects: Mapping[Kind, Guarantee],
    related: Callable[[StepIndex, Precedence], Iterator[tuple[Step, Step]]] = same,
    condition: Callable[[Step, Step], bool] | None = None,
) -> list[Precedence]:
    """The cause before the first of the effects that is known."""
    order = list(effects)
    return [
        Precedence(cause, effect, guarantee, related, tuple(order[:place]), condition)
        for place, (effect, guarantee) in enumerate(effects.items())
    ]


def _chain(kinds: Mapping[Kind, Guarantee]) -> list[Precedence]:
    """Each kind before the next that is known, by the guarantee of the later one."""
    order = list(kinds)
    rows = []
    for place, kind in enumerate(order, 1):
        rows += _first_of(kind, {later: kinds[later] for later in order[place:]})
    return rows


def _chain_of(guarantee: Guarantee, *kinds: Kind) -> list[Precedence]:
    return _chain(dict.fromkeys(kinds, guarantee))


_ON_SERVER = (
    Kind.DISPATCH_CREATED,
    Kind.PARTICIPANT_JOINING,
    Kind.PARTICIPANT_JOINED,
    Kind.PARTICIPANT_ACTIVE,
    Kind.PARTICIPANT_LEFT,
    Kind.PARTICIPANT_ABORTED,
    Kind.TRACK_PUBLISHED,
    Kind.TRACK_UNPUBLISHED,
    Kind.JOB_CREATED,
    Kind.JOB_OFFERED,
)
"""Kinds that happen on the server, and so between the room's creation and its end."""

_JOB = {
    Kind.JOB_ASSIGNED: Guarantee.JOB_START,
    Kind.JOB_PROCESS_ASSIGNED: Guarantee.JOB_START,
    Kind.JOB_ENTRYPOINT_STARTED: Guarantee.JOB_START,
    Kind.AGENT_CONNECTING: Guarantee.AGENT_CONNECTS,
    Kind.AGENT_CONNECTED: Guarantee.AGENT_CONNECTS,
    Kind.AGENT_DISCONNECTED: Guarantee.SESSION_AND_SHUTDOWN,
    Kind.JOB_ENDED: Guarantee.SESSION_AND_SHUTDOWN,
}
"""What a job goes through on the agent's machine once the server has given it to a worker."""

_OFFERED = dict.fromkeys(_JOB, Guarantee.CLOCKS) | {Kind.JOB_ENDED: Guarantee.SESSION_AND_SHUTDOWN}
"""The same after the server's offer; the end is the server's own time as well, where the API reports it."""

_GIVEN = {kind: _JOB[kind] for kind in (Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED)}
"""What follows from a worker's acceptance."""

TABLE: tuple[Precedence, ...] = (
    *(Precedence(Kind.ROOM_CREATED, kind, Guarantee.ROOM_FIRST, in_room) for kind in _ON_SERVER),
    *(
        Precedence(Kind.DISPATCH_CREATED, kind, Guarantee.ROOM_FIRST, names(keys.DISPATCH_ID))
        for kind in (Kind.JOB_CREATED, Kind.JOB_OFFERED)
    ),
    *_chain_of(Guarantee.ROOM_FIRST, Kind.JOB_CREATED, Kind.JOB_OFFERED),
    *_chain_of(
        Guarantee.PARTICIPANT_STATES,
        Kind.PARTICIPANT_JOINING,
        Kind.PARTICIPANT_JOINED,
        Kind.PARTICIPANT_ACTIVE,
        Kind.PARTICIPANT_LEFT,
    ),
    *_chain_of(
        Guarantee.PARTICIPANT_STATES, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_ABORTED
    ),
    Precedence(
        Kind.PARTICIPANT_JOINING,
        Kind.TRACK_PUBLISHED,
        Guarantee.PARTICIPANT_STATES,
        names(keys.PARTICIPANT_ID),
    ),
    *_chain_of(Guarantee.PARTICIPANT_STATES, Kind.TRACK_PUBLISHED, Kind.TRACK_UNPUBLISHED),
    Precedence(Kind.JOB_OFFERED, Kind.JOB_RECEIVED, Guarantee.CLOCKS, each_worker),
    *_first_of(Kind.JOB_OFFERED, _OFFERED),
    *_chain_of(Guarantee.JOB_START, Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED, Kind.JOB_TIMED_OUT),
    *_chain_of(Guarantee.JOB_START, Kind.JOB_RECEIVED, Kind.JOB_REJECTED),
    *_first_of(Kind.JOB_RECEIVED, _GIVEN, its_job, _was_chosen),
    *_first_of(Kind.JOB_ACCEPTED, _GIVEN, its_job, _was_chosen),
    *_chain_of(Guarantee.JOB_START, Kind.PROCESS_STARTED, Kind.PROCESS_READY, Kind.JOB_PROCESS_ASSIGNED),
    *_chain(_JOB),
    Precedence(Kind.AGENT_CONNECTING, Kind.PARTICIPANT_JOINING, Guarantee.AGENT_CONNECTS, its_agent),
    Precedence(Kind.PARTICIPANT_JOINING, Kind.AGENT_CONNECTED, Guarantee.AGENT_CONNECTS, names(keys.PARTICIPANT_ID)),
    *_chain_of(
        Guarantee.SESSION_AND_SHUTDOWN, Kind.JOB_ENTRYPOINT_STARTED, Kind.JOB_ENTRYPOINT_RETURNED, Kind.JOB_ENDED
    ),
    *_chain_of(Guarantee.SESSION_AND_SHUTDOWN, Kind.AGENT_WAITING_FOR_PARTICIPANT, Kind.AGENT_PARTICIPANT_READY),
    *_chain_of(Guarantee.SESSION_AND_SHUTDOWN, Kind.SESSION_STARTING, Kind.SESSION_STARTED, Kind.SESSION_CLOSED),
    *_chain_of(
        Guarantee.SESSION_AND_SHUTDOWN,
        Kind.JOB_ENTRYPOINT_STARTED,
        Kind.JOB_SHUTDOWN,
        Kind.AGENT_DISCONNECTED,
        Kind.JOB_ENDED,
    ),
    Precedence(
        Kind.JOB_SHUTDOWN,
        Kind.PARTICIPANT_LEFT,
        Guarantee.SESSION_AND_SHUTDOWN,
        its_agent,
        condition=_shutdown_disconnects,
    ),
    *(
        Precedence(kind, Kind.ROOM_FINISHED, Guarantee.ROOM_ENDS_LAST, in_room)
        for kind in (Kind.ROOM_CREATED, *_ON_SERVER)
    ),
)
"""Everything that must come before something else."""


def ordered_pairs(steps: Iterable[Step]) -> Iterator[Pair]:
    """Every pair of steps of which the first cannot have come after the second, once."""
    known = StepIndex(steps)
    seen: set[tuple[StepKey, StepKey]] = set()  # two chains can have a link in common
    for row in TABLE:
        if row.cause not in known.by_kind or row.effect not in known.by_kind:
            continue  # most are of kinds that a call does not have
        for pair in row.pairs(known):
            both = pair.cause.key, pair.effect.key
            if both not in seen:
                seen.add(both)
                yield pair


def must_precede(steps: Iterable[Step]) -> Iterator[tuple[Step, Step]]:
    """The pairs without what guarantees them."""
    return ((pair.cause, pair.effect) for pair in ordered_pairs(steps))
