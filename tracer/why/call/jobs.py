"""What a job's own steps answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.entities import Shutdown
from tracer.why.call.participants import BY_ITSELF

if TYPE_CHECKING:
    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step

__all__ = [
    "disconnected_itself",
    "error_of",
    "in_one_run",
    "in_vain",
    "is_for",
    "is_room_job",
    "own_shutdown",
    "received",
    "waits",
]


UNTYPED = "error"
"""What stands for the type of an exception that a span does not report."""


def is_room_job(job: Job) -> bool:
    """Whether it is for the room as a whole, and not for one of its participants."""
    return job.text(keys.JOB_TYPE) in (None, "JT_ROOM")


def is_for(job: Job, who: Participant) -> bool:
    """Whether a job is for this participant: one for the room is for everybody."""
    return is_room_job(job) or job.text(keys.JOB_PARTICIPANT_ID) == who.sid


def received(job: Job) -> Step | None:
    """When the worker that got the job received the request; another one may have been asked before."""
    asked = [step for step in job.steps if step.kind is Kind.JOB_RECEIVED]
    return next((step for step in asked if step.occurrence == job.worker_id), asked[-1] if asked else None)


def waits(job: Job) -> list[tuple[Step, Step | None]]:
    """Each ``wait_for_participant()`` of the job: from when, and until when; None for one that never ended."""
    ends = {step.occurrence: step for step in job.steps if step.kind is Kind.AGENT_PARTICIPANT_READY}
    return [(step, ends.get(step.occurrence)) for step in job.steps if step.kind is Kind.AGENT_WAITING_FOR_PARTICIPANT]


def in_vain(job: Job) -> list[tuple[Step, Step | None]]:
    """Each ``wait_for_participant()`` of the job that brought none: from when, and until when; None while it lasts."""
    ends = {step.occurrence: step for step in job.steps if step.kind is Kind.AGENT_WAIT_ENDED}
    over = job.at(Kind.JOB_ENDED, Kind.PROCESS_FAILED)
    return [(start, ends.get(start.occurrence, over)) for start, ready in waits(job) if ready is None]


def in_one_run(job: Job, start: Step, end: Step) -> bool:
    """Whether two steps can be of one run of a job: what was between them, of the run before and after, can be lost."""
    begins = (step for step in job.steps if step.kind is Kind.JOB_ENTRYPOINT_STARTED)
    return not any(start.time < step.time <= end.time for step in begins)


def error_of(step: Step | None) -> str:
    """The exception that a step carries, as ``KeyError: 'MODEL'``; empty where it carries none."""
    error = step.facts.get(keys.ERROR_TYPE) if step else None
    text = step.facts.get(keys.ERROR_MESSAGE) if step else None
    if not error:
        return ""
    # Older livekit-agents have the exception's name in its text only.
    return f"{error}: {text}" if text and error != UNTYPED else str(text or error)


def own_shutdown(job: Job) -> Step | None:
    """When the agent's own code shut the job down (``ctx.shutdown()``); None where something else did, or nothing."""
    shutdown = job.at(Kind.JOB_SHUTDOWN)
    if shutdown is None:
        return None
    by_user = shutdown.facts.get(keys.SHUTDOWN_BY_USER)
    own = by_user if isinstance(by_user, bool) else job.shutdown_reason not in (None, *Shutdown)
    return shutdown if own else None


def disconnected_itself(job: Job, agent: Participant | None) -> bool:
    """Whether its agent left as a client does, while the job did not end: its code called ``ctx.room.disconnect()``.

    livekit-agents shuts the job down because of that ("room disconnected"), as it does when the connection is lost: but
    then the SDK tries to reconnect, or the server names another reason; and as when it is run again (hot reload). Not
    known of a job of livekit-agents before 1.8.2, which does not report its shutdown.
    """
    runs = [step for step in job.steps if step.kind is Kind.JOB_ENTRYPOINT_STARTED]
    if not runs or keys.ENTRYPOINT_ONLY in runs[0].facts or agent is None or agent.disconnect_reason != BY_ITSELF:
        return False
    if job.at(Kind.PROCESS_FAILED, Kind.AGENT_CONNECTION_LOST):
        return False
    if job.shutdown_reason == Shutdown.ROOM_GONE:
        return len(runs) == 1 and job.at(Kind.AGENT_RECONNECTING) is None
    return job.at(Kind.JOB_SHUTDOWN, Kind.JOB_ENDED) is None
