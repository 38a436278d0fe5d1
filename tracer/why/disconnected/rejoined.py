"""Somebody joined the same room when its agent had left."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, server
from tracer.units import NS_PER_S
from tracer.why.call.jobs import is_room_job
from tracer.why.call.limits import LONG_ENOUGH, SOON
from tracer.why.call.participants import can_talk, name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["RejoinedWithoutAgent"]


@dataclass(frozen=True)
class _Stay:
    """A caller's time in the room; times in ns."""

    caller: Participant
    joining: Step
    active: Step
    until: int

    def alone(self, helped: Step | None, left: int) -> int:
        """For how long they were without the agent that left then, ns: to the end, or until help came."""
        return (helped.time if helped else self.until) - max(self.active.time, left)


class RejoinedWithoutAgent(Cause):
    """A caller who came when no agent was there, and none was asked for.

    A dispatch belongs to the creation of the room: whoever joins the same room later brings none. Known from the
    agent's leave, the caller's join, and the dispatches and jobs of which there is none in between. Not certain
    without any dispatch on record: then nothing observed them.
    """

    name = "rejoined-without-agent"
    symptom = Symptom.DISCONNECTED
    about = "a caller joined when the agent had left, and no new one was dispatched"
    advice = (
        "The agent is dispatched once, with the room. Keep its job running while the room is open"
        " (close_on_disconnect=False, no ctx.shutdown() when the caller leaves), or call CreateDispatch when the caller"
        " comes back."
    )
    said = (
        server("pkg/rtc/room.go"),
        Page.DISPATCH,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        if not all(map(is_room_job, call.timeline.jobs)):
            return  # of jobs for one participant, each who joins brings one
        help_steps = _agents_and_requests(call)
        for stay in _stays(call):
            agent = _last_agent_to_leave(call, stay)
            if agent is None or _agent_was_there(call, stay) or _handed_over(call, stay, agent):
                continue
            helped = _first_help(help_steps, agent, stay)
            if stay.alone(helped, call.left_at(agent)) >= LONG_ENOUGH:
                yield self._finding(call, stay, agent, helped)

    def _finding(self, call: Call, stay: _Stay, agent: Participant, helped: Step | None) -> Finding:
        came = "came back" if _was_here_before(call, stay) else "joined"
        left = call.left_at(agent)
        gone = f"when {name_of(agent)} had left" if left <= stay.joining.time else f"as {name_of(agent)} left"
        return self.found(
            f"{name_of(stay.caller)} {came} {gone}; the room was the same, so no agent was"
            f" dispatched, and they were alone for {stay.alone(helped, left) / NS_PER_S:.1f} s.",
            agent.gone,
            stay.joining,
            helped or stay.caller.gone,
            certain=any(dispatch.at(Kind.DISPATCH_CREATED) for dispatch in call.timeline.dispatches),
        )


def _stays(call: Call) -> Iterator[_Stay]:
    """The callers who were ACTIVE for long enough to miss an agent."""
    for caller in call.callers.all:
        joining, active = caller.at(Kind.PARTICIPANT_JOINING), caller.at(Kind.PARTICIPANT_ACTIVE)
        until = min(call.seen_until(caller), call.end)
        if joining and active and can_talk(caller) and until - active.time >= LONG_ENOUGH:
            yield _Stay(caller, joining, active, until)


def _agents_and_requests(call: Call) -> list[Step]:
    """All that may help a caller who is alone: agents that join, jobs offered, agents dispatched; in order of time."""
    joins = [agent.steps[0] for agent in call.agents.all]
    offers = [step for job in call.timeline.jobs if (step := job.at(Kind.JOB_OFFERED))]
    dispatches = [step for d in call.timeline.dispatches if (step := d.at(Kind.DISPATCH_CREATED))]
    return sorted([*offers, *dispatches, *joins], key=lambda step: step.time)


def _first_help(steps: list[Step], agent: Participant, stay: _Stay) -> Step | None:
    """The first of these since this agent had left, until the end of a stay: backends dispatch one before the join."""
    left = agent.gone.time if agent.gone else stay.joining.time
    place = bisect_left(steps, min(left, stay.joining.time - SOON), key=lambda step: step.time)
    return steps[place] if place < len(steps) and steps[place].time < stay.until else None


def _last_agent_to_leave(call: Call, stay: _Stay) -> Participant | None:
    """The agent that had left last when the caller became ACTIVE; None where none had been there."""
    left = (agent for agent in call.agents.all if agent.gone and agent.gone.time <= stay.active.time + SOON)
    return max(left, key=call.left_at, default=None)


def _agent_was_there(call: Call, stay: _Stay) -> bool:
    """Whether an agent was in the room before the caller joined and after they became ACTIVE."""
    return any(
        agent.steps[0].time < stay.joining.time - SOON and call.left_at(agent) > stay.active.time + SOON
        for agent in call.agents.all
    )


def _handed_over(call: Call, stay: _Stay, agent: Participant) -> bool:
    """Whether the agent left another caller behind who was still there: then they talk with each other."""
    left = call.left_at(agent)
    with_it = (who for who in call.callers.all if who.steps[0].time <= left and not _is_same(who, stay.caller))
    return any(min(call.seen_until(who), call.end) > max(left, stay.active.time + SOON) for who in with_it)


def _was_here_before(call: Call, stay: _Stay) -> bool:
    """Whether the caller had been in the room and had left it."""
    return any(
        who.sid != stay.caller.sid and _is_same(who, stay.caller) and call.left_at(who) <= stay.joining.time
        for who in call.callers.all
    )


def _is_same(one: Participant, other: Participant) -> bool:
    """Whether two are one person; where identities are not recorded, nobody is known to be."""
    return one.sid == other.sid or (one.identity is not None and one.identity == other.identity)
