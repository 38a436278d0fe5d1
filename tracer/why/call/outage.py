"""Whether the room ended because its server did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.reporting import FROM_THE_SERVER
from tracer.units import NS_PER_S
from tracer.why.call.connection import interruptions
from tracer.why.call.limits import SOON
from tracer.why.call.participants import SHUTDOWN, witnesses_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline

__all__ = ["SDK_NOTICES_WITHIN", "Outage", "outage"]

AROUND = 60 * NS_PER_S
"""A worker that registers anew no further from a room's end than this, ns, may do so for the same reason."""
SDK_NOTICES_WITHIN = 20 * NS_PER_S
"""An agent's SDK notices so long after a room's end, ns, at the latest that its connection is gone."""


@dataclass(frozen=True, slots=True)
class Outage:
    """The server went away while callers were in the room."""

    callers: tuple[Participant, ...]
    """Those who were there."""
    announced: bool
    """Whether the server itself reported that it shut down."""
    back: Participant | None
    """The agent that came back to the next room of this name, without a job there."""
    evidence: tuple[Step, ...]
    certain: bool


def outage(timeline: Timeline, following: Timeline | None = None) -> Outage | None:
    """How a server's end shows: nobody is reported to leave, and what was connected to it connects anew.

    A server that shuts down in order reports it as the reason of each leave. One that dies reports nothing: the room
    is not there when the API answers again. That alone can be a network that was away; so one of the agent and the
    workers must have lost the server too. One that is back at once is not missed by the API: then a worker that lost it
    as the room ended shows it, in a room whose webhooks came until then. ``following`` is the room after this one,
    where the timeline itself does not have it.
    """
    told = [*_left_by_shutdown(timeline), *_told_to_sessions(timeline)]
    callers = tuple({who.sid: who for who, _ in told if who.is_caller}.values())
    if callers and not _goes_on_after(timeline, max(step.latest for _, step in told)):
        steps = tuple(step for _, step in told)
        # Until the room is over its server may report on others, who stay; its workers lose it, too.
        there = (who for who in timeline.participants if who.gone is None or who.gone.latest >= steps[0].earliest)
        reported = timeline.room.finished is not None and all(who.disconnect_reason == SHUTDOWN for who in there)
        certain = reported or any(True for _ in _registered_anew((timeline,), steps[0]))
        return Outage(callers, announced=True, back=None, evidence=steps, certain=certain)
    return _unannounced(timeline, following or timeline.later)


def _left_by_shutdown(timeline: Timeline) -> Iterator[tuple[Participant, Step]]:
    """Who left as the server shut down, by its own report, and when."""
    for who in timeline.participants:
        if who.gone and who.disconnect_reason == SHUTDOWN:
            yield who, who.gone


def _told_to_sessions(timeline: Timeline) -> Iterator[tuple[Participant, Step]]:
    """Of whom an agent's session was told that, where the server's last webhooks did not come."""
    for job in timeline.jobs:
        for step in job.steps:
            if step.kind is Kind.SESSION_UNLINKED and step.facts.get(keys.DISCONNECT_REASON) == SHUTDOWN:
                for who in timeline.callers:
                    if who.gone is None and who.identity == step.facts.get(keys.LINKED_IDENTITY):
                        yield who, step


def _goes_on_after(timeline: Timeline, at: int) -> bool:
    """Whether the server reported on the room's participants later, ns: a client's SDK can simulate such an end."""
    return any(
        step.earliest > at + SOON and FROM_THE_SERVER & set(step.witnesses)
        for p in timeline.participants
        for step in p.steps
    )


def _unannounced(timeline: Timeline, later: Timeline | None) -> Outage | None:
    finished = timeline.room.finished
    if finished and "webhook" in finished.witnesses:
        return None
    # Where nobody polls the API, the next room of this name is what shows that this one is over.
    finished = finished or (later.room.created if later else None)
    if finished is None:
        return None
    callers = tuple(p for p in timeline.callers if _was_there(p, finished))
    if not callers or timeline.end_reason is not None:
        return None
    back = _came_back(timeline, later, finished)
    reconnected = list(_lost_the_server(timeline, finished))
    anew = next(_registered_anew((timeline, later), finished), None)
    away = finished.facts.get(keys.ROOM_SERVER_AWAY) is True
    found = bool(back or reconnected), anew is not None, away
    # The tracer and the agent can have been cut off together: but not the server's webhooks, or the caller, as well.
    silent = "webhook" in witnesses_of(timeline)
    at_once = anew is not None and finished.earliest - SOON <= anew.time <= finished.latest + SOON
    if sum(found) <= 1 and back is None and not (silent and at_once):
        return None
    returned = later and {p.identity for p in callers if p.identity} & {p.identity for p in later.callers}
    joined = back.at(Kind.PARTICIPANT_JOINING) if back else None
    steps = (finished, *reconnected, joined, anew, *(p.gone for p in callers))
    return Outage(
        callers,
        announced=False,
        back=back,
        evidence=tuple(step for step in steps if step),
        certain=sum(found) > 1 and bool(silent or returned),
    )


def _was_there(who: Participant, finished: Step) -> bool:
    """Whether somebody may have been there to the end, with nobody reporting that, or why, they left."""
    gone = who.gone
    if not who.at(Kind.PARTICIPANT_ACTIVE):
        return False
    return gone is None or (gone.latest >= finished.earliest and "webhook" not in gone.witnesses)


def _came_back(timeline: Timeline, later: Timeline | None, finished: Step) -> Participant | None:
    """The agent of one of this room's jobs that was there to the end, and then in the next room of this name."""
    if later is None:
        return None
    theirs = {job.participant_identity for job in later.jobs}
    ours = {
        agent.identity
        for job in timeline.jobs
        if (agent := timeline.agent_of(job)) and _was_there(agent, finished) and job.sid in (agent.identity or "")
    }
    return next((agent for agent in later.agents if agent.identity in ours - theirs), None)


def _lost_the_server(timeline: Timeline, finished: Step) -> Iterator[Step]:
    """When agents of this room noticed that their connection was gone, and when they were back or gave up."""
    for job in timeline.jobs:
        for lost in interruptions(job):
            ended_before = lost.ended is not None and lost.ended.latest < finished.earliest
            if not ended_before and lost.began.earliest <= finished.latest + SDK_NOTICES_WITHIN:
                yield lost.began
                if lost.ended:
                    yield lost.ended


def _registered_anew(rooms: Iterable[Timeline | None], finished: Step) -> Iterator[Step]:
    """When a worker's connection to the server broke, as these rooms have it."""
    for known in rooms:
        for worker in known.workers if known else ():
            for step in worker.steps:
                if step.kind is Kind.WORKER_DISCONNECTED and abs(step.time - finished.time) <= AROUND:
                    yield step
