"""Which agents reported nothing themselves, and which of them may not be instrumented."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind

if TYPE_CHECKING:
    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.timeline import Timeline

__all__ = ["FROM_THE_SERVER", "is_reported", "uninstrumented", "unreported"]

FROM_THE_SERVER = {"webhook", "observer"}
"""Witnesses of what the server itself reports."""

CONNECTS = (Kind.AGENT_CONNECTING, Kind.AGENT_CONNECTED)


def is_reported(job: Job) -> bool:
    """Whether the job itself, or the worker for it, reported anything."""
    return any("agent" in step.witnesses for step in job.steps)


def unreported(timeline: Timeline) -> list[Participant]:
    """Agents of whose job only the server reported. An avatar has no job, and is none.

    A job can be several participants, one after the other, and be of the room before this one.
    """
    jobs = [*timeline.jobs, *(timeline.earlier.jobs if timeline.earlier else ())]
    reporting = [job for job in jobs if is_reported(job)]
    of_jobs = timeline.agent_by_job
    known = {of_jobs[job.sid].sid for job in reporting if job.sid in of_jobs}
    known |= {str(s.facts.get(keys.PARTICIPANT_ID)) for job in reporting for s in job.steps if s.kind in CONNECTS}
    others = {job.participant_identity for job in jobs if not is_reported(job)}
    identities = {job.participant_identity for job in reporting} - others - {None}
    return [
        agent
        for agent in timeline.agents
        if not agent.is_avatar and agent.sid not in known and agent.identity not in identities
    ]


def uninstrumented(timeline: Timeline) -> list[Participant]:
    """Those of them that may not be instrumented.

    Not one whose worker reports, which has lost its spans in another way; nor one of a job of the room of this name
    before this one, from which it has come.
    """
    workers = {worker.sid for worker in timeline.workers}
    worker_of = {job.sid: job.worker_id for job in timeline.jobs}
    prepared = {agent.sid for sid, agent in timeline.agent_by_job.items() if worker_of.get(sid) in workers}
    ours = {job.participant_identity for job in timeline.jobs}
    came = {job.participant_identity for job in timeline.earlier.jobs} - ours - {None} if timeline.earlier else set()
    return [agent for agent in unreported(timeline) if agent.sid not in prepared and agent.identity not in came]
