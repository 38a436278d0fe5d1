"""What a step's row shows beyond its phrase: who, why, how long, what failed. Text from outside is as it came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.moment import BY_WORKER, Kind
from tracer.timeline.entities import Dispatch, Job, Participant, Track
from tracer.timeline.origin import end_reason_label
from tracer.units import NS_PER_MS, duration, milliseconds
from tracer.view.ending import shutdown
from tracer.view.linked import linked, unlinked
from tracer.view.names import created_by, name_of

if TYPE_CHECKING:
    from tracer.timeline.entities import Entity
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["detail", "failure"]


def detail(timeline: Timeline, step: Step) -> str:
    """The details of a step; empty for one that has none. It may be of the room before or after the timeline's."""
    timeline = timeline.around(step.subject)
    entity = timeline.by_sid.get(step.subject)
    match step.kind.value.partition(".")[0]:
        case "worker":
            return _of_worker(timeline, step)
        case "participant" | "track":
            return _of_participant(step, entity)
        case "job" | "process":
            return _of_job(timeline, step, entity)
        case "agent" | "session" | "model":
            return _of_agent(timeline, step, entity)
        case _:
            return _of_room(timeline, step, entity)


def _of_room(timeline: Timeline, step: Step, entity: Entity | None) -> str:
    match step.kind, entity:
        case Kind.ROOM_CREATED, _:
            return f"by {created_by(timeline)}" if timeline.created_by else ""
        case Kind.ROOM_FINISHED, _:
            return end_reason_label(timeline.end_reason) if timeline.end_reason else ""
        case Kind.DISPATCH_CREATED, Dispatch():
            return _joined(entity.mode.label if entity.mode else "", _agent_name(entity.agent_name))
        case _:
            return ""


def _of_worker(timeline: Timeline, step: Step) -> str:
    load = step.facts.get(keys.WORKER_LOAD)
    parts = [name_of(timeline, step.subject)] if len(_workers_shown(timeline)) > 1 else []
    if step.kind is Kind.WORKER_REGISTERED:
        name = step.facts.get(keys.AGENT_NAME)
        parts.append(_agent_name(str(name) if name else None))
    if isinstance(load, float):
        parts.append(f"load {load:.2f}")
    return _joined(*parts)


def _workers_shown(timeline: Timeline) -> set[str]:
    return {step.subject for step in timeline.steps if step.kind.value.startswith("worker.")}


def _agent_name(name: str | None) -> str:
    return f"for agent {name!r}" if name else "for any unnamed agent"


def _of_participant(step: Step, entity: Entity | None) -> str:
    match step.kind, entity:
        case ((Kind.PARTICIPANT_LEFT | Kind.PARTICIPANT_ABORTED), Participant()):
            return entity.disconnect_reason or ""
        case Kind.PARTICIPANT_JOINING, Participant():
            return _joined(entity.kind or "", *_limits(step))
        case Kind.PARTICIPANT_ATTRIBUTES_CHANGED, _:
            prefix = keys.PARTICIPANT_ATTRIBUTE
            changed = ((key.removeprefix(prefix), value) for key, value in step.facts.items() if key.startswith(prefix))
            return _joined(*(f"{key}={value}" for key, value in changed))
        case Kind.PARTICIPANT_PERMISSIONS_CHANGED, _:
            return _joined(*(_limits(step) or ["may publish and subscribe"]))
        case ((Kind.TRACK_UNSUBSCRIBED | Kind.TRACK_SUBSCRIBED), Track()):
            return _joined(entity.text(keys.TRACK_SOURCE) or "", str(step.facts.get(keys.JOB_ID) or ""))
        case Kind.TRACK_UNNOTICED, Track():
            return _joined(entity.text(keys.TRACK_SOURCE) or "", _lasted(step, keys.SOUNDED_FOR))
        case _, Track():
            return _joined(entity.text(keys.TRACK_SOURCE) or "", "muted" if step.facts.get(keys.TRACK_MUTED) else "")
        case _:
            return ""


def _limits(step: Step) -> list[str]:
    """What the participant may not do, or hides, from then on."""
    facts = step.facts
    return [
        words
        for key, value, words in (
            (keys.HIDDEN, True, "hidden"),
            (keys.CAN_PUBLISH, False, "cannot publish"),
            (keys.CAN_SUBSCRIBE, False, "cannot subscribe"),
        )
        if facts.get(key) is value
    ]


def _of_job(timeline: Timeline, step: Step, entity: Entity | None) -> str:
    match step.kind, entity:
        case Kind.JOB_CREATED, Job() if reason := _REASONS.get(str(step.facts.get(keys.JOB_REASON))):
            return reason
        case Kind.JOB_OFFERED, Job():
            return _joined(_offer(timeline, entity, step), *_tries(step), _run(step))
        case Kind.JOB_REJECTED, Job():
            return _joined(_answerer(entity, step), _refusal(step))
        case Kind.JOB_TIMED_OUT, Job():
            return _joined(_answerer(entity, step), "the server never assigned it")
        case Kind.JOB_SHUTDOWN, Job():
            return _joined(shutdown(timeline, entity, step), _run(step))
        case Kind.JOB_ENDED, Job():
            return _joined(str(step.facts.get(keys.JOB_STATUS) or entity.status or ""), failure(step), _run(step))
        case _, Job() if step.kind in BY_WORKER:
            return _answerer(entity, step)
        case _:
            return _joined(failure(step), _run(step))


def _tries(step: Step) -> list[str]:
    """How often the job was assigned and how many workers were asked, where the server reports more than one."""
    attempts, asked = step.facts.get(keys.JOB_ATTEMPTS), step.facts.get(keys.WORKERS_ASKED)
    return [
        *([f"attempt {attempts}"] if isinstance(attempts, int) and attempts > 1 else []),
        *([f"{asked} workers were asked"] if isinstance(asked, int) and asked > 1 else []),
    ]


_REASONS = {
    "JSR_NO_CAPACITY": "no agent was available to accept it",
    "JSR_ROOM_CLOSED": "the room closed before an agent was assigned",
    "JSR_DISPATCH_DELETED": "the dispatch was deleted before an agent was assigned",
    "JSR_RETRYING": "it failed, and is being dispatched again",
}
"""Why a job has no agent: the server's reasons in words."""


def _run(step: Step) -> str:
    """Which run of a job it was of, unless it has one only."""
    return step.occurrence if step.occurrence.startswith("run ") else ""


def _offer(timeline: Timeline, job: Job, step: Step) -> str:
    """To which worker a job was offered and, where it is not for the whole room, for which participant."""
    worker_id = step.facts.get(keys.WORKER_ID) or job.worker_id
    worker = f"to worker {worker_id}" if worker_id else ""
    mine = job.text(keys.JOB_PARTICIPANT_ID)
    return f"{worker} for {name_of(timeline, mine)}".strip() if mine else worker


def _answerer(job: Job, step: Step) -> str:
    """Which worker answered, where several were asked."""
    asked = {one.occurrence for one in job.steps if one.kind in BY_WORKER}
    return f"by worker {step.occurrence}" if len(asked) > 1 and step.occurrence else ""


def _refusal(step: Step) -> str:
    """How a worker refused a job, and why, where it is known."""
    match step.facts.get(keys.JOB_ANSWER):
        case "rejected":
            last = step.facts.get(keys.JOB_TERMINATED) is True
            return "by request_fnc" + (", for good: no other worker is offered the job" if last else "")
        case "raised":
            return f"request_fnc raised: {failure(step)}"
        case "load_raised":
            return f"load_fnc raised, and no answer was sent: {failure(step)}"
        case "unanswered":
            return "request_fnc did not answer"
        case "full":
            return "the worker is full"
        case "draining":
            return "the worker is draining"
        case _:
            return ""


def _of_agent(timeline: Timeline, step: Step, entity: Entity | None) -> str:
    facts = step.facts
    match step.kind:
        case Kind.AGENT_WAITING_FOR_PARTICIPANT:
            return _joined(
                "for one identity" if facts.get(keys.PARTICIPANT_FILTER) is True else "",
                "by the session" if _within_session(entity, step) else "",
            )
        case Kind.AGENT_PARTICIPANT_READY:
            return str(facts.get(keys.PARTICIPANT_IDENTITY, ""))
        case Kind.AGENT_CODE_BEGAN | Kind.AGENT_CODE_RETURNED:
            return str(facts.get(keys.TOOL_NAME) or facts.get(keys.SPAN_NAME) or "")
        case Kind.AGENT_BLOCKED:
            return _lasted(step, keys.BLOCKED_FOR)
        case Kind.AGENT_INTERRUPTED:
            return _joined(str(facts.get(keys.INTERRUPTED_BY) or ""), _lasted(step, keys.PLAYED_FOR, "after"))
        case Kind.AGENT_SPEAKS_SILENCE:
            return _lasted(step, keys.SILENT_FOR)
        case Kind.SESSION_STARTED:
            instructions = facts.get(keys.INSTRUCTIONS)
            return f"“{instructions}”" if instructions else ""
        case Kind.SESSION_LINKED:
            return linked(timeline, step, entity)
        case Kind.SESSION_UNLINKED:
            return unlinked(timeline, step)
        case Kind.SESSION_WAITING_FOR_AUDIO:
            return str(facts.get(keys.LINKED_IDENTITY, ""))
        case Kind.SESSION_TRACK_SUBSCRIBED:
            return str(facts.get(keys.TRACK_SOURCE, ""))
        case Kind.SESSION_AGENT_CHANGED:
            before, after = facts.get(keys.PREVIOUS_AGENT_LABEL), facts.get(keys.AGENT_LABEL)
            return f"{after}, after {before}" if before != after else str(after or "")
        case Kind.SESSION_CLOSED:
            return _joined(str(facts.get(keys.CLOSE_REASON, "")), failure(step))
        case Kind.MODEL_ANSWERED:
            return _took(entity, step)
        case Kind.SESSION_TASK_ENDED:
            return _joined(str(facts.get(keys.TASK, "")), failure(step))
        case Kind.MODEL_FAILED:
            span = facts.get(keys.SPAN_NAME)
            return failure(step) + (f" ({span})" if span else "")
        case _:
            return _joined(failure(step), _run(step))


def _within_session(entity: Entity | None, step: Step) -> bool:
    """Whether a session waits, and not the agent's own code before it."""
    return any(s.kind is Kind.SESSION_STARTING and s.time <= step.time for s in (entity.steps if entity else ()))


def _took(entity: Entity | None, answered: Step) -> str:
    """How long the model took."""
    steps = entity.steps if entity else ()
    kind = Kind.MODEL_ASKED
    asked = next((s for s in steps if s.kind is kind and s.occurrence == answered.occurrence), None)
    return f"after {milliseconds((answered.time - asked.time) / NS_PER_MS)}" if asked else ""


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


def _lasted(step: Step, key: str, how: str = "for") -> str:
    """For how long, by a fact in seconds."""
    lasted = step.facts.get(key)
    return f"{how} {duration(lasted)}" if isinstance(lasted, float) else ""


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
