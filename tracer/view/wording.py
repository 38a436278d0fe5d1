"""What each step is called, in a few words for people."""

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
    """How a subject is called: its identity or name, else its SID or id; harmless to print."""
    life = timeline.by_sid.get(sid)
    if isinstance(life, Participant):
        return plain(life.identity or life.sid)
    if isinstance(life, Track):
        return name_of(timeline, life.participant) if life.participant else plain(sid)
    return plain(sid)


def created_by(timeline: Timeline) -> str:
    """Whose join or which call made the room; empty where that is not known; harmless to print."""
    if timeline.creator:
        return f"{name_of(timeline, timeline.creator.sid)}'s join"
    return timeline.created_by.label if timeline.created_by else ""


def say(timeline: Timeline, step: Step, width: int | None = None) -> tuple[str, str]:
    """A step in a few words, and what else there is to know of it; harmless to print.

    With a ``width``, so many columns at the most: a name is cut before what happened to it is.
    """
    saying, name = step.kind.info.phrase, name_of(timeline, step.subject)
    if width is not None and "{who}" in saying:
        name = fit(name, width - cell_len(saying) + len("{who}"))
    return saying.format(who=name), plain(_detail(timeline, step, timeline.by_sid.get(step.subject)))


def _detail(timeline: Timeline, step: Step, life: Entity | None) -> str:
    match step.kind, life:
        case Kind.ROOM_CREATED, _:
            return f"by {created_by(timeline)}" if timeline.created_by else ""
        case Kind.ROOM_FINISHED, _:
            return end_reason_label(timeline.end_reason) if timeline.end_reason else ""
        case Kind.DISPATCH_CREATED, Dispatch():
            agent = f"for agent {life.agent_name!r}" if life.agent_name else "for any unnamed agent"
            return ", ".join(part for part in (life.mode and life.mode.label, agent) if part)
        case Kind.JOB_OFFERED, Job():
            return _offer(timeline, life)
        case Kind.JOB_REJECTED, _:
            return _refusal(step)
        case Kind.JOB_TIMED_OUT, _:
            return "the server was not heard of again"
        case Kind.PROCESS_FAILED, _:
            return failure(step)
        case ((Kind.AGENT_CONNECTING | Kind.SESSION_STARTING), _) if keys.ERROR_TYPE in step.facts:
            return failure(step)
        case ((Kind.WORKER_FULL | Kind.WORKER_AVAILABLE), _):
            load = step.facts.get(keys.WORKER_LOAD)
            return f"load {load:.2f}" if isinstance(load, float) else ""
        case Kind.WORKER_REGISTERED, _:
            name = step.facts.get(keys.AGENT_NAME)
            return f"for agent {name!r}" if name else "without a name"
        case ((Kind.PARTICIPANT_LEFT | Kind.PARTICIPANT_ABORTED), Participant()):
            return life.disconnect_reason or ""
        case Kind.PARTICIPANT_JOINING, Participant():
            return life.kind or ""
        case ((Kind.TRACK_PUBLISHED | Kind.TRACK_UNPUBLISHED), Track()):
            return life.text(keys.TRACK_SOURCE) or ""
        case Kind.AGENT_PARTICIPANT_READY, _:
            return str(step.facts.get(keys.PARTICIPANT_IDENTITY, ""))
        case Kind.SESSION_STARTED, _:
            told = step.facts.get(keys.INSTRUCTIONS)
            return f"“{told}”" if told else ""
        case Kind.JOB_SHUTDOWN, _:
            return str(step.facts.get(keys.SHUTDOWN_REASON, ""))
        case Kind.JOB_ENDED, Job():
            return ", ".join(part for part in (life.status, failure(step)) if part)
        case _, Job() if len(timeline.jobs) > 1:
            return life.sid
        case _:
            return ""


def _offer(timeline: Timeline, job: Job) -> str:
    """To whom a job was offered and, where it is not for the whole room, for whom."""
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
            return "request_fnc gave no answer"
        case "full":
            return "the worker is full"
        case "draining":
            return "the worker is draining"
        case _:
            return ""


def failure(step: Step) -> str:
    """What went wrong in a step, as far as it was told; empty where nothing did."""
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
