"""A step in words: its kind's phrase, with the name of whom it is about, and its details."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from tracer import keys
from tracer.moment import Kind
from tracer.timeline.entities import Dispatch, Job, Participant, Track
from tracer.timeline.origin import end_reason_label
from tracer.view.text import fit, plain

if TYPE_CHECKING:
    from tracer.timeline.entities import Entity
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["created_by", "failure", "name_of", "say"]


def name_of(timeline: Timeline, sid: str) -> str:
    """The name of a subject: its identity, else its SID or id; harmless to print."""
    entity = timeline.by_sid.get(sid)
    if isinstance(entity, Participant):
        return plain(entity.identity or entity.sid)
    if isinstance(entity, Track):
        return name_of(timeline, entity.participant) if entity.participant else plain(sid)
    return plain(sid)


def created_by(timeline: Timeline) -> str:
    """Whose join or which call made the room; empty where that is not known; harmless to print."""
    if timeline.creator:
        return f"{name_of(timeline, timeline.creator.sid)}'s join"
    return timeline.created_by.label if timeline.created_by else ""


def say(timeline: Timeline, step: Step, width: int | None = None) -> tuple[str, str]:
    """A step in a few words, and the details of it; harmless to print.

    With a ``width``, so many columns at the most: the name is cut first.
    """
    phrase, name = step.kind.info.phrase, name_of(timeline, step.subject)
    if width is not None and "{who}" in phrase:
        name = fit(name, width - cell_len(phrase) + len("{who}"))
    return phrase.format(who=name), plain(_detail(timeline, step, timeline.by_sid.get(step.subject)))


def _detail(timeline: Timeline, step: Step, entity: Entity | None) -> str:
    match step.kind, entity:
        case Kind.ROOM_CREATED, _:
            return f"by {created_by(timeline)}" if timeline.created_by else ""
        case Kind.ROOM_FINISHED, _:
            return end_reason_label(timeline.end_reason) if timeline.end_reason else ""
        case Kind.DISPATCH_CREATED, Dispatch():
            agent = f"for agent {entity.agent_name!r}" if entity.agent_name else "for any unnamed agent"
            return ", ".join(part for part in (entity.mode and entity.mode.label, agent) if part)
        case Kind.JOB_OFFERED, Job():
            return _offer(timeline, entity)
        case Kind.JOB_REJECTED, _:
            return _refusal(step)
        case Kind.JOB_TIMED_OUT, _:
            return "the server never assigned it"
        case Kind.PROCESS_FAILED, _:
            return failure(step)
        case ((Kind.AGENT_CONNECTING | Kind.SESSION_STARTING), _) if keys.ERROR_TYPE in step.facts:
            return failure(step)
        case ((Kind.WORKER_FULL | Kind.WORKER_AVAILABLE), _):
            load = step.facts.get(keys.WORKER_LOAD)
            return f"load {load:.2f}" if isinstance(load, float) else ""
        case Kind.WORKER_REGISTERED, _:
            name = step.facts.get(keys.AGENT_NAME)
            return f"for agent {name!r}" if name else "for any unnamed agent"
        case ((Kind.PARTICIPANT_LEFT | Kind.PARTICIPANT_ABORTED), Participant()):
            return entity.disconnect_reason or ""
        case Kind.PARTICIPANT_JOINING, Participant():
            return entity.kind or ""
        case ((Kind.TRACK_PUBLISHED | Kind.TRACK_UNPUBLISHED), Track()):
            return entity.text(keys.TRACK_SOURCE) or ""
        case Kind.AGENT_PARTICIPANT_READY, _:
            return str(step.facts.get(keys.PARTICIPANT_IDENTITY, ""))
        case Kind.SESSION_STARTED, _:
            instructions = step.facts.get(keys.INSTRUCTIONS)
            return f"“{instructions}”" if instructions else ""
        case Kind.JOB_SHUTDOWN, _:
            return str(step.facts.get(keys.SHUTDOWN_REASON, ""))
        case Kind.JOB_ENDED, Job():
            return ", ".join(part for part in (entity.status, failure(step)) if part)
        case _, Job() if len(timeline.jobs) > 1:
            return entity.sid
        case _:
            return ""


def _offer(timeline: Timeline, job: Job) -> str:
    """To which worker a job was offered and, where it is not for the whole room, for which participant."""
    worker = f"to worker {job.worker_id}" if job.worker_id else ""
    mine = job.text(keys.JOB_PARTICIPANT_ID)
    return f"{worker} for {name_of(timeline, mine)}".strip() if mine else worker


def _refusal(step: Step) -> str:
    """How a worker refused a job, and why, where it is known."""
    match step.facts.get(keys.JOB_ANSWER):
        case "rejected":
            last = step.facts.get(keys.JOB_TERMINATED) is True
            return "by request_fnc" + (", for good: no other worker is asked" if last else "")
        case "raised":
            return f"request_fnc raised: {failure(step)}"
        case "unanswered":
            return "request_fnc did not answer"
        case "full":
            return "the worker is full"
        case "draining":
            return "the worker is draining"
        case _:
            return ""


def failure(step: Step) -> str:
    """What went wrong in a step, as far as it was reported; empty where nothing did."""
    error, text = step.facts.get(keys.ERROR_TYPE), step.facts.get(keys.ERROR_MESSAGE)
    code = step.facts.get(keys.EXIT_CODE)
    parts = []
    if error:
        parts.append(f"{error}: {text}" if text else str(error))
    if isinstance(code, int) and code:
        parts.append(f"killed by signal {-code}" if code < 0 else f"exit code {code}")
    if step.facts.get(keys.KILLED) is True:
        parts.append("ended by the worker")
    return ", ".join(parts)
