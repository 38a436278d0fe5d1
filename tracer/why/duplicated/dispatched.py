"""Two dispatches that each brought an agent, or one that brought two."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, server
from tracer.timeline.entities import Participant
from tracer.units import NS_PER_S
from tracer.why.call.dispatches import agent_named
from tracer.why.call.jobs import is_room_job
from tracer.why.call.limits import NOTICED, STUCK_BY
from tracer.why.call.participants import BY_ITSELF, name_of
from tracer.why.call.serving import over_at
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Dispatch, Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["DefaultAndNamed", "DispatchedTwice", "TwoJobTypes"]

TOGETHER = 2 * NS_PER_S
"""Who hands over to another is together with them for less than this, ns, where both were dispatched as it began."""
ANEW = 10 * NS_PER_S
"""An agent that is dispatched this long after another has come, ns, may be wanted in its place, or beside it."""


class _Pair(NamedTuple):
    """Two jobs whose agents were for the same people, and in the room at one time."""

    one: Dispatch
    first: Job
    two: Dispatch
    second: Job
    whom: Participant | None
    """The only one that either is for; None where both are for the whole room."""


def _pairs(call: Call) -> Iterator[_Pair]:
    """Two jobs that each brought an agent for the same people, both there at one time."""
    served = [
        (dispatch, job)
        for dispatch in call.timeline.dispatches
        for job in call.dispatches.jobs[dispatch.sid]
        if job.sid in call.agents.of_jobs and (is_room_job(job) or job.text(keys.JOB_PARTICIPANT_ID))
    ]
    agents = [call.agents.of_jobs[job.sid] for _, job in served]
    # Where a leave was lost, the job's own end tells that it is over.
    came = [agent.steps[0].time for agent in agents]
    stays = [(since, over_at(call, job, since)) for since, (_, job) in zip(came, served, strict=True)]
    for number, (two, second) in enumerate(served):
        found = set()
        for other, (one, first) in enumerate(served[:number]):
            if agents[other].sid == agents[number].sid:
                continue  # one identity for all, so it is unknown which job this agent is
            whom = {job.text(keys.JOB_PARTICIPANT_ID) for job in (first, second) if not is_room_job(job)}
            if len(whom) > 1:
                continue  # each is for a caller of its own
            # Of a hundred, each is named once: beside one of its own dispatch, one of its name, one of another, and
            # one without.
            beside = (one is two, one.agent_name == two.agent_name, bool(one.agent_name))
            if beside in found:
                continue
            together = min(stays[other][1], stays[number][1], call.end) - max(stays[other][0], stays[number][0])
            if together > _may_be_together(agents[other], two, second):
                found.add(beside)
                person = call.timeline.by_sid.get(whom.pop() or "") if whom else None
                yield _Pair(one, first, two, second, person if isinstance(person, Participant) else None)


def _may_be_together(agent: Participant, dispatch: Dispatch, job: Job) -> int:
    """How long, ns, an agent may be there with one that was dispatched later, to hand over to it."""
    return STUCK_BY if _after(agent, dispatch, job) > NOTICED else TOGETHER


def _after(agent: Participant, dispatch: Dispatch, job: Job) -> int:
    """How long after an agent came another was dispatched, ns, by the first that is known of either."""
    dispatched = min(step.time for step in (*dispatch.steps, *job.steps))
    return dispatched - (agent.at(Kind.PARTICIPANT_ACTIVE) or agent.steps[0]).time


def _for_whom(pair: _Pair) -> str:
    return f" for {name_of(pair.whom)}" if pair.whom else ""


def _agents(call: Call, pair: _Pair) -> str:
    return " and ".join(name_of(call.agents.of_jobs[job.sid]) for job in (pair.first, pair.second))


def _evidence(pair: _Pair) -> tuple[Step | None, ...]:
    created = (pair.one.at(Kind.DISPATCH_CREATED), pair.two.at(Kind.DISPATCH_CREATED))
    return (*created, pair.first.at(Kind.JOB_OFFERED), pair.second.at(Kind.JOB_OFFERED))


def _is_sure(call: Call, pair: _Pair) -> bool:
    """Whether one cannot take over from the other: both were dispatched as the call began, and none left the caller.

    Who is not known to have left a room that is over may have left at any time.
    """
    agents = [call.agents.of_jobs[job.sid] for job in (pair.first, pair.second)]
    if call.timeline.room.finished and not all(agent.gone for agent in agents):
        return False
    leaver = min(agents, key=call.left_at)
    if leaver.disconnect_reason == BY_ITSELF and not call.callers.all_left_by(call.left_at(leaver)):
        return False
    return _after(agents[0], pair.two, pair.second) < ANEW


class DispatchedTwice(Cause):
    """Each dispatch brings an agent; the server does not check whether there is one.

    Known from two dispatches of one name, and two agents of theirs for the same people (the room, or one participant)
    that were in the room together. Certain where both were dispatched as the call began, and neither left by itself
    while a caller was there: it may have handed over, late.
    """

    name = "dispatched-twice"
    symptom = Symptom.DUPLICATED
    about = "the same agent was dispatched twice"
    advice = (
        "Dispatch it in one place: the token, CreateRoom or CreateDispatch. ListDispatch shows what was dispatched."
    )
    said = (
        server("pkg/service/agent_dispatch_service.go"),
        Page.DISPATCH,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for pair in _pairs(call):
            one, two = pair.one, pair.two
            if call.taken_over and two is call.taken_over.dispatch:
                continue  # nobody asked for it
            if one is not two and one.agent_name == two.agent_name and one.agent_name is not None:
                modes = " and ".join(dispatch.mode or "of unknown origin" for dispatch in (one, two))
                yield self.found(
                    f"Two dispatches for {agent_named(one.agent_name)} ({modes}) brought two agents{_for_whom(pair)}:"
                    f" {_agents(call, pair)}.",
                    *_evidence(pair),
                    certain=_is_sure(call, pair),
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
    said = (
        server("pkg/service/agent_dispatch_service.go"),
        Page.DISPATCH,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for pair in _pairs(call):
            names = {pair.one.agent_name, pair.two.agent_name}
            if "" in names and len(names) > 1 and None not in names:
                named = pair.one if pair.one.agent_name else pair.two
                yield self.found(
                    f"The automatic dispatch brought an unnamed agent, and the {named.mode or 'other'} one brought"
                    f" {named.agent_name!r}: both are in the room.",
                    *_evidence(pair),
                    certain=_is_sure(call, pair),
                )


class TwoJobTypes(Cause):
    """A dispatch is answered once for each type of worker: by room, by participant, and by publisher.

    Known from one dispatch with a job for the room and one of another type, whose agents are for the same caller and
    were in the room together (livekit-server v1.13.5, pkg/service/roommanager.go launches a job of each enabled type).
    An agent for each participant beside one for each publisher is meant so: nobody gets both by a default.
    """

    name = "two-job-types"
    symptom = Symptom.DUPLICATED
    about = "two agents came from one dispatch, because workers of two job types take the same name"
    advice = (
        "Register all workers of one agent_name with the same type (WorkerType.ROOM or WorkerType.PUBLISHER in"
        " rtc_session(type=…)), or give those of another type another name."
    )
    said = (server("pkg/service/roommanager.go"),)

    def find(self, call: Call) -> Iterator[Finding]:
        for pair in _pairs(call):
            types = [job.text(keys.JOB_TYPE) or "JT_ROOM" for job in (pair.first, pair.second)]
            if pair.one is pair.two and types[0] != types[1] and "JT_ROOM" in types:
                yield self.found(
                    f"The dispatch for {agent_named(pair.one.agent_name)} brought two agents{_for_whom(pair)}:"
                    f" {_agents(call, pair)}. One came by {types[0]}, the other by {types[1]}.",
                    *_evidence(pair),
                )
