"""What should have come and is not there: what a timeline is still waiting for, or never got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.missing_jobs import dispatches_without_job, unaccounted_agents
from tracer.units import NS_PER_MS, NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["Missing", "expected"]

GRACE = 500 * NS_PER_MS
"""A step that comes within this time, ns, is not overdue."""
NEXT = {
    Kind.JOB_CREATED: (GRACE, "created, and offered to no worker"),
    Kind.JOB_OFFERED: (GRACE, "offered, and no answer recorded"),
    Kind.JOB_RECEIVED: (GRACE, "received, and not answered"),
    Kind.JOB_ACCEPTED: (GRACE, "accepted, and not assigned"),
    Kind.JOB_ASSIGNED: (GRACE, "assigned, and no process has it"),
    Kind.PROCESS_STARTED: (GRACE, "its process is in setup_fnc"),
    Kind.PROCESS_READY: (GRACE, "its process is ready, and does not have it"),
    Kind.JOB_PROCESS_ASSIGNED: (GRACE, "a process has it, and its entrypoint has not started"),
    Kind.JOB_ENTRYPOINT_STARTED: (2 * NS_PER_S, "its entrypoint runs, and has not connected"),
    Kind.JOB_ENTRYPOINT_RETURNED: (GRACE, "its entrypoint returned without connecting"),
    Kind.AGENT_CONNECTING: (NS_PER_S, "connecting"),
    Kind.JOB_SHUTDOWN: (2 * NS_PER_S, "shutting down"),
}
"""Steps after which another must come: how long, ns, it may take before it is overdue, and the words for it."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that has not come, though something else shows that it should have."""

    step: Step
    """After which it should have come."""
    what: str
    """In a few words; the name of the subject is left to the view."""
    ns: int
    """For how long by now, or until the room closed."""
    over: bool
    """Whether it cannot come any more."""
    lost: bool = False
    """Whether it is a job that was lost."""


def expected(timeline: Timeline) -> list[Missing]:
    """What is missing as of ``timeline.now``, in order of time."""
    found = [*_dispatches(timeline), *_jobs(timeline), *_participants(timeline)]
    return sorted(found, key=lambda missing: (missing.step.time, missing.step.subject, missing.what))


def _since(timeline: Timeline, step: Step, what: str, patience: int) -> Iterator[Missing]:
    finished = timeline.room.finished
    ns = (finished.time if finished else timeline.now) - step.time
    if ns >= patience:
        yield Missing(step, what, ns, finished is not None)


def _dispatches(timeline: Timeline) -> Iterator[Missing]:
    for _, awaited in dispatches_without_job(timeline):
        yield from _since(timeline, awaited, "dispatched, no job", GRACE)


def _jobs(timeline: Timeline) -> Iterator[Missing]:
    unaccounted = bool(unaccounted_agents(timeline))
    for job in timeline.jobs:
        lost = timeline.lost(job)
        if lost is not None:
            last = job.last_reported
            yield Missing(
                last, f"lost: nothing reported after “{last.kind.info.phrase}”", max(lost - last.time, 0), True, True
            )
        elif missing := _next(timeline, job, unaccounted):
            yield from missing


def _next(timeline: Timeline, job: Job, unaccounted: bool) -> Iterator[Missing] | None:
    if job.at(Kind.JOB_ENDED, Kind.JOB_TIMED_OUT, Kind.PROCESS_FAILED):
        return None
    shutdown = job.at(Kind.JOB_SHUTDOWN)
    connected = job.at(Kind.AGENT_CONNECTED) or timeline.agent_of(job)
    if connected and not shutdown:
        return _waits(timeline, job)
    if unaccounted and job.at(Kind.JOB_ENTRYPOINT_STARTED):
        return None  # it can be this one's
    # The furthest it came counts, and not the latest: clocks differ, and several workers can have been asked.
    last = max(_under_way(job), key=lambda step: (step.kind.rank, step.time), default=None)
    if last is None:
        return None
    patience, what = NEXT[last.kind]
    known_by_server = last.kind in _BEFORE_ASSIGNED and job.status == "JS_RUNNING"
    if known_by_server or (last.kind is Kind.JOB_ASSIGNED and "agent" not in last.witnesses):
        patience, what = NEXT[Kind.JOB_ASSIGNED][0], "assigned, and its agent has not joined"
    return _since(timeline, last, what, patience)


_BEFORE_ASSIGNED = (Kind.JOB_CREATED, Kind.JOB_OFFERED, Kind.JOB_RECEIVED, Kind.JOB_ACCEPTED)


def _under_way(job: Job) -> Iterator[Step]:
    """The steps of a job after which another must come: not what a worker that refused it did before."""
    refused = {step.occurrence for step in job.steps if step.kind is Kind.JOB_REJECTED}
    for step in job.steps:
        worker = step.occurrence or str(step.facts.get(keys.WORKER_ID, ""))
        is_over = step.kind in _BEFORE_ASSIGNED and (worker in refused or (refused and "" in {worker, *refused}))
        if step.kind in NEXT and not is_over:
            yield step


def _waits(timeline: Timeline, job: Job) -> Iterator[Missing]:
    """What a connected agent has begun and not ended."""
    known = {(step.kind, step.occurrence) for step in job.steps}
    never_ends = Kind.SESSION_STARTING if job.is_entrypoint_only and not job.is_node else None
    for step in job.steps:
        if step.kind in _WAITS and step.kind is not never_ends:
            ends, what = _WAITS[step.kind]
            if not any((end, step.occurrence) in known for end in ends):
                yield from _since(timeline, step, what, GRACE)


_WAITS = {
    Kind.AGENT_WAITING_FOR_PARTICIPANT: (
        (Kind.AGENT_PARTICIPANT_READY, Kind.AGENT_WAIT_ENDED),
        "waits for a participant",
    ),
    Kind.SESSION_STARTING: ((Kind.SESSION_STARTED, Kind.SESSION_CLOSED), "its session is starting"),
}
"""What an agent begins: the kinds that end it, with the same occurrence, and the words for it until then."""


def _participants(timeline: Timeline) -> Iterator[Missing]:
    for participant in timeline.participants:
        joining = _joining(participant)
        if joining and not participant.gone and not participant.at(Kind.PARTICIPANT_ACTIVE):
            yield from _since(timeline, joining, "not ACTIVE", NS_PER_S)


def _joining(participant: Participant) -> Step | None:
    return participant.at(Kind.PARTICIPANT_JOINED, Kind.PARTICIPANT_JOINING)
