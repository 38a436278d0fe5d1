"""A worker was registered and available, and the server did not offer it the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import agents, server
from tracer.server_defaults import TARGET_LOAD
from tracer.units import NS_PER_S
from tracer.why.call.dispatches import agent_named
from tracer.why.call.limits import SOON
from tracer.why.call.workers import is_alive
from tracer.why.missing.overbooked import WorkerOverbooked
from tracer.why.missing.unavailable import WorkersFull
from tracer.why.missing.without_job import MOST_WORKERS, WithoutJob
from tracer.why.missing.worker_disconnected import WorkerDisconnected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Worker
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["LoadAboveLimit", "OtherDeployment", "WorkerNotAsked"]


def _available(same: list[Worker], at: int) -> list[Worker]:
    """Those of these workers that were ready for jobs at a time, ns, as far as they reported."""
    return [w for w in same if w.standing(at) in (Kind.WORKER_REGISTERED, Kind.WORKER_AVAILABLE)]


class LoadAboveLimit(WithoutJob):
    """The server asks nobody while every worker of the name reports a load of its own limit or more.

    ``agents.target_load`` is 0.7 by default, whatever the workers' load_threshold: in dev mode a worker has none, and
    is AVAILABLE at any load. Known from the load that workers report; certain while those with such a load still report
    something, and all did. Where none reported a load, likely of a worker that was asked in another room before or
    after, under the same id. Source: livekit-server 1.13.5, pkg/service/agentservice.go, ``JobRequestAffinity``.
    """

    name = "load-above-limit"
    about = "every worker for this agent reported a load above the server's limit (agents.target_load)"
    advice = (
        "Run fewer jobs on a machine, or more workers; or give the worker a load_fnc that measures what limits it: by"
        " default it is the CPU load of the whole machine. The limit is agents.target_load in livekit-server's"
        " configuration (0.7 by default); the worker's load_threshold does not change it."
    )
    said = (
        server("pkg/service/agentservice.go"),
        server("pkg/agent/config.go"),
    )

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        available = _available(same, created.time)
        loads = {w.sid: w.loads(created.time - SOON, created.time + SOON) for w in available}
        above = [w for w in available if loads[w.sid] and all(map(_is_above, loads[w.sid]))]
        below = [w for w in available if loads[w.sid] and w not in above]
        if any(is_alive(w, created.time) or call.workers.reported_later(w, created.time) for w in below):
            return
        if above:
            reports = [loads[worker.sid][-1] for worker in above]
            most = max(float(step.facts[keys.WORKER_LOAD]) for step in reports)
            which = f"worker {above[-1].sid}" if len(above) == 1 else f"{len(above)} workers"
            yield self.found(
                f"{call.dispatches.in_vain(dispatch)}: {which} reported a load of"
                f" {most:.2f}, and the server offers jobs to none whose load is {TARGET_LOAD} or more.",
                created,
                *reports[-MOST_WORKERS:],
                certain=above == available and all(is_alive(worker, created.time) for worker in above),
            )
            return
        for worker in available if call.workers.are_of_one_server else ():
            later = call.workers.reported_later(worker, created.time)
            if later and call.workers.asked(worker) and not loads[worker.sid] and not _lost(call, created, same):
                after = (later.time - created.time) / NS_PER_S
                yield self.found(
                    f"Worker {worker.sid} was registered for {agent_named(dispatch.agent_name)}, was still running"
                    f" {after:.0f} s later, and was not offered the job: so it is where the load that it reports is"
                    f" above the server's limit ({TARGET_LOAD}).",
                    created,
                    worker.at(Kind.WORKER_REGISTERED),
                    later,
                    certain=False,
                )
                return


def _is_above(report: Step) -> bool:
    return float(report.facts[keys.WORKER_LOAD]) >= TARGET_LOAD


def _lost(call: Call, created: Step, same: list[Worker]) -> bool:
    """Whether a lost connection explains it."""
    dispatches = (d for d, at in call.dispatches.without_job if at is created)
    return any(True for d in dispatches for _ in WorkerDisconnected().judge(call, d, created, same))


class OtherDeployment(WithoutJob):
    """A dispatch is for one deployment of an agent; workers of another one are not asked.

    Known from the deployment that workers registered for (LIVEKIT_AGENT_DEPLOYMENT). What a dispatch asks for, no API
    lists: so never certain, and never of a worker that was asked in this room or in those of its name beside it.
    """

    name = "other-deployment"
    about = "every worker for this agent was registered for a deployment, which the dispatch may not ask for"
    advice = (
        "Start the worker without LIVEKIT_AGENT_DEPLOYMENT, or dispatch with the same deployment: the server matches"
        " the two letter by letter."
    )
    said = (
        server("pkg/service/agentservice.go"),
        agents("worker.py"),
    )

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        available = _available(same, created.time)
        asked = {worker.deployment for worker in same if call.workers.asked(worker)}
        if not available or any(not w.deployment or w.deployment in asked for w in available):
            return
        if any(True for _ in LoadAboveLimit().judge(call, dispatch, created, same)) or _lost(call, created, same):
            return
        deployments = sorted({repr(worker.deployment) for worker in available})
        yield self.found(
            f"{call.dispatches.in_vain(dispatch)}; its only workers are registered for"
            f" deployment {', '.join(deployments)}.",
            created,
            *(worker.at(Kind.WORKER_REGISTERED) for worker in available[-MOST_WORKERS:]),
            certain=False,
        )


EXPLAINED = (WorkersFull(), WorkerOverbooked(), WorkerDisconnected(), LoadAboveLimit(), OtherDeployment())
"""What explains that a worker was not asked."""


class WorkerNotAsked(WithoutJob):
    """A worker was registered and available, and the server offered it nothing: mostly it is gone.

    Known from the worker's last report before the dispatch; a worker that is killed, or cut off, reports no end. Never
    certain, for that reason. Of one that still ran afterwards the server's own settings are why: no API shows them.
    """

    name = "worker-not-asked"
    about = "a worker for this agent was registered, and was not offered the job"
    advice = (
        "Check that the worker still runs and is connected to this server and project: one that is killed, or cut off,"
        " cannot report it. The server's log has a line for each job that it could not place."
    )
    WHERE = " It registered with {server}."
    STILL_RAN = (
        "The worker was there, and the server did not count on it: compare the load that it reported{load} with"
        " agents.target_load in livekit-server's configuration (0.7 by default), and the server that it is registered"
        " with{server} with the room's. The server's log has a line for each job that it could not place."
    )
    said = (
        server("pkg/service/agentservice.go"),
        server("pkg/agent/config.go"),
    )

    def judge(self, call: Call, dispatch: Dispatch, created: Step, same: list[Worker]) -> Iterator[Finding]:
        there = _available(same, created.time)
        if not there or not call.workers.are_of_one_server:
            return
        if any(True for cause in EXPLAINED for _ in cause.judge(call, dispatch, created, same)):
            return
        reports = ((worker, call.workers.reported_later(worker, created.time)) for worker in there)
        worker, later = next(((w, step) for w, step in reports if step), (there[-1], None))
        end = (
            f"job, though it was still running {(later.time - created.time) / NS_PER_S:.0f} s later."
            if later
            else "job: it is probably no longer running or connected."
        )
        loads = worker.loads(created.time - SOON, created.time + SOON)
        load = f" ({float(loads[-1].facts[keys.WORKER_LOAD]):.2f})" if loads else ""
        at = worker.text(keys.WORKER_SERVER)
        where = f" ({at})" if at else ""
        gone = self.advice + (self.WHERE.format(server=at) if at else "")
        yield self.found(
            f"Worker {worker.sid} was registered for {agent_named(dispatch.agent_name)}, and was not offered the {end}",
            created,
            later or worker.steps[-1],
            certain=False,
            advice=self.STILL_RAN.format(load=load, server=where) if later else gone,
        )
