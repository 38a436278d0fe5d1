"""The lifecycle of one room, folded from its moments. Pure: no clock, no store, no view."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.connections import reported_once
from tracer.timeline.entities import Job, Participant, Room, Track, Worker
from tracer.timeline.lost_spans import lost_spans
from tracer.timeline.origin import creation, dispatches, end_reason
from tracer.timeline.precedence import must_precede
from tracer.timeline.runs import offers_apart, runs_apart
from tracer.timeline.step import merge
from tracer.timeline.timeline import Timeline
from tracer.timeline.trace_jobs import joined
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tracer.moment import Moment
    from tracer.timeline.step import Step, StepKey

__all__ = ["SAID_LITTLE", "fold"]

BEFORE = 10 * NS_PER_S
"""What a worker reported this long before a room, ns, is shown with it."""
WORKERS_REMEMBERED, SAID_LITTLE = 1000, 20
"""Workers that are remembered from one room to the next: all rooms of a time have the same. Only such of which so many
moments are read: it takes some kB for each."""


def fold(room: str, moments: Iterable[Moment], *, workers: Iterable[Moment] = (), now: int | None = None) -> Timeline:
    """The lifecycle of the room with this SID. The order and repetition of the moments change nothing.

    ``workers`` is what workers reported of themselves; ``now`` until when the room is known, ns since the epoch: by
    default until the last moment.
    """
    told = joined(set(moments))
    reports = [moment for moment in told if moment.kind is Kind.JOB_SPANS_REPORTED]
    happened = [moment for moment in told if moment.kind is not Kind.JOB_SPANS_REPORTED]
    now = max((moment.time for moment in happened), default=0) if now is None else now
    known = list(reported_once(happened))
    merged = merge(_attempts(runs_apart(offers_apart(_started_once(known)))))
    known_workers = _workers(workers)
    steps = _in_order([*merged, *_beside(merged, known_workers, now)])
    grouped: dict[str, list[Step]] = defaultdict(list)
    for step in steps:
        grouped[step.subject].append(step)

    def of(prefix: str) -> dict[str, tuple[Step, ...]]:
        return {sid: tuple(own) for sid, own in grouped.items() if sid.startswith(prefix)}

    itself = Room(room, tuple(grouped.get(room, ())))
    participants = tuple(Participant(sid, own) for sid, own in of("PA_").items())
    jobs = tuple(Job(sid, own) for sid, own in of("AJ_").items())
    tracks = tuple(Track(sid, own) for sid, own in of("TR_").items())
    created_by, creator = creation(itself, participants, jobs)
    dispatched = dispatches(of("AD_"), jobs, itself, created_by)
    return Timeline(
        room=itself,
        participants=participants,
        dispatches=dispatched,
        jobs=jobs,
        tracks=tracks,
        steps=tuple(steps),
        workers=known_workers,
        now=now,
        created_by=created_by,
        creator=creator,
        end_reason=end_reason(itself, participants),
        spans_lost=lost_spans(reports, jobs, itself, now),
        by_sid={one.sid: one for one in (*known_workers, itself, *participants, *jobs, *dispatched, *tracks)},
    )


def _started_once(moments: list[Moment]) -> list[Moment]:
    """The moments, of each session's starts only the first: in Node each agent that takes it over reports one."""
    first: dict[tuple[str, str], Moment] = {}
    for moment in moments:
        if moment.kind is Kind.SESSION_STARTED:
            session = moment.subject, moment.occurrence
            first[session] = min(first.get(session, moment), moment, key=lambda m: (m.time, repr(m)))
    return [m for m in moments if m.kind is not Kind.SESSION_STARTED or m.time <= first[m.subject, m.occurrence].time]


def _attempts(moments: list[Moment]) -> Iterator[Moment]:
    """The moments; of several times that a job began to connect, the last is the one, and the others occurrences."""
    last: dict[tuple[str, str], Moment] = {}
    for moment in moments:
        if moment.kind is Kind.AGENT_CONNECTING and moment.witness == "agent":
            run = moment.subject, moment.occurrence
            last[run] = max(last.get(run, moment), moment, key=lambda m: m.earliest)
    for moment in moments:
        earlier = moment.kind is Kind.AGENT_CONNECTING and moment.witness == "agent" and not moment.occurrence
        if earlier and moment.latest < last[moment.subject, ""].earliest:
            yield replace(moment, occurrence=str(moment.time))
        else:
            yield moment


def _workers(moments: Iterable[Moment]) -> tuple[Worker, ...]:
    said: dict[str, list[Moment]] = defaultdict(list)
    for moment in moments:
        said[moment.subject].append(moment)
    known = [
        (_worker if len(own) <= SAID_LITTLE else _worker.__wrapped__)(sid, tuple(own)) for sid, own in said.items()
    ]
    return tuple(sorted(known, key=lambda worker: (worker.steps[0].time, worker.steps[0].kind.rank, worker.sid)))


@lru_cache(maxsize=WORKERS_REMEMBERED)
def _worker(sid: str, said: tuple[Moment, ...]) -> Worker:
    """What a worker reported, in order. Nothing that befalls one of them has to precede what befalls another."""
    return Worker(sid, tuple(_in_order(merge(said))))


def _beside(room: list[Step], workers: tuple[Worker, ...], now: int) -> list[Step]:
    """What workers reported while the room was there, of those that served it or could have."""
    times = [step.time for step in room]
    ends = [step.time for step in room if step.kind is Kind.ROOM_FINISHED]
    if not times:
        return []
    served = {str(step.facts.get(keys.WORKER_ID)) for step in room}
    named = {step.facts.get(keys.AGENT_NAME) for step in room if step.kind is Kind.DISPATCH_CREATED}
    first, last = min(times) - BEFORE, min(ends) if ends else now
    known = {step.key for step in room}
    return [
        step
        for worker in workers
        if worker.sid in served or worker.agent_name in named
        for step in worker.steps
        if first <= step.time <= last and step.key not in known and step.kind is not Kind.WORKER_OFFERED
    ]


def _in_order(steps: list[Step]) -> list[Step]:
    """By time; where the intervals leave it open, in causal order."""
    if not steps:
        return []
    pairs = [pair for pair in must_precede(steps) if pair[0].earliest <= pair[1].latest]
    at = _times(steps, pairs)
    # Where even so the time is the same, a cause comes first and then what is defined first in Kind.
    place = {step.key: (step.kind.rank, 0) for step in steps}
    tied = [pair for pair in pairs if at[pair[0].key] == at[pair[1].key]]
    for _ in _until_settled(place):
        for cause, effect in tied:
            rank, after = place[cause.key]
            place[effect.key] = max(place[effect.key], (rank, after + 1))
    steps.sort(key=lambda step: (at[step.key], place[step.key], step.kind.rank, step.subject, step.occurrence))
    return [step if step.time == at[step.key] else replace(step, time=at[step.key]) for step in steps]


def _times(steps: list[Step], pairs: list[tuple[Step, Step]]) -> dict[StepKey, int]:
    """The most likely time of each step, by its key.

    Moved within its interval, and only as far as its causes and effects demand: first down to what must come after
    it, then up to what must come before it.
    """
    latest = {step.key: step.latest for step in steps}
    for _ in _until_settled(latest):
        for cause, effect in pairs:
            latest[cause.key] = max(min(latest[cause.key], latest[effect.key]), cause.earliest)
    at = {step.key: min(step.time, latest[step.key]) for step in steps}
    for _ in _until_settled(at):
        for cause, effect in pairs:
            at[effect.key] = max(at[effect.key], min(at[cause.key], effect.latest))
    return at


def _until_settled(values: Mapping[StepKey, object]) -> Iterator[None]:
    """Again until a round changes nothing.

    Each carries a change one link further at least, and no chain of causes is longer than the kinds there are.
    """
    for _ in Kind:
        before = dict(values)
        yield
        if values == before:
            break
