"""Which dispatches have no job though they should, and which agents are in the room without a known job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.timeline.entities import Dispatch, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["awaited_since", "dispatches_without_job", "is_optional", "unaccounted_agents", "unaccounted_until"]

NEVER_BEFORE = 2**63
"""A time later than every other, ns."""


def unaccounted_agents(timeline: Timeline) -> list[Participant]:
    """Agents in the room of which no job is known: the server lists jobs up to 5 s late, or never.

    An avatar is none: no dispatch asks for it. Nor is the second try of a job whose first try to join was lost.
    """
    sids = {agent.sid for agent in timeline.agent_by_job.values()}
    identities = {job.participant_identity for job in timeline.jobs} - {None}
    return [
        agent
        for agent in timeline.agents
        if not agent.is_avatar and agent.sid not in sids and agent.identity not in identities
    ]


def unaccounted_until(timeline: Timeline) -> int:
    """Before when a dispatch can have brought an unaccounted agent, ns; 0 where there is none.

    Such an agent can be of any dispatch made before it joined, and of none made later.
    """
    joins = (agent.at(Kind.PARTICIPANT_JOINING) for agent in unaccounted_agents(timeline))
    return max((joining.latest if joining else NEVER_BEFORE for joining in joins), default=0)


def dispatches_without_job(timeline: Timeline) -> list[tuple[Dispatch, Step]]:
    """Dispatches of which no job is known though one should be, each with the step after which it should come.

    Not those that an unaccounted agent can be of, nor those that are for nobody yet. An unnamed dispatch matters only
    where no agent came and none was asked for by name: a room gets it unasked.
    """
    until = unaccounted_until(timeline)
    awaited = awaited_since(timeline)
    found = []
    for dispatch in timeline.dispatches:
        created = dispatch.at(Kind.DISPATCH_CREATED)
        if created is None or dispatch.jobs or dispatch.sid not in awaited:
            continue
        if created.earliest > until and not is_optional(timeline, dispatch):
            found.append((dispatch, awaited[dispatch.sid]))
    return found


def is_optional(timeline: Timeline, dispatch: Dispatch) -> bool:
    """Whether a dispatch need bring no agent: the unnamed one where another agent came or was asked for by name."""
    if dispatch.agent_name:
        return False
    came = any(not agent.is_avatar for agent in timeline.agents)
    return came or any(other.agent_name for other in timeline.dispatches)


def awaited_since(timeline: Timeline) -> dict[str, Step]:
    """For each dispatch's id after which step its job should come; it is left out while it is for nobody yet.

    Workers can be sent to each participant, or to each that publishes: there is no job before there is one.
    """
    types: dict[str, set[str | None]] = {}
    for worker in timeline.workers:
        types.setdefault(worker.agent_name, set()).add(worker.job_type)
    dependents = {p.sid for p in timeline.participants if p.is_dependent}
    joins = (p.steps[0] for p in timeline.participants if p.sid not in dependents)
    tracks = (step for t in timeline.tracks if t.participant not in dependents and (step := t.at(Kind.TRACK_PUBLISHED)))
    first = {
        "JT_PARTICIPANT": min(joins, key=lambda step: step.time, default=None),
        "JT_PUBLISHER": min(tracks, key=lambda step: step.time, default=None),
    }
    found = {}
    for dispatch in timeline.dispatches:
        step = dispatch.at(Kind.DISPATCH_CREATED)
        of_name = types.get(dispatch.agent_name or "", set())
        if len(of_name) == 1 and (kind := next(iter(of_name))) in first:
            came = first[str(kind)]
            step = max(step, came, key=lambda step: step.time) if step and came else None
        if step:
            found[dispatch.sid] = step
    return found
