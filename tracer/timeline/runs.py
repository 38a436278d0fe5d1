"""Runs and offers of one job, kept apart.

A job runs twice where its worker is reloaded (``dev`` mode) or replaced and resumes it: the same id, a second process,
a second connect, a second session. The server offers a job to one worker after the other until one takes it. What
happens once in a run, or once for each worker, is then no contradiction: later runs and offers are occurrences.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.moment import Moment

__all__ = ["ONCE_A_RUN", "offers_apart", "run_name", "runs_apart"]

ANOTHER_RUN = NS_PER_S
"""Entrypoints of one job that started further apart than this, ns, are two runs: no two sources differ by as much."""
BEFORE_ENTRYPOINT = 3 * NS_PER_S
"""What comes before an entrypoint in its run, as its process, comes no earlier than this, ns."""

_BEFORE = frozenset({Kind.PROCESS_STARTED, Kind.PROCESS_READY, Kind.JOB_PROCESS_ASSIGNED})
ONCE_A_RUN = frozenset(
    {
        *_BEFORE,
        Kind.JOB_ENTRYPOINT_STARTED,
        Kind.AGENT_CONNECTING,
        Kind.AGENT_CONNECTED,
        Kind.JOB_ENTRYPOINT_RETURNED,
        Kind.JOB_SHUTDOWN,
        Kind.AGENT_DISCONNECTED,
        Kind.PROCESS_FAILED,
        Kind.JOB_ENDED,
    }
)
"""Kinds of which a job has one in each run."""


def run_name(number: int) -> str:
    """The occurrence of what happened in a run of a job; that of the first, 1, is empty."""
    return f"run {number}" if number > 1 else ""


def runs_apart(moments: Iterable[Moment]) -> list[Moment]:
    """The moments; those of a job's later runs as occurrences of their own."""
    given = list(moments)
    starts: dict[str, list[int]] = defaultdict(list)
    for moment in given:
        if moment.kind is Kind.JOB_ENTRYPOINT_STARTED and moment.witness == "agent":
            starts[moment.subject].append(moment.time)
    begun = {job: _first_of_each(times) for job, times in starts.items()}
    several = {job: times for job, times in begun.items() if len(times) > 1}
    if not several:
        return given
    return [_in_its_run(moment, several[moment.subject]) if moment.subject in several else moment for moment in given]


def _first_of_each(times: list[int]) -> list[int]:
    """When each run began, ns."""
    firsts: list[int] = []
    for time in sorted(times):
        if not firsts or time - firsts[-1] > ANOTHER_RUN:
            firsts.append(time)
    return firsts


def _in_its_run(moment: Moment, begun: list[int]) -> Moment:
    if moment.kind not in ONCE_A_RUN or moment.witness != "agent" or moment.occurrence:
        return moment
    early = BEFORE_ENTRYPOINT if moment.kind in _BEFORE else 0
    number = max(bisect_right(begun, moment.time + early), 1)
    return replace(moment, occurrence=run_name(number))


def offers_apart(moments: Iterable[Moment]) -> list[Moment]:
    """The moments; of a job that was offered to several workers each offer is an occurrence: the worker's id."""
    given = list(moments)
    offered: dict[str, set[str]] = defaultdict(set)
    for moment in given:
        if moment.kind is Kind.JOB_OFFERED and (worker := _worker(moment)):
            offered[moment.subject].add(worker)
    several = {job for job, workers in offered.items() if len(workers) > 1}
    if not several:
        return given
    return [
        replace(moment, occurrence=_worker(moment))
        if moment.kind is Kind.JOB_OFFERED and moment.subject in several and not moment.occurrence
        else moment
        for moment in given
    ]


def _worker(moment: Moment) -> str:
    return str(dict(moment.facts).get(keys.WORKER_ID, ""))
