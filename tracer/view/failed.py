"""Where a call failed: steps that are red, and for how long somebody then did not do their work."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.entities import Job, Track
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.connection import given_up
from tracer.why.disconnected.process import ProcessKilled
from tracer.why.missing.refused import Rejected
from tracer.why.silent.agent_hidden import AgentHidden
from tracer.why.silent.agent_muted import AgentMuted
from tracer.why.silent.missing_permission import MissingPermission
from tracer.why.silent.model_silent import ModelSilent
from tracer.why.silent.own_code import OwnCodeHangs
from tracer.why.silent.permission_taken import PermissionTakenAway
from tracer.why.silent.session_closed import SessionClosed
from tracer.why.silent.task_ended import SessionTaskEnded
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.why import Explanation, Finding
    from tracer.why.cause import Cause

__all__ = ["NO_AGENT", "Failure", "agentless", "failed_stretches", "failures", "has_failed", "last_known_of"]


class Failure(NamedTuple):
    """Where a cause shows in the picture."""

    step: Step | None
    """The step that is red; None where no step shows it, as that nobody came."""
    of: str
    """SID of the participant, the job, the dispatch or the room on whose lane it is."""
    since: int
    """From when on it was so, ns."""
    until: int | None
    """Until when that was so, ns; None for a moment, FOREVER for as long as they were there."""
    text: str = "failed"


NO_AGENT = "no agent"
"""What is written on the stretch of somebody for whom no agent was there."""

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
    Kind.MODEL_ASKED: ModelSilent,
    Kind.MODEL_GAVE_NO_ANSWER: ModelSilent,  # a caller can have interrupted it
    Kind.PARTICIPANT_PERMISSIONS_CHANGED: PermissionTakenAway,
    Kind.JOB_REJECTED: Rejected,  # another worker can have taken it
    Kind.AGENT_RECONNECTING: None,  # most interruptions nobody notices
    Kind.TRACK_MUTED: AgentMuted,
}
"""What is a failure only where a certain finding rests on it, of this cause; None: of any."""

_LEAVES = {Kind.PARTICIPANT_LEFT, Kind.PARTICIPANT_ABORTED, Kind.ROOM_FINISHED}
_AFTER = {
    *_LEAVES,
    Kind.JOB_SHUTDOWN,
    Kind.JOB_ENDED,
    Kind.AGENT_DISCONNECTED,
    Kind.AGENT_PARTICIPANT_READY,
    Kind.AGENT_WAIT_ENDED,
    Kind.MODEL_GAVE_NO_ANSWER,
    Kind.PARTICIPANT_ATTRIBUTES_CHANGED,
}
"""What comes after it was wrong."""

_BACK = {
    Kind.AGENT_CONNECTING: (Kind.AGENT_CONNECTED,),
    Kind.AGENT_WAITING_FOR_PARTICIPANT: (Kind.AGENT_PARTICIPANT_READY,),
    Kind.SESSION_STARTING: (Kind.SESSION_STARTED,),
    Kind.SESSION_CLOSED: (Kind.SESSION_STARTED,),
    Kind.SESSION_AUDIO_FAILED: (Kind.SESSION_AUDIO_PUBLISHED,),
    Kind.AGENT_RECONNECTING: (Kind.AGENT_RECONNECTED,),
    Kind.AGENT_CONNECTION_LOST: (Kind.AGENT_RECONNECTED,),
    Kind.AGENT_CODE_BEGAN: (Kind.AGENT_CODE_RETURNED,),
    Kind.MODEL_ASKED: (Kind.MODEL_ANSWERED, Kind.AGENT_SPEAKING),
    Kind.MODEL_GAVE_NO_ANSWER: (Kind.MODEL_ANSWERED, Kind.AGENT_SPEAKING),
    Kind.MODEL_FAILED: (Kind.MODEL_ANSWERED, Kind.AGENT_SPEAKING),
    Kind.TRACK_MUTED: (Kind.TRACK_UNMUTED,),
    Kind.AGENT_SPEAKING: (Kind.AGENT_SPEAKING,),
}
"""For a failure, the steps that end it; one that is not here is for good."""

_ALL_ALONG = (AgentHidden, MissingPermission)
"""What was so whatever else happened: an agent that nobody sees goes on to speak."""


def has_failed(timeline: Timeline, step: Step, findings: Iterable[Finding] = ()) -> bool:
    """Whether something failed at this step: by itself, or by what `tracer why` found."""
    named = list(findings)
    if _fails(timeline, step, named):
        return True
    # Asked of each row: most are no evidence of anything.
    is_evidence = any(step.key == other.key for finding in named for other in finding.evidence)
    return is_evidence and any(one.step and step.key == one.step.key for one in failures(timeline, named))


def _fails(timeline: Timeline, step: Step, findings: Iterable[Finding] = ()) -> bool:
    """Whether it is a failure, or a finding of the cause that such a step shows rests on it."""
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


def agentless(explanation: Explanation) -> list[Failure]:
    """Where somebody had no agent, whatever the cause."""
    missed = (lack for lack in explanation.missed if lack.of)
    return [Failure(None, lack.of, lack.since, lack.since + lack.ns, NO_AGENT) for lack in missed]


def failures(timeline: Timeline, findings: Iterable[Finding]) -> list[Failure]:
    """Where causes show of which no step is a failure by itself: the certain ones, and the first."""
    found: list[Failure] = []
    for number, finding in enumerate(findings):
        if number and not finding.certain:
            continue
        own = next((step for step in finding.evidence if _fails(timeline, step, [finding])), None)
        if own is None:
            found += _shown(timeline, finding)
        elif not isinstance(timeline.by_sid.get(own.subject), Job):  # of those see failed_stretches
            found.append(Failure(own, _lane_of(timeline, own), own.time, _back(timeline, own)))
    return found


def _back(timeline: Timeline, failed: Step) -> int:
    """When what failed was over, ns; FOREVER for what did not come back."""
    about, kinds = timeline.by_sid.get(failed.subject), _BACK.get(failed.kind, ())
    later = (step.time for step in (about.steps if about else ()) if step.kind in kinds and step.time > failed.time)
    return next(later, FOREVER)


def _shown(timeline: Timeline, finding: Finding) -> Iterator[Failure]:
    """From where on it was so: of what is slow all of it, of silence from the last step before somebody left."""
    steps = [step for step in finding.evidence if step.subject in timeline.by_sid]  # some are of the room before
    symptom = finding.cause.symptom
    if not steps or symptom is Symptom.UNRECORDED:
        return
    if symptom is Symptom.LATE:
        # Nobody waited before they were there.
        since = next((step for step in steps if step.kind is Kind.PARTICIPANT_ACTIVE), steps[0]).time
        yield Failure(steps[-1], _lane_of(timeline, steps[-1]), since, steps[-1].time, "slow")
    elif symptom is Symptom.DUPLICATED:
        yield Failure(steps[-1], _lane_of(timeline, steps[-1]), steps[-1].time, None)
    elif symptom is Symptom.DISCONNECTED:
        step = next((step for step in steps if step.kind in _LEAVES), steps[0])
        yield Failure(step, _lane_of(timeline, step), step.time, None)
        yield from _alone(timeline, step)
    else:
        known = [step for step in steps if step.kind not in _AFTER] or steps[:1]
        step = next(step for step in known if step.kind is known[-1].kind)
        # Its first evidence is of whom the permission was for.
        of = steps[0].subject if isinstance(finding.cause, MissingPermission) else _lane_of(timeline, step)
        until = None
        if symptom is Symptom.SILENT:
            until = FOREVER if isinstance(finding.cause, _ALL_ALONG) else _back(timeline, step)
        yield Failure(step, of, step.time, until)


def _alone(timeline: Timeline, left: Step) -> Iterator[Failure]:
    """Whom an agent left without another agent."""
    there = [
        (one, active.time, one.gone.time if one.gone else FOREVER)
        for one in timeline.participants
        if (active := one.at(Kind.PARTICIPANT_ACTIVE))
    ]
    leaver = next((one for one, *_ in there if one.sid == left.subject), None)
    agents = [(since, until) for one, since, until in there if one.is_agent and one is not leaver]
    if leaver is None or not leaver.is_agent or any(since <= left.time < until for since, until in agents):
        return
    again = min((since for since, _ in agents if since > left.time), default=FOREVER)
    for one, since, until in there:
        if one.is_caller and since <= left.time < until - NS_PER_S:
            yield Failure(left, one.sid, left.time, again, NO_AGENT)


def _lane_of(timeline: Timeline, step: Step) -> str:
    """SID of the lane on which a step is seen: of a job's, once its agent has come, that one's."""
    about = timeline.by_sid.get(step.subject)
    if isinstance(about, Job):
        agent = timeline.agent_of(about)
        return agent.sid if agent and agent.steps[0].time <= step.time else about.sid
    if isinstance(about, Track):
        return about.participant or about.sid
    return step.subject


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
        if not _fails(timeline, step, named) or (found and step.time < found[-1][1]):
            continue
        kinds = _BACK.get(step.kind, ())
        if str(step.facts.get(keys.SPAN_NAME, "")).startswith("tts"):
            kinds = (Kind.AGENT_SPEAKING,)  # the language model did answer
        back = next((later.time for later in job.steps if later.kind in kinds and later.time > step.time), FOREVER)
        found.append((step.time, back))
    return found
