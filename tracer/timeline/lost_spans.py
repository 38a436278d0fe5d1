"""Lost spans: what a job must have reported, by what else it reported, and did not come.

Spans get lost where a receiver is away for longer than an agent keeps them, where a collector samples them, and with
their process. What came shows it: a span whose parent did not come, and a span that began and did not end, in a job
that did. The spans that an instrumented agent sends of a job are numbered: there a gap shows how many did not come.
"""

from __future__ import annotations

from collections import defaultdict
from math import inf
from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Moment
    from tracer.timeline.entities import Job, Room

__all__ = ["lost_spans"]

LAST = 2 * NS_PER_S
"""Those that an agent sends as its job ends come within this, ns, in several requests: it can run again in its room."""
ON_THEIR_WAY = 30 * NS_PER_S
"""Spans come no later than this after their room has closed, ns: an agent that is not instrumented sends a parent after
its children, when it has ended."""
_IDS = (keys.SPANS_ENDED, keys.SPANS_BEGUN, keys.SPANS_DUE, keys.SPANS_ABOVE, keys.SPANS_ROOT)

_OF_WORKER = (Kind.JOB_OFFERED, Kind.JOB_ACCEPTED, Kind.JOB_REJECTED, Kind.JOB_TIMED_OUT)


def lost_spans(reports: Iterable[Moment], jobs: Iterable[Job], room: Room, now: int) -> dict[str, int]:
    """The jobs of which spans were lost as of ``now``, ns, each with how many did not come, 0 where that is unknown."""
    came: defaultdict[str, dict[str, set[str]]] = defaultdict(lambda: {key: set() for key in _IDS})
    runs: defaultdict[str, defaultdict[str, list[_Run]]] = defaultdict(lambda: defaultdict(list))
    for report in reports:
        for key, ids in report.facts:
            if key in _IDS:
                came[report.subject][key].update(str(ids).split())
        if run := _numbered(report):
            runs[report.subject][report.occurrence].append(run)
    is_over = room.finished is not None and now - room.finished.time > ON_THEIR_WAY
    lost = {}
    for job in jobs:
        has_ended = _has_ended(job, room, now)
        by_now = inf if has_ended or is_over else now - ON_THEIR_WAY
        count = sum(_not_there(sent, by_now) for sent in runs[job.sid].values())
        if count or _unreceived(job) or (job.sid in came and _is_missing(came[job.sid], has_ended, is_over)):
            lost[job.sid] = count
    return lost


_Run = tuple[int, int, int]
"""Numbers of spans that came together, the first and the last, and when they were sent, ns."""


def _numbered(report: Moment) -> _Run | None:
    known = dict(report.facts)
    first, last = known.get(keys.SPANS_FIRST), known.get(keys.SPANS_LAST)
    if isinstance(first, int) and isinstance(last, int) and 0 < first <= last:
        return first, last, report.time
    return None


def _not_there(runs: list[_Run], by_now: float) -> int:
    """How many numbers are missing before others that were sent by this time, ns: a process sends them in order."""
    missing, until = 0, 0
    for first, last, sent in sorted(runs):
        if first > until + 1 and sent <= by_now:
            missing += first - until - 1
        until = max(until, last)
    return missing


def _unreceived(job: Job) -> bool:
    """Whether one of several workers reported what it did with the job, and not that it received the request."""
    told = [moment for step in job.steps if step.kind in _OF_WORKER for moment in step.moments]
    ids = {moment.occurrence or dict(moment.facts).get(keys.WORKER_ID) for moment in told if moment.witness == "agent"}
    received = {step.occurrence for step in job.steps if step.kind is Kind.JOB_RECEIVED}
    return bool(received) and "" not in received and not ids - {None} <= received


def _is_missing(came: dict[str, set[str]], has_ended: bool, is_over: bool) -> bool:
    ended, begun, due, above, root = (came[key] for key in _IDS)
    # An agent that reports when spans begin reports a parent no later than what is beneath it.
    at_once = bool(begun or due)
    orphans = above - ended - begun - due
    without_end = has_ended and due - ended
    return bool(without_end or (at_once and not root) or (orphans and (at_once or has_ended or is_over)))


def _has_ended(job: Job, room: Room, now: int) -> bool:
    """Whether the last of its spans has come."""
    ended = job.reported_end
    return ended is not None and (room.finished is not None or now - ended.time > LAST)
