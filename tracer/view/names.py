"""What to call those that a timeline is about; harmless to print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.timeline.entities import Job, Participant, Track
from tracer.view.text import plain

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline

__all__ = ["created_by", "job_tag", "name_of"]

SHORTEST_TAG = 7
"""Characters of a job's id that are shown beside what happened to it: ``AJ_`` and four more, if these are enough."""


def name_of(timeline: Timeline, sid: str) -> str:
    """The name of a subject: its identity, else its SID or id; harmless to print."""
    entity = timeline.by_sid.get(sid)
    if isinstance(entity, Participant):
        return plain(entity.identity or entity.sid)
    if isinstance(entity, Track):
        return name_of(timeline, entity.participant) if entity.participant else plain(sid)
    return plain(sid)


def created_by(timeline: Timeline) -> str:
    """Whose join or which call made the room; empty where that is not known; harmless to print."""
    if timeline.creator:
        return f"{name_of(timeline, timeline.creator.sid)}'s join"
    return timeline.created_by.label if timeline.created_by else ""


def job_tag(timeline: Timeline, sid: str) -> str:
    """Which job it is: the shortest beginning of its id that no other job of the room has.

    Empty where the room has one job, and for what is about no job. An agent whose identity does not name its job has
    its job's tag.
    """
    if len(timeline.jobs) < 2:
        return ""
    entity = timeline.by_sid.get(sid)
    if isinstance(entity, Track) and entity.participant:
        entity = timeline.by_sid.get(entity.participant)
    if isinstance(entity, Participant):
        mine = [job for job, agent in timeline.agent_by_job.items() if agent.sid == entity.sid]
        return job_tag(timeline, mine[0]) if mine and mine[0] not in (entity.identity or "") else ""
    if not isinstance(entity, Job):
        return ""
    others = [job.sid for job in timeline.jobs if job.sid != sid]
    for length in range(SHORTEST_TAG, len(sid)):
        if not any(other.startswith(sid[:length]) for other in others):
            return plain(sid[:length])
    return plain(sid)
