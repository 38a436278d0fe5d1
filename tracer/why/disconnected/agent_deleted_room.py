"""The agent's own end deleted the room, and with it a conversation of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.units import NS_PER_S
from tracer.why.call.jobs import own_shutdown
from tracer.why.call.limits import SOON
from tracer.why.call.participants import can_talk, name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Participant
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AgentDeletedRoom"]

ENDING = 10 * NS_PER_S
"""The steps of an agent's own end lie no further from the deletion than this, ns."""


class AgentDeletedRoom(Cause):
    """An agent that connects two people and then ends deletes the room they talk in.

    Known from the reason in the webhooks of their leaves, and from the agent, which had just shut down its job or
    closed its session. Deleting the room hangs up a call with one caller, which is no fault; nor is a listener who
    publishes nothing, or whom nobody sees, thrown out of a conversation. Not certain of people who were all there when
    the agent joined: it may host them; nor where only the session had closed: somebody else may have deleted the room.
    """

    name = "agent-deleted-room"
    symptom = Symptom.DISCONNECTED
    about = "the agent ended and deleted the room, with callers in it who could talk to each other"
    advice = (
        "Do not delete the room when callers stay to talk: leave delete_room_on_close off, do not call"
        " ctx.delete_room(), and let only the agent leave (session.aclose(), ctx.shutdown())."
    )
    said = (
        agents("job.py"),
        agents("voice/room_io/room_io.py"),
        Page.JOB,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        cut_off = [p for p in call.callers.all if p.disconnect_reason == "ROOM_DELETED" and self._talked(call, p)]
        if len({name_of(p) for p in cut_off}) < 2:
            return
        at = min(map(call.left_at, cut_off))
        if not call.agents.hung_up(at):
            return
        own = [step for job in call.timeline.jobs if (step := own_shutdown(job)) and abs(at - step.time) < ENDING]
        asked = [step for step in call.agents.deletions if abs(at - step.time) < ENDING]
        closed = [step for step in call.agents.closed_sessions if abs(at - step.time) < ENDING]
        names = " and ".join(sorted(map(name_of, cut_off)))
        ending = "shut down its job" if own else "hung up" if asked else "closed its session"
        yield self.found(
            f"An agent {ending}, and the room was deleted while {names}"
            f" were in it: {'both' if len(cut_off) == 2 else 'all'} were disconnected.",
            *asked,
            *(own or closed),
            *(p.gone for p in cut_off),
            call.timeline.room.finished,
            certain=bool(own or asked) and self._was_joined(call, cut_off),
        )

    def doubt(self, call: Call) -> str | None:
        finished = call.timeline.room.finished
        if finished is None or not call.agents.hung_up(finished.time):
            return None
        staying = [p for p in call.callers.all if p.gone and p.gone.latest > finished.earliest - SOON and can_talk(p)]
        if len({name_of(p) for p in staying if p.disconnect_reason is None}) > 1:
            return "check in the server's log whether the room was deleted: only a webhook carries why callers left"
        return None

    @staticmethod
    def _talked(call: Call, who: Participant) -> bool:
        """Whether somebody took part in the conversation, as far as is known."""
        return bool(call.callers.published.get(who.sid)) and can_talk(who)

    @staticmethod
    def _was_joined(call: Call, callers: list[Participant]) -> bool:
        """Whether somebody joined when another was with an agent already."""
        joins = sorted(step.time for who in callers if (step := who.at(Kind.PARTICIPANT_JOINING)))
        return any(agent.steps[0].time < joins[-1] for agent in call.agents.all)
