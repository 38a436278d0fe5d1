"""An agent of the room before this one joined this room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import agents
from tracer.why.call.outage import outage
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AgentOfEarlierRoom"]


class AgentOfEarlierRoom(Cause):
    """A job's token is for the room's name: an agent that connects late joins whatever room has that name by then.

    Known from a job of the room before this one, whose agent is in this room and never was in its own. Not where the
    agent's join made this room (see ``GhostRoom``): then no caller has two agents.
    """

    name = "agent-of-earlier-room"
    symptom = Symptom.DUPLICATED
    about = "an agent of an earlier room of the same name joined this one"
    advice = (
        "Give each call a room name of its own. Or connect first in the entrypoint, and call ctx.shutdown() where the"
        " room's SID is not that of ctx.job.room: it is another room by then."
    )
    OUTAGE = (
        "The LiveKit server went away while the agent was on its way, and the room with it: see the room before this"
        " one (tracer why {room}). Whoever reconnects then makes a new room, which has an agent of its own."
    )
    said = (agents("job.py"),)

    def find(self, call: Call) -> Iterator[Finding]:
        before = call.timeline.earlier
        for agent in call.agents.all:
            job, joining = call.agents.of_earlier_room.get(agent.sid), agent.at(Kind.PARTICIPANT_JOINING)
            if before is None or job is None or joining is None or not _was_there(call, joining):
                continue
            own = _beside(call, agent)
            also = f": two agents are in the room, the other is {name_of(own)}" if own else ""
            yield self.found(
                f"{name_of(agent)} was dispatched to the room of this name before this one ({before.room.sid}), which"
                f" was closed when it connected; it joined this room instead{also}.",
                job.at(Kind.JOB_OFFERED),
                before.room.finished,
                joining,
                own.at(Kind.PARTICIPANT_JOINING) if own else None,
                advice=self.OUTAGE.format(room=before.room.sid) if outage(before, call.timeline) else None,
            )


def _was_there(call: Call, joining: Step) -> bool:
    """Whether somebody else had joined before, and so the agent's join did not make this room."""
    joins = (who.at(Kind.PARTICIPANT_JOINING) for who in call.timeline.participants if who.sid != joining.subject)
    return any(step.latest < joining.earliest for step in joins if step)


def _beside(call: Call, agent: Participant) -> Participant | None:
    """An agent of this room's own that was there while the other was."""
    since, until = agent.steps[0].time, call.left_at(agent)
    others = (one for one in call.agents.of_jobs.values() if one.sid != agent.sid)
    return next((one for one in others if one.steps[0].time < until and call.left_at(one) > since), None)
