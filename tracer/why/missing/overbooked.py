"""A worker that was full for a moment, because of jobs on their way to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.server_defaults import TARGET_LOAD
from tracer.units import NS_PER_S, plural
from tracer.why.call.dispatches import agent_named
from tracer.why.call.workers import GONE, is_alive
from tracer.why.missing.refused import offered_to, refusals
from tracer.why.missing.without_job import MOST_WORKERS, WithoutJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Worker
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["WorkerOverbooked", "full_for", "how_late", "is_overbooked", "refused_overbooked"]

ASKED_WITHIN = 5 * NS_PER_S
"""The server asks within 0.3 s; where many rooms are created at once and it is short of CPU, within seconds, ns."""
MOST_IDLE_PROCESSES = 4
"""What livekit-agents keeps by default: a process for each CPU, and no more than this."""


class WorkerOverbooked(WithoutJob):
    """Jobs that arrive together fill an idle worker, until their processes have started.

    livekit-agents counts each request in flight, until its job runs, as load: without a job, as load_threshold ÷
    num_idle_processes, with jobs as what one of them takes. Known from the worker, which reports with its status, or
    its refusal, how many those were. Of an older one likely where it was full without a job at exactly such a load; and
    of one that became full so soon after the dispatch that the server may not have asked it yet.
    Source: livekit-agents 1.8.9, worker.py, ``_get_effective_load``.
    """

    name = "worker-overbooked"
    about = "several jobs arrived at once, and filled a worker that was not busy"
    advice = (
        "Raise num_idle_processes: each request in flight counts as load_threshold ÷ num_idle_processes until its job"
        " runs. Or start more workers; or call CreateDispatch again after a few seconds."
    )
    said = (
        agents("worker.py"),
        Page.OPTIONS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        yield from super().find(call)
        for refused, evidence in refusals(call, "full"):
            booked = [refusal for refusal in refused if refused_overbooked(call, refusal)]
            if booked:
                yield self.found(
                    f"{offered_to(refused)} the job, and refused it as full{_with(booked[0])}: jobs that had just been"
                    " offered to it took its capacity.",
                    *evidence,
                    certain=len(booked) == len(refused) and all(map(_reports_reserved, booked)),
                )

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        there = [w for w in same if w.standing(created.time) not in (*GONE, Kind.WORKER_DRAINING)]
        full = [(worker, step) for worker in there if (step := full_for(worker, created))]
        booked = [step for worker, step in full if is_overbooked(worker, step)]
        if not booked or len(full) < len(there):
            return
        yield self.found(
            f"The dispatch for {agent_named(dispatch.agent_name)} found worker {booked[-1].subject} full"
            f"{how_late(booked[-1], created)}{_with(booked[-1])}:"
            " jobs that had just been offered to it took its capacity.",
            created,
            *(step for _, step in full[-MOST_WORKERS:]),
            certain=len(booked) == len(full)
            and all(map(_reports_reserved, booked))
            and all(step.time <= created.time and is_alive(worker, created.time) for worker, step in full),
        )


def full_for(worker: Worker, created: Step) -> Step | None:
    """The report that a worker was full when a dispatch was created, or became full before the server had asked it."""
    reports = [step for step in worker.steps if step.kind is Kind.WORKER_FULL]
    standing = worker.standing(created.time)
    if standing is Kind.WORKER_FULL:
        return [step for step in reports if step.time <= created.time][-1]
    if standing in (Kind.WORKER_REGISTERED, Kind.WORKER_AVAILABLE):
        return next((s for s in reports if created.time < s.time <= created.time + ASKED_WITHIN), None)
    return None


def how_late(full: Step, created: Step) -> str:
    """How long after a dispatch was created its worker reported that it was full; empty where it was before."""
    return f" {(full.time - created.time) / NS_PER_S:.1f} s after it was created" if full.time > created.time else ""


def refused_overbooked(call: Call, refusal: Step) -> bool:
    """Whether a worker refused a job as full only for jobs on their way to it."""
    worker = next((w for w in call.workers.all if w.sid == refusal.occurrence), None)
    return is_overbooked(worker, refusal)


def is_overbooked(worker: Worker | None, step: Step) -> bool:
    """Whether a worker that reports that it is full is so only for jobs on their way to it."""
    load, jobs, reserved = (step.facts.get(key) for key in (keys.WORKER_LOAD, keys.WORKER_JOBS, keys.WORKER_RESERVED))
    measured = worker.loads(step.time, step.time) if worker else []
    if measured and float(measured[-1].facts[keys.WORKER_LOAD]) >= TARGET_LOAD:
        return False
    if isinstance(reserved, int):
        return reserved > 0 and (bool(measured) or not jobs)
    return not jobs and isinstance(load, float) and _is_reserved(load)


def _reports_reserved(step: Step) -> bool:
    return keys.WORKER_RESERVED in step.facts


def _is_reserved(load: float) -> bool:
    """Whether a load is what some requests in flight come to, with the defaults, on an idle worker."""
    shares = (load / TARGET_LOAD * processes for processes in range(1, MOST_IDLE_PROCESSES + 1))
    return load >= TARGET_LOAD - 1e-6 and any(abs(share - round(share)) < 1e-6 for share in shares)


def _with(step: Step) -> str:
    """How many jobs a full worker had, and how many were on their way."""
    jobs, reserved = step.facts.get(keys.WORKER_JOBS), step.facts.get(keys.WORKER_RESERVED)
    known = []
    if jobs is not None:
        known.append(f"{jobs} {plural(jobs, 'job')}")
    if reserved is not None:
        known.append(f"{reserved} on {'its' if reserved == 1 else 'their'} way")
    return f" with {' and '.join(known)}" if known else ""
