"""The agent is hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.sessions import sessions_of
from tracer.units import NS_PER_S
from tracer.why.call.limits import LONG_ENOUGH
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import is_hidden
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AgentHidden"]


class AgentHidden(Cause):
    """A hidden participant is not shown to the others, and neither are its tracks.

    Known from the permission in webhooks and ListParticipants. Certain of an agent that spoke; one that
    did not may be meant to listen only.
    """

    name = "agent-hidden"
    symptom = Symptom.SILENT
    about = "the agent was hidden: the callers could neither see nor hear the agent"
    advice = "Take hidden=True out of the worker's WorkerPermissions, unless the agent is meant to listen only."
    said = (
        Page.PARTICIPANTS,
        agents("worker.py"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        hidden = [agent for agent in call.agents.all if is_hidden(agent)]
        visible = [agent for agent in call.agents.all if not is_hidden(agent)]
        for agent in hidden:
            alone = [one for one in _with(call, agent) if not any(_together(call, one[1], other) for other in visible)]
            job = next((job for job in call.timeline.jobs if call.agents.of(job) == agent), None)
            spoken = call.voices(agent.sid)
            tried = next((step for s in sessions_of(job) for step in s.voiced), None) if job else None
            speaks = job.at(Kind.AGENT_SPEAKING) if job else None
            # One that is silent may be meant to listen only: a session publishes a track unless set not to.
            if not alone or (speaks is None and (len(alone) > 1 or (job and _only_listens(job)))):
                continue
            lasted, who = max(alone, key=lambda one: one[0])
            heard = "and could not be heard" if spoken or tried else "and published no track"
            yield self.found(
                f"{name_of(agent)} was hidden {heard}: {name_of(who)} was with the agent for {lasted / NS_PER_S:.1f} s,"
                " and saw nobody.",
                agent.at(Kind.PARTICIPANT_ACTIVE) or agent.steps[0],
                spoken[0].step if spoken else tried,
                speaks,
                who.at(Kind.PARTICIPANT_ACTIVE),
                certain=speaks is not None,
            )


def _with(call: Call, agent: Participant) -> list[tuple[int, Participant]]:
    """The callers who were there with an agent long enough to notice, and for how long, ns."""
    there = ((_together(call, who, agent), who) for _, _, who in call.callers.active)
    return [(lasted, who) for lasted, who in there if lasted and not is_hidden(who)]


def _together(call: Call, who: Participant, agent: Participant) -> int:
    """How long a caller and an agent were there together, ns; 0 for less than anybody notices."""
    came = agent.at(Kind.PARTICIPANT_ACTIVE) or agent.steps[0]
    active = who.at(Kind.PARTICIPANT_ACTIVE) or who.steps[0]
    lasted = min(call.left_at(agent), call.seen_until(who), call.end) - max(came.time, active.time)
    return lasted if lasted > LONG_ENOUGH else 0


def _only_listens(job: Job) -> bool:
    """Whether its sessions have ended, and never tried to publish a voice."""
    sessions = sessions_of(job)
    return bool(sessions) and all(session.closed and not session.voiced for session in sessions)
