"""Agents that joined with an identity that was in the room: of another job, or of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer.kinds import Kind
from tracer.timeline.entities import Shutdown
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["DUPLICATE", "Replaced", "Retry", "replaced_agents", "retries"]

DUPLICATE = "DUPLICATE_IDENTITY"
"""Why somebody leaves of whose identity another one joined, in LiveKit's words."""
AT_MOST = 3 * NS_PER_S
"""The server disconnects the first so soon after the second has joined, ns: the time of a leave is a full second."""

TRIES_WITHIN = 5 * NS_PER_S
"""The SDK tries again this soon, ns, after its first connection was closed."""


class Replaced(NamedTuple):
    """An agent that was disconnected, and the one that took its place."""

    first: Participant
    second: Participant
    gone: Step
    joining: Step
    """When the second joined."""
    first_job: Job | None
    second_job: Job | None

    @property
    def are_two_jobs(self) -> bool:
        """Whether each is a job of its own."""
        return bool(self.first_job and self.second_job and self.first_job.sid != self.second_job.sid)


def replaced_agents(timeline: Timeline) -> Iterator[Replaced]:
    """Each, in the order in which they were disconnected.

    Known from the reason in a webhook; without one, from a job whose room is there and who reports itself
    disconnected just when the other joins.
    """
    jobs = {agent.sid: job for job in timeline.jobs if (agent := timeline.agent_of(job))}
    for first in sorted(timeline.agents, key=lambda agent: agent.gone.time if agent.gone else 0):
        gone, job = first.gone, jobs.get(first.sid)
        if gone is None or first.disconnect_reason not in (None, DUPLICATE):
            continue
        following = _joined_when(timeline, first, gone, job)
        if following is None:
            continue
        second, joining = following
        second_job = jobs.get(second.sid)
        yield Replaced(first, second, gone, joining, job, second_job)


def _joined_when(
    timeline: Timeline, first: Participant, gone: Step, job: Job | None
) -> tuple[Participant, Step] | None:
    """The agent of the same identity whose join disconnected this one."""
    shutdown = job.at(Kind.JOB_SHUTDOWN) if job else None
    by_room = shutdown if job and job.shutdown_reason == Shutdown.ROOM_GONE else None
    if first.disconnect_reason is None and by_room is None:
        return None
    since, until = gone.earliest - AT_MOST, gone.latest + NS_PER_S
    if first.disconnect_reason is None and by_room:
        since, until = by_room.time - NS_PER_S, by_room.time + NS_PER_S
    joins = (
        (other, joining)
        for other in timeline.agents
        if other.sid != first.sid
        and other.identity == first.identity
        and (joining := other.at(Kind.PARTICIPANT_JOINING))
    )
    near = [pair for pair in joins if since <= pair[1].time <= until and pair[1].time > first.steps[0].time]
    return min(near, key=lambda pair: abs(pair[1].time - gone.time), default=None)


class Retry(NamedTuple):
    """A job that joined twice: its first try got no answer."""

    job: Job
    first: Participant
    second: Participant
    first_joining: Step
    joining: Step
    gone: Step
    """When the first was gone."""


def retries(timeline: Timeline) -> Iterator[Retry]:
    """Each. The first try was never ACTIVE: an agent that was has lost its connection."""
    for job in timeline.jobs:
        second = timeline.agent_of(job)
        joining = second.at(Kind.PARTICIPANT_JOINING) if second else None
        if second is None or joining is None:
            continue
        for first in timeline.agents:
            began, gone = first.at(Kind.PARTICIPANT_JOINING), first.gone
            if began is None or gone is None or first.sid == second.sid or first.at(Kind.PARTICIPANT_ACTIVE):
                continue
            in_time = began.time < joining.time <= gone.latest + TRIES_WITHIN
            if in_time and _is_of(timeline, job, first):
                yield Retry(job, first, second, began, joining, gone)


def _is_of(timeline: Timeline, job: Job, first: Participant) -> bool:
    """Whether an agent that no job reported belongs to this one: by its identity or, without any, by the time."""
    if first.identity:
        alike = [other.sid for other in timeline.jobs if other.participant_identity == first.identity]
        return alike == [job.sid]
    connecting, connected = job.at(Kind.AGENT_CONNECTING), job.at(Kind.AGENT_CONNECTED)
    return bool(connecting and connected and connecting.time <= first.steps[0].time <= connected.time)
