"""Whether a job was rejected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.moment import Kind

if TYPE_CHECKING:
    from tracer.timeline.entities import Job

__all__ = ["is_rejected"]


def is_rejected(job: Job) -> bool:
    """Whether the worker that it was offered to rejected it, as far as is known.

    The worker may have reported it. The API lists such a job as ended when it began, without a participant.
    """
    if job.at(Kind.JOB_ACCEPTED, Kind.JOB_ASSIGNED) or job.participant_identity:
        return False
    offered, ended = job.at(Kind.JOB_OFFERED), job.at(Kind.JOB_ENDED)
    return job.at(Kind.JOB_REJECTED) is not None or bool(offered and ended and offered.time == ended.time)
