"""The questions people come with, answered from what was just measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.moment import NS_PER_MS, Kind
from tracer.view.text import offset, plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.step import Step
    from tracer.timeline import Job, Participant, Timeline

__all__ = ["answers"]


def answers(timeline: Timeline) -> Iterator[tuple[str, str]]:
    """Question and answer, for as much as the timeline knows."""
    job = next((job for job in timeline.jobs if job.at(Kind.JOB_OFFERED)), None)
    agent = timeline.agent_of(job) if job else None
    caller = next((p for p in timeline.participants if not p.is_agent), None)
    if job and caller:
        yield "In what order were room, caller and agent created?", _order(timeline, caller, job, agent)
        yield "At what moment is the agent created?", _creation(timeline, job, agent)
        if waited := _waiting(timeline, caller, job):
            yield "Who waited for whom?", waited


def _at(timeline: Timeline, step: Step | None) -> str:
    return offset((step.time - timeline.zero) / NS_PER_MS) if step else "an unknown time"


def _order(timeline: Timeline, caller: Participant, job: Job, agent: Participant | None) -> str:
    dispatch = next((d for d in timeline.dispatches if d.sid == job.dispatch_id), None)
    born = [
        ("the room", timeline.room.created),
        ("the dispatch, which is the wish for an agent,", dispatch.at(Kind.DISPATCH_CREATED) if dispatch else None),
        (f"the caller {plain(caller.identity or caller.sid)} (JOINING)", caller.at(Kind.PARTICIPANT_JOINING)),
        ("the job, offered to a worker,", job.at(Kind.JOB_OFFERED)),
        ("the agent as a participant (JOINING)", agent.at(Kind.PARTICIPANT_JOINING) if agent else None),
    ]
    known = sorted(((step.time, name, step) for name, step in born if step), key=lambda item: item[0])
    told = [f"{name} at {_at(timeline, step)}" for _, name, step in known]
    text = "; then ".join(told)
    return text[:1].upper() + text[1:] + "."


def _creation(timeline: Timeline, job: Job, agent: Participant | None) -> str:
    dispatch = next((d for d in timeline.dispatches if d.sid == job.dispatch_id), None)
    asked = dispatch.at(Kind.DISPATCH_CREATED) if dispatch else None
    offered, started = job.at(Kind.JOB_OFFERED), job.at(Kind.JOB_ENTRYPOINT_STARTED)
    parts = []
    if asked:
        how = "with the room, not when the caller arrived" if dispatch and dispatch.mode == "automatic" else ""
        parts.append(f"It is asked for at {_at(timeline, asked)}{', ' + how if how else ''}")
    if asked and offered:
        bids = offset((offered.time - asked.time) / NS_PER_MS)
        parts.append(f"the server collects workers' bids for {bids} and offers the job at {_at(timeline, offered)}")
    if started:
        parts.append(f"the agent's code runs from {_at(timeline, started)}")
    if agent and (active := agent.at(Kind.PARTICIPANT_ACTIVE)):
        parts.append(
            f"it is in the room from {_at(timeline, agent.at(Kind.PARTICIPANT_JOINING))}"
            f" and ACTIVE from {_at(timeline, active)}"
        )
    return "; ".join(parts) + "."


def _waiting(timeline: Timeline, caller: Participant, job: Job) -> str | None:
    active = caller.at(Kind.PARTICIPANT_ACTIVE)
    began, ready = job.at(Kind.AGENT_WAITING_FOR_PARTICIPANT), job.at(Kind.AGENT_PARTICIPANT_READY)
    if not (active and began and ready):
        return None
    waited = offset((ready.time - began.time) / NS_PER_MS)
    if active.latest < began.earliest:
        ahead = offset((began.time - active.time) / NS_PER_MS)
        who = f"The caller waited: ACTIVE {ahead} before the agent began to look, which found them in {waited}"
    elif active.earliest > began.latest:
        who = f"The agent waited {waited} for the caller, who was ACTIVE at {_at(timeline, active)}"
    else:
        who = f"Neither, as far as can be told: both were there at {_at(timeline, active)}"
    text = who + ". Caller and agent come about side by side and meet at wait_for_participant()"
    if started := job.at(Kind.SESSION_STARTED):
        text += f"; the session was ready for the caller at {_at(timeline, started)}"
    return text + "."
