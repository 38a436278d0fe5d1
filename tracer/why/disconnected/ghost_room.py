"""The agent connected after its room had closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import agents, server
from tracer.timeline.origin import LONG_AFTER, may_be_outage
from tracer.units import NS_PER_S
from tracer.why.call.agents import is_own
from tracer.why.call.outage import outage
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.timeline import Timeline
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["GhostRoom"]


class GhostRoom(Cause):
    """Joining a name whose room has closed creates a new room.

    Known from both sides. Of the room that closed: its job, whose entrypoint ran by then, connected later, as a
    participant who is not in it. Of the new room: before anybody else, an agent joined that is the participant of a
    job of the room before, by SID or by an identity with the job's id. No fault of a room that somebody else made, or
    that callers came to; nor after a restart of the server, when everybody reconnects. Not certain of a closed room
    whose follower is not on record.
    """

    name = "ghost-room"
    symptom = Symptom.DISCONNECTED
    about = "the agent connected after its room had closed, which created a new room"
    advice = (
        "Connect at once, and do slow work afterwards. The new room has no caller, and stays open until its"
        " empty_timeout."
    )
    said = (
        server("pkg/service/roomallocator.go"),
        agents("job.py"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        yield from self._in_the_closed_room(call)
        if call.timeline.earlier:
            yield from self._in_the_new_room(call.timeline, call.timeline.earlier)

    def _in_the_closed_room(self, call: Call) -> Iterator[Finding]:
        here = {p.sid for p in call.timeline.participants}
        finished, later = call.timeline.room.finished, call.timeline.later
        if not finished or call.outage or may_be_outage(finished):
            return
        if later is None and keys.ROOM_NAME not in call.timeline.room.facts:
            return  # without names (--redact) nobody knows which rooms followed
        for job in call.timeline.jobs:
            began, connected = job.at(Kind.JOB_ENTRYPOINT_STARTED), job.at(Kind.AGENT_CONNECTED)
            sid = connected.facts.get(keys.PARTICIPANT_ID) if connected else None
            if not connected or not sid or sid in here or not began or began.time > finished.time:
                continue
            late = (call.agents.not_before(job, connected) or 0) - finished.time
            if late > 0 and (later is None or _made_by(later, str(sid))):
                yield self.found(
                    f"The agent of job {job.sid} connected {late / NS_PER_S:.1f} s after this room had closed: it"
                    " joined another room of the same name, which its join created.",
                    finished,
                    job.at(Kind.AGENT_CONNECTING),
                    connected,
                    certain=later is not None,
                )

    def _in_the_new_room(self, timeline: Timeline, before: Timeline) -> Iterator[Finding]:
        finished, ours = before.room.finished, {job.participant_identity for job in timeline.jobs}
        if finished is None or outage(before, timeline) or may_be_outage(finished):
            return
        for agent in timeline.agents:
            job = next((job for job in before.jobs if _became(job, agent, before)), None)
            if job is None or agent.identity in ours - {None} or not _made_by(timeline, agent.sid):
                continue
            if before.agent_of(job) and before.end_reason is None:
                continue  # it was there: the server may have lost the room, and the agent reconnected
            yield self.found(
                f"{name_of(agent)} belongs to the room before this one ({before.room.sid}), which had closed: its"
                " join created this room.",
                finished,
                agent.at(Kind.PARTICIPANT_JOINING),
            )


def _became(job: Job, agent: Participant, before: Timeline) -> bool:
    """Whether a job of the room before became this participant of another room.

    An identity that a worker gives to each of its agents proves nothing.
    """
    connected = job.at(Kind.AGENT_CONNECTED)
    if connected and connected.facts.get(keys.PARTICIPANT_ID) == agent.sid and agent.sid not in before.by_sid:
        return True
    return agent.identity == job.participant_identity and is_own(job, agent)


def _made_by(room: Timeline, sid: str) -> bool:
    """Whether the join of the agent with this SID made a room, and no caller came to it.

    It joined before anybody else, and at once when the room was made: an API call's room waits for longer.
    """
    joins = [(step.earliest, who.sid) for who in room.participants if (step := who.at(Kind.PARTICIPANT_JOINING))]
    if room.callers or not joins or min(joins)[1] != sid:
        return False
    return room.room.created is None or min(joins)[0] - room.room.created.latest <= LONG_AFTER
