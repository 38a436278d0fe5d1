"""Where a call failed: steps that are red, and for how long an agent then did not do its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.units import FOREVER
from tracer.why.disconnected.process import ProcessKilled
from tracer.why.silent.session_closed import SessionClosed
from tracer.why.silent.task_ended import SessionTaskEnded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.why import Finding
    from tracer.why.cause import Cause

__all__ = ["failed_stretches", "has_failed", "last_known_of"]


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


def has_failed(timeline: Timeline, step: Step, findings: Iterable[Finding] = ()) -> bool:
    """Whether something failed at this step: by itself, or by what `tracer why` found."""
    if step.kind in _ALWAYS:
        return True
    if step.kind in _WITH_ERROR:
        return keys.ERROR_TYPE in step.facts
    if step.kind is Kind.SESSION_CLOSED:
        if step.facts.get(keys.CLOSE_REASON) == "error" or keys.ERROR_TYPE in step.facts:
            return True
        # It closes in every call: only where somebody was left without an agent is that a failure.
        return _is_named(step, findings, SessionClosed)
    if step.kind is Kind.SESSION_TASK_ENDED:
        return _is_named(step, findings, SessionTaskEnded)  # some tasks nobody misses
    if step.kind is Kind.AGENT_CONNECTION_LOST:
        return not _after_shutdown(timeline, step)
    if step.kind is Kind.JOB_ENDED:
        # The server calls a job failed as soon as its agent has left, also where that was meant.
        return "agent" in step.witnesses and step.facts.get(keys.JOB_STATUS) == "JS_FAILED"
    return False


def _is_named(step: Step, findings: Iterable[Finding], cause: type[Cause]) -> bool:
    """Whether a certain finding of this cause rests on it."""
    certain = (finding for finding in findings if finding.certain and isinstance(finding.cause, cause))
    return any(step.key == other.key for finding in certain for other in finding.evidence)


def _after_shutdown(timeline: Timeline, step: Step) -> bool:
    """Whether the job was shutting down: then the agent left the room on purpose."""
    job = timeline.by_sid.get(step.subject)
    began = job.at(Kind.JOB_SHUTDOWN) if job else None
    finished = timeline.room.finished
    return any(end is not None and end.earliest <= step.time for end in (began, finished))


def last_known_of(job: Job, findings: Iterable[Finding]) -> int | None:
    """When a job's process last reported, ns, where it was killed or crashed unseen; None for any other."""
    for finding in findings:
        first = finding.evidence[0] if finding.evidence else None
        if isinstance(finding.cause, ProcessKilled) and first and first.subject == job.sid:
            return None if job.at(Kind.PROCESS_FAILED) else first.time
    return None


def failed_stretches(timeline: Timeline, job: Job, findings: Iterable[Finding] = ()) -> list[tuple[int, int]]:
    """From when until when a job had failed, ns since the epoch, in order; FOREVER for what did not come back."""
    found: list[tuple[int, int]] = []
    named = list(findings)
    for step in job.steps:
        if not has_failed(timeline, step, named) or (found and step.time < found[-1][1]):
            continue
        kinds = _BACK.get(step.kind, ())
        if str(step.facts.get(keys.SPAN_NAME, "")).startswith("tts"):
            kinds = (Kind.AGENT_SPEAKING,)  # the language model did answer
        back = next((later.time for later in job.steps if later.kind in kinds and later.time > step.time), FOREVER)
        found.append((step.time, back))
    return found
