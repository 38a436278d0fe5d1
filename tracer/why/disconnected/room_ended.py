"""The room ended while somebody needed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, server
from tracer.timeline.provenance import EndReason
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.limits import SOON
from tracer.why.call.participants import DROPPED, NOTICED_WITHIN, name_of
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["CallerAway", "RoomDeleted"]

TIMED_OUT = (EndReason.DEPARTURE_TIMEOUT, EndReason.IDLE_TIMEOUT)
"""Why a room ends that callers have left."""
BACK_WITHIN = 600 * NS_PER_S
"""A caller who calls again within this, ns, means the same call."""
MISSED_WITHIN = 60 * NS_PER_S
"""Of a caller whose reason for leaving is unknown, whoever is back later than this, ns, means another call."""


class RoomDeleted(Cause):
    """DeleteRoom disconnects everybody; many agents end a call so on purpose.

    Known from the reason in the webhooks of the leaves. No fault where an agent had ended the call (see
    agent-deleted-room), or the caller had just hung up; nor of a phone caller (SIP) with an agent: a phone call is hung
    up by deleting the room. Not certain where an agent was there, which may have called it; nor of several callers of
    whom one had hung up: the others can have gone on. Of one caller with an agent that reports nothing, it is a doubt.
    """

    name = "room-deleted"
    symptom = Symptom.DISCONNECTED
    about = "an API call deleted the room while a caller was in it"
    advice = (
        "Find what calls DeleteRoom: your backend, or the agent itself (ctx.delete_room()), which is no fault where it"
        " hangs up."
    )
    said = (
        Page.ROOMS,
        server("pkg/service/roommanager.go"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        if call.agents.ending:
            return  # an agent that deleted it reports that last
        cut_off = self._cut_off(call)
        in_call = [p for p in cut_off if not call.callers.hung_up_before(call.left_at(p))]
        several = len({name_of(p) for p in cut_off}) > 1
        known = [p for p in in_call if not _uninstrumented_with(call, p)]
        hit = cut_off if several and (known or not in_call) else known
        if not hit:
            return
        names = ", ".join(sorted(map(name_of, hit)))
        with_agent = any(_agents_with(call, p) for p in hit)
        whose = ", and no agent is known to have ended the call" if with_agent else ""
        yield self.found(
            f"The room was deleted by an API call while {names} {'was' if len(hit) == 1 else 'were'} in it{whose}.",
            *(p.gone for p in hit),
            call.timeline.room.finished,
            certain=bool(in_call) and not with_agent and call.timeline.heard_from is None,
        )

    def doubt(self, call: Call) -> str | None:
        for who in self._cut_off(call):
            if not call.callers.hung_up_before(call.left_at(who)) and _uninstrumented_with(call, who):
                return f"check what called DeleteRoom while {name_of(who)} was there: the agent, to hang up, or not"
        return None

    @staticmethod
    def _cut_off(call: Call) -> list[Participant]:
        """Callers whom the deletion of the room disconnected, and not an agent that hung up."""
        out = [p for p in call.callers.all if p.disconnect_reason == "ROOM_DELETED" and p.gone]
        out = [p for p in out if not (p.kind == "SIP" and _agents_with(call, p))]
        return [p for p in out if not call.agents.hung_up(call.left_at(p))]


def _agents_with(call: Call, who: Participant) -> list[Participant]:
    """Agents that may have been there when somebody left: the webhooks of their own coming and going can be lost."""
    left = call.left_at(who)
    return [agent for agent in call.agents.all if _came(agent) < left < _went(call, agent) + SOON]


def _came(agent: Participant) -> int:
    """The earliest that an agent can have been ACTIVE, ns; ``FOREVER`` for one that never was."""
    if agent.at(Kind.PARTICIPANT_ABORTED):
        return FOREVER
    return (agent.at(Kind.PARTICIPANT_ACTIVE) or agent.steps[0]).earliest


def _went(call: Call, agent: Participant) -> int:
    """The latest that an agent can have left, ns."""
    return agent.gone.latest if agent.gone else call.left_at(agent)


def _uninstrumented_with(call: Call, who: Participant) -> bool:
    """Whether all agents that were there when somebody left report nothing, and there were some."""
    agents = _agents_with(call, who)
    return bool(agents) and all(agent in call.agents.uninstrumented for agent in agents)


class CallerAway(Cause):
    """A room closes departure_timeout after the last caller left, and its agent leaves with it.

    Known from a caller who was cut off (the reason in the webhook) and joined the next room of this name. Whoever
    hangs up and calls again means another call. Neither agents nor recorders keep a room open.
    """

    name = "caller-away"
    symptom = Symptom.DISCONNECTED
    about = "the caller was away for longer than departure_timeout, and the room closed"
    advice = "Raise departure_timeout (20 s by default) in CreateRoom or in the token's RoomConfiguration."
    said = (
        server("pkg/rtc/room.go"),
        Page.ROOMS,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        room, later = call.timeline.room, call.timeline.later
        for left, finished, joining, back in self._returns(call):
            if left is None or left.facts.get(keys.DISCONNECT_REASON) not in DROPPED or later is None:
                continue
            away = max(joining.earliest - left.latest, 0) // (NS_PER_S // 10) / 10
            timeout = room.facts.get(keys.ROOM_DEPARTURE_TIMEOUT)
            waits = f"departure_timeout is {timeout} s" if timeout else "departure_timeout was shorter"
            late = f"the server can notice a lost connection {NOTICED_WITHIN // NS_PER_S} s late"
            yield self.found(
                f"{back.identity} lost the connection and was away for at least {away:.1f} s ({late}), and {waits}:"
                f" the room closed, and the agent left. Coming back created a new room ({later.room.sid}), with an"
                " agent that knows nothing of this one.",
                left,
                finished,
                joining,
            )
            return

    def doubt(self, call: Call) -> str | None:
        for left, finished, joining, back in self._returns(call):
            unknown = left is None or not left.facts.get(keys.DISCONNECT_REASON)
            if unknown and joining.time - finished.time <= MISSED_WITHIN:
                return (
                    f"check why {back.identity} left: only a webhook carries the reason; send webhooks to `tracer"
                    " serve`, or ask the caller"
                )
        return None

    @staticmethod
    def _returns(call: Call) -> Iterator[tuple[Step | None, Step, Step, Participant]]:
        """Who joined the next room of this name: how they had left this one, its end, their joining, and themselves."""
        timeline = call.timeline
        finished, later = timeline.room.finished, timeline.later
        if later is None or finished is None or timeline.end_reason not in TIMED_OUT or not call.agents.all:
            return
        names = {p.identity for p in call.callers.all if p.identity}
        for back in later.participants:
            joining = back.at(Kind.PARTICIPANT_JOINING)
            if joining is None or back.is_agent or back.identity not in names:
                continue
            if not 0 <= joining.time - finished.time <= BACK_WITHIN:
                continue
            theirs = [p for p in call.callers.all if p.identity == back.identity and p.gone]
            before = max(theirs, key=call.left_at, default=None)
            left = before.gone if before else None
            if left and not any(call.left_at(agent) >= left.time for agent in call.agents.all):
                continue  # the agent had left before them
            yield left, finished, joining, back
