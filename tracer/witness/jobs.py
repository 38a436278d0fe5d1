"""What LiveKit's server reports of dispatches and jobs, in an answer of the API or in a webhook: its own times, ns.

Of a job that was dispatched again, its state is that of the last attempt: the first one's times are told while it is
the only one.
Source: livekit/protocol 1.54.0, livekit_agent.proto and livekit_agent_dispatch.proto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from livekit.protocol.agent import JobType

from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.units import NS_PER_S
from tracer.witness.fields import LATEST_TIME, enum_name, room_facts
from tracer.witness.protocol import DispatchTrigger, JobStateReason, JobStatus, as_dispatch
from tracer.witness.unknown import unknown_in_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from livekit.protocol.agent_dispatch import AgentDispatch
    from livekit.protocol.models import Room

    from tracer.moment import Fact

__all__ = ["dispatch_moments", "job_moments", "unknown"]

ASSIGNED_WITHIN = 7_500_000_000
"""How long after it was sent an assignment can reach the worker, ns: after 7.5 s the worker no longer waits for it.
Source: livekit-agents 1.8.9, worker.py, ASSIGNMENT_TIMEOUT."""
ANSWERED_WITHIN = 3 * NS_PER_S
"""How long the server waits for a worker's answer, ns."""


def dispatch_moments(room: Room, dispatch: AgentDispatch) -> Iterator[Moment]:
    """A dispatch and its jobs, as the API lists them."""
    state = as_dispatch(dispatch).state
    known = facts(
        {
            **room_facts(room),
            keys.AGENT_NAME: dispatch.agent_name,
            keys.DISPATCH_METADATA: dispatch.metadata or None,
            keys.DISPATCH_TRIGGER: enum_name(DispatchTrigger, state.trigger) if state.trigger else None,
        }
    )
    at = state.created_at
    if 0 < at <= LATEST_TIME:
        yield Moment(room.sid, Kind.DISPATCH_CREATED, dispatch.id, at, at, at, "server", "observer", facts=known)
    for job in state.jobs:
        yield from job_moments(room.sid, job, "observer", dispatch.id, dispatch.agent_name)


def unknown(dispatches: Iterable[AgentDispatch]) -> tuple[str, ...]:
    """What this version does not know in an answer of the API: each name once."""
    return tuple(sorted({name for one in dispatches for name in unknown_in_message(as_dispatch(one))}))


def job_moments(room: str, job: Any, witness: str, dispatch: str = "", agent_name: str = "") -> Iterator[Moment]:
    """A job in the room with this SID: one of ``protocol``'s, whose dispatch can stand around it and not in it."""
    state = job.state
    about: dict[str, Fact | None] = {
        keys.JOB_ID: job.id,
        keys.DISPATCH_ID: dispatch or job.dispatch_id or None,
        keys.AGENT_NAME: agent_name or job.agent_name,
    }
    so_far: dict[str, Fact | None] = {
        keys.JOB_TYPE: enum_name(JobType, job.type),
        keys.JOB_STATUS: enum_name(JobStatus, state.status),
        keys.JOB_REASON: enum_name(JobStateReason, state.reason) if state.reason else None,
        keys.JOB_PARTICIPANT_ID: job.participant.sid or None,
    }
    worker: dict[str, Fact | None] = {keys.WORKER_ID: state.worker_id or None}
    offer: dict[str, Fact | None] = {
        keys.PARTICIPANT_IDENTITY: state.participant_identity or None,
        keys.JOB_ATTEMPTS: state.attempts or None,
        keys.WORKERS_ASKED: state.workers_asked or None,
    }
    created, offered, ended = job.created_at, state.started_at, state.ended_at

    def moment(kind: Kind, at: int, earliest: int, latest: int, known: dict[str, Fact | None], of: str = "") -> Moment:
        return Moment(room, kind, job.id, earliest, latest, at, "server", witness, of, facts({**about, **known}))

    if not room or not job.id:
        return
    if 0 < created <= LATEST_TIME:
        # Where it was offered since, that says more of it.
        yield moment(Kind.JOB_CREATED, created, created, created, {} if offered else so_far)
    if 0 < offered <= LATEST_TIME:
        yield moment(Kind.JOB_OFFERED, offered, offered, offered, {**so_far, **worker, **offer})
        if state.attempts <= 1:
            yield from _given(moment, state, worker)
    begun = offered or created
    if 0 < begun <= ended <= LATEST_TIME:
        # Written when the worker reported it to the server, which is a little after.
        yield moment(Kind.JOB_ENDED, ended, begun, ended, {**so_far, **worker, **offer})


def _given(moment: Callable[..., Moment], state: Any, worker: dict[str, Fact | None]) -> Iterator[Moment]:
    """The worker's acceptance, which it sent before the server had it; and the assignment, which it got after."""
    offered, accepted, assigned = state.started_at, state.accepted_at, state.assigned_at
    if state.worker_id and offered <= accepted <= min(offered + ANSWERED_WITHIN, LATEST_TIME):
        yield moment(Kind.JOB_ACCEPTED, accepted, offered, accepted, worker, state.worker_id)
    if max(offered, accepted) <= assigned <= LATEST_TIME - ASSIGNED_WITHIN:
        yield moment(Kind.JOB_ASSIGNED, assigned, assigned, assigned + ASSIGNED_WITHIN, worker)
