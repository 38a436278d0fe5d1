"""From what first asked for an agent to its entrypoint: the steps of a job's request, and who spends the time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.latency.owner import Owner
from tracer.moment import Kind
from tracer.timeline.origin import CREATED_TOGETHER
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["PathStep", "first_published", "request"]

OFFERED_WITHIN = NS_PER_S
"""A job that is offered later than this after the room, ns, was not asked for by the room: the server takes 0.2 s."""


class PathStep(NamedTuple):
    """A step up to the entrypoint, and who spends the time before it."""

    step: Step | None
    owner: Owner
    always: bool = True
    """Whether every job has it: where it was not seen, the time before the next is several owners'."""


def request(timeline: Timeline, job: Job) -> Iterator[PathStep]:
    """The steps of a job from its first cause to its entrypoint, in order; those that were not seen included."""
    yield from _first_causes(timeline, job)
    yield from _to_worker(job)
    yield from _to_entrypoint(job)


def first_published(timeline: Timeline, sid: str | None) -> Step | None:
    """When a participant first published a track."""
    steps = [s for t in timeline.tracks if t.participant == sid and (s := t.at(Kind.TRACK_PUBLISHED))]
    return min(steps, key=lambda step: step.time, default=None)


def _first_causes(timeline: Timeline, job: Job) -> Iterator[PathStep]:
    """What asked for a job: the room with its dispatch, a later dispatch, or the participant it is for.

    Nothing, where it was not seen: what was long before did not ask for it.
    """
    dispatch, created = timeline.dispatch_of(job), timeline.room.created
    asked = dispatch.at(Kind.DISPATCH_CREATED) if dispatch else None
    mine = job.text(keys.JOB_PARTICIPANT_ID)
    if mine:
        who = next((p for p in timeline.participants if p.sid == mine), None)
        published = job.text(keys.JOB_TYPE) == "JT_PUBLISHER"
        joining = who.at(Kind.PARTICIPANT_JOINING) if who else None
        came = first_published(timeline, mine) if published else joining
        yield PathStep(asked if came and asked and asked.time > came.time else came, Owner.SERVER, always=False)
        return
    until = asked or job.at(Kind.JOB_OFFERED)
    within = CREATED_TOGETHER if asked else OFFERED_WITHIN
    if created and until and abs(until.time - created.time) <= within:
        yield PathStep(created, Owner.SERVER, always=False)
    yield PathStep(asked, Owner.SERVER, always=False)


def _to_worker(job: Job) -> Iterator[PathStep]:
    """From the server's offer to the worker's yes; first come the workers that were asked before that one."""
    given = job.at(Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED)
    taker = str((given.facts if given else {}).get(keys.WORKER_ID, job.worker_id or ""))
    known = {(step.kind, step.occurrence): step for step in job.steps}
    asked = [step.occurrence for step in job.steps if step.kind is Kind.JOB_RECEIVED]
    if asked and taker not in asked:
        taker = asked[-1]
    offers = _offers(job)
    before_offer = Owner.SERVER
    for worker in asked:
        if worker != taker and worker in offers:
            refused = known.get((Kind.JOB_REJECTED, worker))
            full = refused is not None and refused.facts.get(keys.JOB_ANSWER) in ("full", "draining")
            yield PathStep(offers[worker], before_offer)
            yield PathStep(known[Kind.JOB_RECEIVED, worker], Owner.NETWORK)
            yield PathStep(refused, Owner.WORKER if full else Owner.CODE, always=False)
            # Without an answer it is the user's code until the server no longer waits for one.
            before_offer = Owner.SERVER if refused else Owner.CODE
    yield PathStep(offers.get(taker) if taker else job.at(Kind.JOB_OFFERED), before_offer)
    yield PathStep(known.get((Kind.JOB_RECEIVED, taker)), Owner.NETWORK)
    yield PathStep(known.get((Kind.JOB_ACCEPTED, taker)), Owner.CODE)


def _to_entrypoint(job: Job) -> Iterator[PathStep]:
    """From the assignment to the entrypoint."""
    assigned = job.at(Kind.JOB_ASSIGNED)
    yield PathStep(assigned, Owner.SERVER)

    def since_assigned(kind: Kind) -> Step | None:
        step = job.at(kind)
        return step if step and assigned and step.time >= assigned.time else None

    # A process can have been on its way before the job came.
    starts, up = since_assigned(Kind.PROCESS_STARTED), since_assigned(Kind.PROCESS_READY)
    yield PathStep(starts, Owner.PROCESS, always=False)
    yield PathStep(up, Owner.CODE, always=False)
    yield PathStep(job.at(Kind.JOB_PROCESS_ASSIGNED), Owner.WORKER if up else Owner.PROCESS)
    yield PathStep(job.at(Kind.JOB_ENTRYPOINT_STARTED), Owner.PROCESS)


def _offers(job: Job) -> dict[str, Step]:
    """For each worker when the job was offered to it; an offer that names no worker was to the last."""
    offered = [step for step in job.steps if step.kind is Kind.JOB_OFFERED]
    return {step.occurrence or str(step.facts.get(keys.WORKER_ID, job.worker_id or "")): step for step in offered}
