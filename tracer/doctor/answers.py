"""Which worker answered for an agent that the scratch room requested, as far as is known by now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer import keys
from tracer.doctor.rejection import is_rejected
from tracer.moment import Kind

if TYPE_CHECKING:
    from collections.abc import Collection

    from tracer.timeline.entities import Job
    from tracer.timeline.timeline import Timeline

__all__ = ["NAME_ATTRIBUTE", "Answer", "answers"]

NAME_ATTRIBUTE = "lk.agent.name"
"""The participant attribute in which livekit-agents puts an agent's name."""


@dataclass
class Answer:
    """A worker answered for an agent's name."""

    after: float
    """Seconds from the room's creation to the poll that showed it."""
    worker: str | None = None
    """The worker's id (``AW_…``), once it is known."""
    rejected: bool = False
    refusal: str = ""
    """How it rejected the job, as ``tracer.job.answer`` has it; empty where only the server reports that."""
    silent: bool = False
    """The worker was offered the job, and no source reports that it got it."""


def answers(timeline: Timeline, requested: Collection[str], age: float) -> dict[str, Answer]:
    """The answer for each of the names, as far as there is one."""
    found: dict[str, Answer] = {}
    for job in timeline.jobs:
        if job.agent_name in requested and job.agent_name is not None:
            refusal = job.text(keys.JOB_ANSWER) or ""
            found[job.agent_name] = Answer(age, job.worker_id, is_rejected(job), refusal, _is_silent(job))
    for agent in timeline.participants:
        name = agent.attributes.get(NAME_ATTRIBUTE, "")  # the server keeps no empty attribute
        if agent.is_agent and name in requested:
            found.setdefault(name, Answer(age)).silent = False
    return found


def _is_silent(job: Job) -> bool:
    """Whether only the worker itself reports the offer: the server lists jobs that it has assigned."""
    given = job.at(Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED, Kind.JOB_ENTRYPOINT_STARTED, Kind.AGENT_CONNECTING)
    return not (given or is_rejected(job) or any("observer" in step.witnesses for step in job.steps))
