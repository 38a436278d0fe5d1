"""Who is who in a room, and until when each was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.why.call.limits import FOREVER

if TYPE_CHECKING:
    from tracer.timeline.entities import Participant
    from tracer.timeline.fold import Timeline

__all__ = ["agents_of_jobs", "callers_of", "left_at", "name_of", "seen_until", "unaccounted", "witnesses_of"]

CALLERS = {"STANDARD", "SIP", "CONNECTOR", None}
"""Kinds for which ``wait_for_participant()`` waits; None where the kind is not reported."""


def callers_of(timeline: Timeline) -> list[Participant]:
    """Those an agent is for, in the order in which they joined."""
    known = [p for p in timeline.participants if p.kind in CALLERS and p.steps]
    return sorted(known, key=lambda p: (p.steps[0].time, p.sid))


def agents_of_jobs(timeline: Timeline) -> dict[str, Participant]:
    """For each job's id the participant it became, where that is known."""
    # As Timeline.agent_of, which looks through all participants for each job.
    agents = [p for p in timeline.participants if p.is_agent]
    by_sid = {agent.sid: agent for agent in reversed(agents)}
    by_identity = {agent.identity: agent for agent in reversed(agents) if agent.identity}
    found = {}
    for job in timeline.jobs:
        connected = job.at(Kind.AGENT_CONNECTED)
        sid = str(connected.facts.get(keys.PARTICIPANT_ID)) if connected else ""
        agent = by_sid.get(sid) or by_identity.get(job.participant_identity or "")
        if agent:
            found[job.sid] = agent
    return found


def unaccounted(timeline: Timeline) -> list[Participant]:
    """Agents of which no job is known: the server lists jobs up to 5 s late, or never."""
    known = {agent.sid for agent in agents_of_jobs(timeline).values()}
    return [p for p in timeline.participants if p.is_agent and p.sid not in known and not p.is_avatar]


def witnesses_of(timeline: Timeline) -> set[str]:
    """Which witnesses reported on this room; what workers report of themselves does not count."""
    own = (step for step in timeline.steps if not step.subject.startswith("AW_"))
    return {witness for step in own for witness in step.witnesses}


def name_of(participant: Participant) -> str:
    """What to call somebody in a sentence."""
    return participant.identity or participant.sid


def left_at(timeline: Timeline, who: Participant) -> int:
    """When a participant left, ns; with the room at the latest, and ``FOREVER`` for one who is still there."""
    if who.gone:
        return who.gone.time
    finished = timeline.room.finished
    return finished.time if finished else FOREVER


def seen_until(timeline: Timeline, who: Participant) -> int:
    """Until when a participant was there for certain, ns.

    The observer may see a leave seconds late; and a leave that nobody saw was before the end of the room.
    """
    gone = who.gone
    if gone:
        return gone.time if "webhook" in gone.witnesses else gone.earliest
    return who.steps[-1].time if timeline.room.finished else FOREVER
