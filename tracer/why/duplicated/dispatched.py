"""Two dispatches that each brought an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.units import NS_PER_S
from tracer.why.call.dispatches import agent_named
from tracer.why.call.jobs import is_room_job
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["DefaultAndNamed", "DispatchedTwice"]

TOGETHER = 2 * NS_PER_S
"""Who hands over to another is together with them for less than this, ns."""
ANEW = 10 * NS_PER_S
"""An agent that is dispatched this long after another has come, ns, may be wanted in its place, or beside it."""


def _pairs(call: Call) -> Iterator[tuple[Dispatch, Job, Dispatch, Job]]:
    """Two dispatches that each brought an agent for the whole room, both there at one time."""
    served = [
        (dispatch, job)
        for dispatch in call.timeline.dispatches
        for job in call.dispatches.jobs[dispatch.sid]
        if job.sid in call.agents.of_jobs and is_room_job(job)
    ]
    agents = [call.agents.of_jobs[job.sid] for _, job in served]
    stays = [(agent.steps[0].time, call.left_at(agent)) for agent in agents]
    for number, (two, second) in enumerate(served):
        found = set()
        for other, (one, first) in enumerate(served[:number]):
            if agents[other].sid == agents[number].sid:
                continue  # one identity for all, so it is unknown which job this agent is
            # Of a hundred, each is named once: beside one of its own name, one of another, and one without.
            beside = (one.agent_name == two.agent_name, bool(one.agent_name))
            if beside in found or one is two:
                continue
            together = min(stays[other][1], stays[number][1], call.end) - max(stays[other][0], stays[number][0])
            if together > TOGETHER:
                found.add(beside)
                yield one, first, two, second


def _evidence(one: Dispatch, first: Job, two: Dispatch, second: Job) -> tuple[Step | None, ...]:
    created = (one.at(Kind.DISPATCH_CREATED), two.at(Kind.DISPATCH_CREATED))
    return (*created, first.at(Kind.JOB_OFFERED), second.at(Kind.JOB_OFFERED))


def _as_the_call_began(call: Call, first: Job, two: Dispatch) -> bool:
    """Whether both were dispatched as the call began: later, one may take over from one that is dead or leaves."""
    active, created = call.agents.of_jobs[first.sid].at(Kind.PARTICIPANT_ACTIVE), two.at(Kind.DISPATCH_CREATED)
    return not active or not created or created.time - active.time < ANEW


class DispatchedTwice(Cause):
    """Each dispatch brings an agent; the server does not check whether there is one.

    Known from two dispatches of one name, and two agents of theirs that were in the room together. Certain where both
    were dispatched as the call began.
    """

    name = "dispatched-twice"
    symptom = Symptom.DUPLICATED
    about = "the same agent was dispatched twice"
    advice = (
        "Dispatch it in one place: the token, CreateRoom or CreateDispatch. ListDispatch shows what was dispatched."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for one, first, two, second in _pairs(call):
            if one.agent_name == two.agent_name and one.agent_name is not None:
                modes = " and ".join(dispatch.mode or "of unknown origin" for dispatch in (one, two))
                names = " and ".join(name_of(call.agents.of_jobs[job.sid]) for job in (first, second))
                yield self.found(
                    f"Two dispatches for {agent_named(one.agent_name)} ({modes}) brought two agents: {names}.",
                    *_evidence(one, first, two, second),
                    certain=_as_the_call_began(call, first, two),
                )


class DefaultAndNamed(Cause):
    """CreateDispatch does not replace the automatic dispatch.

    Known as ``DispatchedTwice``, from one dispatch with a name and one without.
    """

    name = "default-and-named"
    symptom = Symptom.DUPLICATED
    about = "an unnamed agent was dispatched automatically, and a named one was dispatched too"
    advice = (
        "Give every worker an agent_name: an unnamed one is dispatched to every room that lists no agents when it is"
        " created. Or list the agent in the token or CreateRoom, which replaces the automatic dispatch."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for one, first, two, second in _pairs(call):
            names = {one.agent_name, two.agent_name}
            if "" in names and len(names) > 1 and None not in names:
                named = one if one.agent_name else two
                yield self.found(
                    f"The automatic dispatch brought an unnamed agent, and the {named.mode or 'other'} one brought"
                    f" {named.agent_name!r}: both are in the room.",
                    *_evidence(one, first, two, second),
                    certain=_as_the_call_began(call, first, two),
                )
