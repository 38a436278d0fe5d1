"""Where a call failed: steps that are red, and for how long an agent then did not do its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.units import FOREVER

if TYPE_CHECKING:
    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["failed_stretches", "has_failed"]


_ALWAYS = {
    Kind.PROCESS_FAILED,
    Kind.JOB_TIMED_OUT,
    Kind.MODEL_FAILED,
    Kind.SESSION_AUDIO_FAILED,
}
_WITH_ERROR = {Kind.AGENT_CONNECTING, Kind.SESSION_STARTING}

_BACK = {
    Kind.AGENT_CONNECTING: (Kind.AGENT_CONNECTED,),
    Kind.SESSION_STARTING: (Kind.SESSION_STARTED,),
    Kind.SESSION_CLOSED: (Kind.SESSION_STARTED,),
    Kind.SESSION_AUDIO_FAILED: (Kind.SESSION_AUDIO_PUBLISHED,),
    Kind.AGENT_CONNECTION_LOST: (Kind.AGENT_RECONNECTED,),
    Kind.MODEL_FAILED: (Kind.MODEL_ANSWERED, Kind.AGENT_SPEAKING),
}
"""For a failure, the steps that end it; one that is not here is for good."""


def has_failed(timeline: Timeline, step: Step) -> bool:
    """Whether something failed at this step."""
    if step.kind in _ALWAYS:
        return True
    if step.kind in _WITH_ERROR:
        return keys.ERROR_TYPE in step.facts
    if step.kind is Kind.SESSION_CLOSED:
        return step.facts.get(keys.CLOSE_REASON) == "error" or keys.ERROR_TYPE in step.facts
    if step.kind is Kind.AGENT_CONNECTION_LOST:
        return not _after_shutdown(timeline, step)
    if step.kind is Kind.JOB_ENDED:
        # The server calls a job failed as soon as its agent has left, also where that was meant.
        return "agent" in step.witnesses and step.facts.get(keys.JOB_STATUS) == "JS_FAILED"
    return False


def _after_shutdown(timeline: Timeline, step: Step) -> bool:
    """Whether the job was shutting down: then the agent left the room on purpose."""
    job = timeline.by_sid.get(step.subject)
    began = job.at(Kind.JOB_SHUTDOWN) if job else None
    finished = timeline.room.finished
    return any(end is not None and end.earliest <= step.time for end in (began, finished))


def failed_stretches(timeline: Timeline, job: Job) -> list[tuple[int, int]]:
    """From when until when a job had failed, ns since the epoch, in order; FOREVER for what did not come back."""
    found: list[tuple[int, int]] = []
    for step in job.steps:
        if not has_failed(timeline, step) or (found and step.time < found[-1][1]):
            continue
        kinds = _BACK.get(step.kind, ())
        if str(step.facts.get(keys.SPAN_NAME, "")).startswith("tts"):
            kinds = (Kind.AGENT_SPEAKING,)  # the language model did answer
        back = next((later.time for later in job.steps if later.kind in kinds and later.time > step.time), FOREVER)
        found.append((step.time, back))
    return found
