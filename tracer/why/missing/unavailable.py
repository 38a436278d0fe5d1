"""A worker of the right name that was not available when the dispatch was created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents, server
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.why.call.dispatches import agent_named
from tracer.why.call.limits import SOON
from tracer.why.call.workers import GONE, is_alive
from tracer.why.missing.overbooked import full_for, how_late, is_overbooked, refused_overbooked
from tracer.why.missing.refused import offered_to, refusals
from tracer.why.missing.without_job import MOST_WORKERS, WithoutJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Worker
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["LateWorker", "WorkerDraining", "WorkersFull"]

TAKES_NONE = {Kind.WORKER_FULL, Kind.WORKER_DRAINING, Kind.WORKER_CLOSED}


class LateWorker(WithoutJob):
    """A dispatch is offered once: a worker that registers afterwards is not offered it.

    Known from the worker's own registration and from when the dispatch was created. Certain where the two are further
    apart than clocks are, and the worker was able to take jobs since.
    """

    name = "late-worker"
    about = "the worker registered after the dispatch was created"
    advice = (
        "A dispatch is offered once and not retried: have the worker registered before the room is created, or call"
        " CreateDispatch once it is."
    )
    said = (
        server("pkg/service/agentservice.go"),
        Page.LIFECYCLE,
    )
    log = "“registered worker” and its time"

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        before = [w for w in same if w.standing(created.time) not in GONE or call.workers.successor(w)]
        registered = [step for w in same if (step := w.at(Kind.WORKER_REGISTERED)) and step.time > created.time]
        if before or not registered:
            return
        first = min(registered, key=lambda step: step.time)
        late = first.time - created.time
        when = f"{late / NS_PER_S:.1f} s" if late >= NS_PER_S else f"{late / NS_PER_MS:.0f} ms"
        # If its clock were ahead, it would have been there; then one that takes jobs would have been offered this one.
        took_none = any(s.kind in TAKES_NONE and s.time <= call.end for w in same for s in w.steps)
        yield self.found(
            f"A worker for {agent_named(dispatch.agent_name)} registered {when} after the dispatch was created: too"
            " late to be offered its job.",
            created,
            first,
            certain=late > SOON and first.time <= call.end and not took_none,
        )


class WorkersFull(WithoutJob):
    """A worker above its load threshold is not offered jobs, or refuses them.

    Known from the workers' own reports: all that were there were full when the dispatch was created, or one refused
    the job because it was. Certain while a full worker still reports something; likely where one became full so soon
    afterwards that the server may not have asked it yet.
    """

    name = "workers-full"
    about = "every worker for this agent was at full capacity"
    advice = (
        "Start more workers, or raise load_threshold: a worker whose load_fnc returns 0.7 or more (by default, the CPU"
        " load of its machine) takes no jobs."
    )
    said = (
        agents("worker.py"),
        Page.OPTIONS,
    )
    log = "“worker is at full capacity”"

    def find(self, call: Call) -> Iterator[Finding]:
        yield from super().find(call)
        for refused, evidence in refusals(call, "full"):
            if not any(refused_overbooked(call, refusal) for refusal in refused):
                yield self.found(
                    f"{offered_to(refused)} the job, and {'was' if len(refused) == 1 else 'were'} at full capacity.",
                    *evidence,
                )

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        there = [w for w in same if w.standing(created.time) not in (*GONE, Kind.WORKER_DRAINING)]
        full = [(worker, step) for worker in there if (step := full_for(worker, created))]
        if not full or len(full) < len(there) or any(is_overbooked(*pair) for pair in full):
            return
        last = full[-1][1]
        load = last.facts.get(keys.WORKER_LOAD)
        reported = f" (load {load:.2f})" if isinstance(load, float) else ""
        which = f"worker {last.subject}" if len(full) == 1 else f"all {len(full)} workers"
        yield self.found(
            f"The dispatch for {agent_named(dispatch.agent_name)} found {which} at full capacity"
            f"{how_late(last, created)}{reported}.",
            created,
            *(step for _, step in full[-MOST_WORKERS:]),
            certain=all(step.time <= created.time and is_alive(worker, created.time) for worker, step in full),
        )


class WorkerDraining(WithoutJob):
    """A worker that is being stopped takes no new jobs.

    Known from the workers' own reports, as ``WorkersFull``.
    """

    name = "worker-draining"
    about = "the only worker for this agent was draining"
    advice = "Start the new worker before you stop the old one."
    said = (
        agents("worker.py"),
        Page.LIFECYCLE,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        yield from super().find(call)
        for refused, evidence in refusals(call, "draining"):
            yield self.found(f"{offered_to(refused)} the job while draining.", *evidence)

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        there = [w for w in same if w.standing(created.time) not in GONE]
        draining = [w for w in there if w.standing(created.time) is Kind.WORKER_DRAINING]
        if draining and len(draining) == len(there):
            yield self.found(
                f"The dispatch for {agent_named(dispatch.agent_name)} found only a worker that was draining.",
                created,
                *(w.at(Kind.WORKER_DRAINING) for w in draining),
                certain=all(is_alive(worker, created.time) for worker in draining),
            )
