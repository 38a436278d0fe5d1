"""The agent connected after its room had closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.units import NS_PER_S
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.step import Step
    from tracer.timeline.timeline import Timeline
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["GhostRoom"]


class GhostRoom(Cause):
    """Joining a name whose room has closed creates a new room.

    Known from both sides: of the room that closed, its job connected later, as a participant who is not in it; of the
    new room, an agent in it has the identity of a job of the room before.
    """

    name = "ghost-room"
    symptom = Symptom.DISCONNECTED
    about = "the agent connected after its room had closed, which created a new room"
    advice = (
        "Connect at once, and do slow work afterwards. The new room has no caller, and stays open until its"
        " empty_timeout."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        yield from self._in_the_closed_room(call)
        if call.timeline.earlier:
            yield from self._in_the_new_room(call, call.timeline.earlier)

    def _in_the_closed_room(self, call: Call) -> Iterator[Finding]:
        if call.outage:
            return  # whoever comes back makes a new room then
        here = {p.sid for p in call.timeline.participants}
        finished = call.timeline.room.finished
        for job in call.timeline.jobs:
            connected = job.at(Kind.AGENT_CONNECTED)
            sid = connected.facts.get(keys.PARTICIPANT_ID) if connected else None
            if not connected or not finished or not sid or sid in here:
                continue
            late = (call.agents.not_before(job, connected) or 0) - finished.time
            if late > 0:
                yield self.found(
                    f"The agent of job {job.sid} connected {late / NS_PER_S:.1f} s after this room had closed: it"
                    " joined another room of the same name, which its join created.",
                    finished,
                    job.at(Kind.AGENT_CONNECTING),
                    connected,
                )

    def _in_the_new_room(self, call: Call, before: Timeline) -> Iterator[Finding]:
        theirs = {job.participant_identity: job for job in before.jobs if job.participant_identity}
        ours = {job.participant_identity for job in call.timeline.jobs}
        were_there = {agent.identity for agent in before.agents}  # who was in the room before has reconnected
        for agent in call.agents.all:
            job, joining = theirs.get(agent.identity or ""), agent.at(Kind.PARTICIPANT_JOINING)
            if (
                job is None
                or joining is None
                or agent.identity in ours | were_there
                or _a_caller_was_first(call, joining)
            ):
                continue
            if job.sid in str(agent.identity):  # an identity that a worker gives to each of its agents proves nothing
                yield self.found(
                    f"{agent.identity} belongs to the room before this one ({before.room.sid}), which had closed: its"
                    " join created this room.",
                    before.room.finished,
                    joining,
                )


def _a_caller_was_first(call: Call, joining: Step) -> bool:
    """Whether a caller joined before, and so created the room."""
    joins = (who.at(Kind.PARTICIPANT_JOINING) for who in call.callers.all)
    return any(step.latest < joining.earliest for step in joins if step)
