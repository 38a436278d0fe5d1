"""Why a job shut down, where livekit-agents' own words do not show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.entities import Shutdown
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["shutdown"]

SOON = 3 * NS_PER_S
"""Within this time, ns, of a room's end or an agent's leave the server has its job end."""


def shutdown(timeline: Timeline, job: Job, step: Step) -> str:
    """Why it shut down, and livekit-agents' words for it."""
    reason = str(step.facts.get(keys.SHUTDOWN_REASON, ""))
    if reason == Shutdown.BY_WORKER:
        return f"{_from_outside(timeline, job, step)} ({reason})"
    if step.facts.get(keys.SHUTDOWN_BY_USER) is True:
        return f"by its own code: {reason}" if reason else "by its own code"
    return reason


def _from_outside(timeline: Timeline, job: Job, step: Step) -> str:
    """Why a worker ended a job: because it stops itself, or because the server had it do so."""
    finished = timeline.room.finished
    if finished and (finished.earliest <= step.latest or _near(finished, step)):
        return "the room closed"
    worker = job.worker_id
    stops = (Kind.WORKER_DRAINING, Kind.WORKER_CLOSED)
    if any(s.kind in stops and s.subject == worker and s.time <= step.time + SOON for s in timeline.steps):
        return "its worker stops"
    identity = job.participant_identity
    agent = timeline.agent_of(job)
    same = [a for a in timeline.agents if a is agent or (identity and a.identity == identity)]
    left = next((a for a in same if a.gone and a.gone.earliest <= step.latest and _near(a.gone, step)), None)
    if left:
        return f"the server ended it: its agent left, {left.disconnect_reason or 'for a reason that was not reported'}"
    return "the server ended it, or its worker stops"


def _near(one: Step, other: Step) -> bool:
    return one.earliest - SOON <= other.latest and other.earliest - SOON <= one.latest
