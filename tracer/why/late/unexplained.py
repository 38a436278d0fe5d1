"""The agent joined late, and the recorded events don't explain why."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page
from tracer.units import NS_PER_S
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.late.server import SlowOffer
from tracer.why.late.slow_code import SlowCode
from tracer.why.late.starved import StarvedMachine
from tracer.why.late.stretches import ColdProcess, SlowAnswer, SlowConnect
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["LateUnexplained"]

LATE = 5 * NS_PER_S
"""From the offer to JOINING it takes 0.1 to 0.5 s with a warm process, and 2 to 4 s with a cold one, ns."""
NAMED: tuple[Cause, ...] = (ColdProcess(), SlowOffer(), SlowAnswer(), SlowConnect(), SlowCode(), StarvedMachine())
"""Causes that explain where the time went."""


class LateUnexplained(Cause):
    """Between the offer and JOINING passed time that no witness accounts for.

    Known from the offer and from the agent's JOINING, both by the server's clock, as far as a caller was there and had
    no other agent, and without what another cause of lateness explains. Where the server listed no job, from the
    room's only dispatch.
    """

    name = "late-unexplained"
    symptom = Symptom.LATE
    about = "the agent joined late, and the recorded events don't explain where the time went"
    advice = (
        "Only the worker's own reports distinguish a slow request_fnc, a process that had to start, code before"
        " ctx.connect(), and a slow connection. Until it reports (see `tracer doctor`), compare the times in its log:"
        " “received job request”, “initializing process”, and the entrypoint's first line."
    )
    said = (Page.LIFECYCLE,)

    def find(self, call: Call) -> Iterator[Finding]:
        active = call.callers.first_active
        if active is None:
            return
        for agent, asked, what, steps in _asked(call):
            joining = agent.at(Kind.PARTICIPANT_JOINING)
            if joining is None:
                continue
            since, until = max(asked.latest, active), joining.earliest
            waited = until - since
            if waited <= LATE or call.callers.all_left_by(until) or _had_another(call, agent, since, until):
                continue
            if waited - _explained(call, asked.subject, since, until) <= LATE:
                continue
            known = [step for step in steps if asked.time <= step.time <= joining.time]
            start, end = max(pairwise([asked, *known, joining]), key=lambda two: two[1].time - two[0].time)
            where = "nothing in between was reported"
            if known:
                took = (end.time - start.time) / NS_PER_S
                where = f"{took:.1f} s of it passed between “{start.kind}” and “{end.kind}”"
            late = (until - asked.latest) / NS_PER_S
            yield self.found(f"{name_of(agent)} joined {late:.1f} s after {what}: {where}.", asked, start, end, joining)


def _asked(call: Call) -> Iterator[tuple[Participant, Step, str, list[Step]]]:
    """Each agent, what asked for it, that in words, and what is known to have happened after."""
    for job in call.timeline.jobs:
        agent, offered = call.agents.of(job), job.at(Kind.JOB_OFFERED)
        if agent and offered and not agent.is_avatar:
            later = [step for step in job.steps if step.kind is not Kind.JOB_OFFERED and "agent" in step.witnesses]
            yield agent, offered, f"job {job.sid} was offered", later
    alone = [agent for agent in call.agents.unaccounted if agent.sid not in call.agents.of_earlier_room]
    if len(alone) == 1 and not call.timeline.jobs and len(call.timeline.dispatches) == 1:
        awaited = call.dispatches.awaited.get(call.timeline.dispatches[0].sid)
        if awaited:
            yield alone[0], awaited, "it was dispatched", []


def _had_another(call: Call, agent: Participant, since: int, until: int) -> bool:
    """Whether another agent was in the room while this one was awaited: then nobody waited for it alone."""
    others = (one for one in call.agents.all if one.sid != agent.sid and not one.is_avatar)
    return any(one.steps[0].time < until and call.left_at(one) > since for one in others)


def _explained(call: Call, job: str, since: int, until: int) -> int:
    """How much of the time between is what another cause found, ns."""
    spans = []
    for cause in NAMED:
        for finding in cause.find(call):
            if job in {step.subject for step in finding.evidence}:
                times = [step.time for step in finding.evidence]
                spans.append((max(min(times), since), min(max(times), until)))
    total, reached = 0, since
    for start, end in sorted(spans):
        total += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return total
