"""Which agents reported nothing themselves, and which of them may not be instrumented."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.timeline import Timeline

__all__ = ["uninstrumented", "unreported"]


def unreported(timeline: Timeline) -> list[Participant]:
    """Agents of whose job only the server reported. An avatar has no job, and is none."""
    reported = {job.sid for job in timeline.jobs if _reports(job)}
    known = {agent.sid for sid, agent in timeline.agent_by_job.items() if sid in reported}
    # The second try of a job whose first try to join was lost has the job's identity, and another SID.
    identities = {job.participant_identity for job in timeline.jobs if job.sid in reported} - {None}
    return [
        agent
        for agent in timeline.agents
        if not agent.is_avatar and agent.sid not in known and agent.identity not in identities
    ]


def uninstrumented(timeline: Timeline) -> list[Participant]:
    """Those of them that may not be instrumented.

    Not one whose worker reports, which has lost its spans in another way; nor one that reported in the room of this
    name before this one, from which it has come.
    """
    workers = {worker.sid for worker in timeline.workers}
    prepared = {agent.sid for sid, agent in timeline.agent_by_job.items() if _worker(timeline, sid) in workers}
    before = timeline.earlier.jobs if timeline.earlier else ()
    came = {job.participant_identity for job in before if _reports(job)} - {None}
    return [a for a in unreported(timeline) if a.sid not in prepared and (a.identity is None or a.identity not in came)]


def _worker(timeline: Timeline, job: str) -> str | None:
    return next((one.worker_id for one in timeline.jobs if one.sid == job), None)


def _reports(job: Job) -> bool:
    return any("agent" in step.witnesses for step in job.steps)
