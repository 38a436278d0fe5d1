"""What to call those that a timeline is about; harmless to print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.timeline.entities import Job, Participant, Track
from tracer.view.text import plain

if TYPE_CHECKING:
    from tracer.timeline.timeline import Timeline

__all__ = ["agent_number", "created_by", "job_tag", "name_of", "with_names"]

MADE = "agent-"
"""What livekit-agents puts before a job's id to make an identity of it."""
MOST_NUMBERED = 50
"""Agents of a room that have numbers instead: more are told apart by their ids as well."""
SHORTEST_TAG = 7
"""Characters of a job's id that are shown beside what happened to it: ``AJ_`` and four more, if these are enough."""


def name_of(timeline: Timeline, sid: str) -> str:
    """The name of a subject, which may be of the room before or after: its identity, else its SID; harmless to print.

    An agent of which livekit-agents made the identity is ``agent 1``, ``agent 2``: its id is that of its job.
    """
    entity = timeline.by_sid.get(sid)
    if isinstance(entity, Participant):
        if _has_made_identity(timeline, entity):
            return f"agent {agent_number(timeline, sid)}"
        return plain(entity.identity or entity.sid)
    if isinstance(entity, Track):
        return name_of(timeline, entity.participant) if entity.participant else plain(sid)
    there = timeline.around(sid).by_sid.get(sid)
    if entity is None and isinstance(there, Participant):
        here = (one.sid for one in timeline.participants if there.identity and one.identity == there.identity)
        same = next(here, None)
        return name_of(timeline, same) if same else plain(there.identity or sid)
    return plain(sid)


def _has_made_identity(timeline: Timeline, one: Participant) -> bool:
    """Whether livekit-agents made its identity, as for agents that have none of their own: of its job's id."""
    is_made = isinstance(timeline.by_sid.get((one.identity or "").removeprefix(MADE)), Job)
    return is_made and len(timeline.agents) <= MOST_NUMBERED


def agent_number(timeline: Timeline, sid: str) -> int:
    """Which of the room's agents this participant is, from 1, in the order in which they came; 0 for any other."""
    identities = dict.fromkeys(agent.identity or agent.sid for agent in timeline.agents)
    one = timeline.by_sid.get(sid)
    identity = (one.identity or one.sid) if isinstance(one, Participant) else ""
    return list(identities).index(identity) + 1 if identity in identities else 0


def with_names(timeline: Timeline, sentence: str) -> str:
    """A sentence about a room with the names that its rows have, instead of made identities; harmless to print."""
    for agent in timeline.agents:
        if agent.identity and _has_made_identity(timeline, agent):
            sentence = sentence.replace(agent.identity, name_of(timeline, agent.sid))
    return plain(sentence)


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
