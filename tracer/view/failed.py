"""Where a call failed: steps that are red, and for how long an agent then did not do its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.entities import Job
from tracer.units import FOREVER
from tracer.why.call.connection import given_up
from tracer.why.disconnected.process import ProcessKilled
from tracer.why.silent.model_silent import ModelSilent
from tracer.why.silent.own_code import OwnCodeHangs
from tracer.why.silent.permission_taken import PermissionTakenAway
from tracer.why.silent.session_closed import SessionClosed
from tracer.why.silent.task_ended import SessionTaskEnded

if TYPE_CHECKING:
    from collections.abc import Iterable

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

_BY_CAUSE = {
    Kind.SESSION_CLOSED: SessionClosed,  # it closes in every call
    Kind.SESSION_TASK_ENDED: SessionTaskEnded,  # some tasks nobody misses
    Kind.AGENT_CODE_BEGAN: OwnCodeHangs,
    Kind.MODEL_GAVE_NO_ANSWER: ModelSilent,  # a caller can have interrupted it
    Kind.PARTICIPANT_PERMISSIONS_CHANGED: PermissionTakenAway,
    Kind.AGENT_RECONNECTING: None,  # most interruptions nobody notices
}
"""What is a failure only where a certain finding rests on it, of this cause; None: of any."""

_BACK = {
    Kind.AGENT_CONNECTING: (Kind.AGENT_CONNECTED,),
    Kind.SESSION_STARTING: (Kind.SESSION_STARTED,),
    Kind.SESSION_CLOSED: (Kind.SESSION_STARTED,),
    Kind.SESSION_AUDIO_FAILED: (Kind.SESSION_AUDIO_PUBLISHED,),
    Kind.AGENT_RECONNECTING: (Kind.AGENT_RECONNECTED,),
    Kind.AGENT_CONNECTION_LOST: (Kind.AGENT_RECONNECTED,),
    Kind.AGENT_CODE_BEGAN: (Kind.AGENT_CODE_RETURNED,),
    Kind.MODEL_GAVE_NO_ANSWER: (Kind.MODEL_ANSWERED, Kind.AGENT_SPEAKING),
    Kind.MODEL_FAILED: (Kind.MODEL_ANSWERED, Kind.AGENT_SPEAKING),
}
"""For a failure, the steps that end it; one that is not here is for good."""


def has_failed(timeline: Timeline, step: Step, findings: Iterable[Finding] = ()) -> bool:
    """Whether something failed at this step: by itself, or by what `tracer why` found."""
    if step.kind in _ALWAYS:
        return True
    if step.kind in _WITH_ERROR:
        return keys.ERROR_TYPE in step.facts
    if step.kind is Kind.SESSION_CLOSED and (
        step.facts.get(keys.CLOSE_REASON) == "error" or keys.ERROR_TYPE in step.facts
    ):
        return True
    if step.kind in (Kind.AGENT_RECONNECTING, Kind.AGENT_CONNECTION_LOST) and _given_up(timeline, step):
        return True
    if step.kind in _BY_CAUSE:
        return _is_named(step, findings, _BY_CAUSE[step.kind])
    if step.kind is Kind.JOB_ENDED:
        # The server calls a job failed as soon as its agent has left, also where that was meant.
        return "agent" in step.witnesses and step.facts.get(keys.JOB_STATUS) == "JS_FAILED"
    return False


def _is_named(step: Step, findings: Iterable[Finding], cause: type[Cause] | None) -> bool:
    """Whether a certain finding of this cause rests on it, or, without one, of any."""
    certain = (one for one in findings if one.certain and (cause is None or isinstance(one.cause, cause)))
    return any(step.key == other.key for finding in certain for other in finding.evidence)


def _given_up(timeline: Timeline, step: Step) -> bool:
    """Whether a connection that was given up was lost at this step, or given up at it."""
    job = timeline.by_sid.get(step.subject)
    return isinstance(job, Job) and any(step in (one.began, one.ended) for one in given_up(timeline, job))


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
