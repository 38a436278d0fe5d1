"""More agents than wanted, or another one than wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.moment import Kind
from tracer.units import NS_PER_S
from tracer.why.cause import Cause, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Job
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["DOUBLED"]

TOGETHER = 2 * NS_PER_S
"""Who hands over to another is together with them for less than this, ns."""
ANEW = 10 * NS_PER_S
"""An agent that is asked for this long after another has come, ns, may be wanted in its place, or beside it."""


def _pairs(case: Call) -> Iterator[tuple[Dispatch, Job, Dispatch, Job]]:
    """Two dispatches that each brought an agent for the whole room, both there at one time."""
    served = [
        (dispatch, job)
        for dispatch in case.timeline.dispatches
        for job in case.jobs_of[dispatch.sid]
        if job.sid in case.agent_of and case.is_room_job(job)
    ]
    stays = [(case.agent_of[job.sid].steps[0].time, case.gone(case.agent_of[job.sid])) for _, job in served]
    for number, (two, second) in enumerate(served):
        told = set()
        for (one, first), (came, gone) in zip(served[:number], stays, strict=False):
            # Of a hundred, each is told of once: beside one of its own name, one of another, and one without.
            if case.agent_of[first.sid].sid == case.agent_of[second.sid].sid:
                continue  # one identity for all, and so not to be told apart
            beside = (one.agent_name == two.agent_name, bool(one.agent_name))
            if beside in told or one is two:
                continue
            if min(gone, stays[number][1], case.end) - max(came, stays[number][0]) > TOGETHER:
                told.add(beside)
                yield one, first, two, second


def _at_once(case: Call, first: Job, two: Dispatch) -> bool:
    """Whether both were asked for as the call began: later, somebody may take over from one who is dead or leaves."""
    active, asked = case.agent_of[first.sid].at(Kind.PARTICIPANT_ACTIVE), two.at(Kind.DISPATCH_CREATED)
    return not active or not asked or asked.time - active.time < ANEW


class DispatchedTwice(Cause):
    """Each dispatch brings an agent; nobody looks whether there is one."""

    name = "dispatched-twice"
    symptom = Symptom.DOUBLED
    about = "the same agent was dispatched twice"
    advice = "Ask for it in one place: the token, CreateRoom or CreateDispatch. ListDispatch shows what was asked for."

    def find(self, case: Call) -> Iterator[Finding]:
        for one, first, two, second in _pairs(case):
            if one.agent_name == two.agent_name and one.agent_name is not None:
                modes = " and ".join(d.mode or "one whose way is not known" for d in (one, two))
                yield self.found(
                    f"Two dispatches for {case.agent_named(one.agent_name)} ({modes}) brought two agents:"
                    f" {case.who(case.agent_of[first.sid])} and {case.who(case.agent_of[second.sid])}.",
                    one.at(Kind.DISPATCH_CREATED),
                    two.at(Kind.DISPATCH_CREATED),
                    first.at(Kind.JOB_OFFERED),
                    second.at(Kind.JOB_OFFERED),
                    certain=_at_once(case, first, two),
                )


class DefaultAndNamed(Cause):
    """CreateDispatch does not take the place of the automatic dispatch."""

    name = "default-and-named"
    symptom = Symptom.DOUBLED
    about = "an agent without a name came with the room, and a named one was dispatched too"
    advice = (
        "Give every worker an agent_name: one without a name is sent to every room that names no agents when it is"
        " made. Or name the agent in the token or CreateRoom, which takes the place of the automatic dispatch."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        for one, first, two, second in _pairs(case):
            names = {one.agent_name, two.agent_name}
            if "" in names and len(names) > 1 and None not in names:
                named = one if one.agent_name else two
                yield self.found(
                    f"The automatic dispatch brought an agent without a name, and the {named.mode or 'other'} one"
                    f" brought {named.agent_name!r}: both are in the room.",
                    one.at(Kind.DISPATCH_CREATED),
                    two.at(Kind.DISPATCH_CREATED),
                    first.at(Kind.JOB_OFFERED),
                    second.at(Kind.JOB_OFFERED),
                    certain=_at_once(case, first, two),
                )


class ForeignWorker(Cause):
    """The server gives a job to any worker of that name: a colleague's, or the one forgotten on a laptop."""

    name = "foreign-worker"
    symptom = Symptom.DOUBLED
    about = "another worker took the job than those that tell of themselves"
    advice = (
        "Look for a worker of that name with the same API key: a laptop, an old deployment. Use an agent_name, or a"
        " project, of your own while you develop."
    )

    def find(self, case: Call) -> Iterator[Finding]:
        known = {worker.sid for worker in case.known_workers}
        for job in case.timeline.jobs:
            offered = job.at(Kind.JOB_OFFERED)
            if not offered or not job.worker_id or job.worker_id in known or case.told_by_agent(job):
                continue
            ours = [
                worker
                for worker in case.workers(job.agent_name)
                if worker.standing(offered.time) not in (None, Kind.WORKER_CLOSED)
            ]
            if ours and job.sid in case.agent_of:
                yield self.found(
                    f"Job {job.sid} went to worker {job.worker_id}, which tells nothing of itself, although"
                    f" {ours[-1].sid} was registered under the same name.",
                    offered,
                    ours[-1].at(Kind.WORKER_REGISTERED),
                    case.agent_of[job.sid].at(Kind.PARTICIPANT_JOINING),
                    certain=False,  # it may be one of ours that is not instrumented, or whose word was lost
                )


DOUBLED = (DispatchedTwice(), DefaultAndNamed(), ForeignWorker())
"""Its causes."""
