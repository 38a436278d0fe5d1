"""The room ended while somebody needed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.provenance import EndReason
from tracer.units import NS_PER_S
from tracer.why.call.participants import name_of
from tracer.why.cause import Cause
from tracer.why.disconnected.process import DROPPED
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["CallerAway", "RoomDeleted"]

HANGS_UP = 5 * NS_PER_S
"""An agent that closed its session no longer before, ns, ended the call by deleting its room."""
BACK_WITHIN = 600 * NS_PER_S
"""A caller who calls again within this, ns, means the same call."""
MISSED_WITHIN = 60 * NS_PER_S
"""Of a caller whose reason for leaving is unknown, whoever is back later than this, ns, means another call."""


class RoomDeleted(Cause):
    """DeleteRoom disconnects everybody; many agents end a call so on purpose.

    Known from the reason in the webhooks of the leaves. No fault where an agent had ended the call, or the caller
    had just hung up. Not certain of several callers of whom one had: the others can have gone on.
    """

    name = "room-deleted"
    symptom = Symptom.DISCONNECTED
    about = "the room was deleted while a caller was in it"
    advice = "Find what calls DeleteRoom: your backend, or the agent itself (ctx.delete_room())."

    def find(self, call: Call) -> Iterator[Finding]:
        cut_off = [p for p in call.callers.all if p.disconnect_reason == "ROOM_DELETED" and p.gone]
        cut_off = [p for p in cut_off if not self._agent_hung_up(call, call.left_at(p))]
        in_call = [p for p in cut_off if not call.callers.hung_up_before(call.left_at(p))]
        several = len({name_of(p) for p in cut_off}) > 1
        if not in_call and not several:
            return
        hit = cut_off if several else in_call
        names = ", ".join(sorted(map(name_of, hit)))
        yield self.found(
            f"The room was deleted by an API call while {names} {'was' if len(hit) == 1 else 'were'} in it.",
            *(p.gone for p in hit),
            call.timeline.room.finished,
            certain=bool(in_call),
        )

    @staticmethod
    def _agent_hung_up(call: Call, at: int) -> bool:
        """Whether an agent ended the call: shut down, or closed its session just before (``delete_room_on_close``)."""
        closed = (s for job in call.timeline.jobs for s in job.steps if s.kind is Kind.SESSION_CLOSED)
        return call.agents.ended_the_call(at) or any(0 < at - step.time < HANGS_UP for step in closed)


class CallerAway(Cause):
    """A room closes departure_timeout after the last caller left, and its agent leaves with it.

    Known from a caller who was cut off (the reason in the webhook) and joined the next room of this name. Whoever
    hangs up and calls again means another call.
    """

    name = "caller-away"
    symptom = Symptom.DISCONNECTED
    about = "the caller was away for longer than departure_timeout, and the room closed"
    advice = "Raise departure_timeout (20 s by default) in CreateRoom or in the token's RoomConfiguration."

    def find(self, call: Call) -> Iterator[Finding]:
        room, later = call.timeline.room, call.timeline.later
        for left, finished, joining, back in self._returns(call):
            if left is None or left.facts.get(keys.DISCONNECT_REASON) not in DROPPED or later is None:
                continue
            away = (joining.time - left.time) / NS_PER_S
            timeout = room.facts.get(keys.ROOM_DEPARTURE_TIMEOUT)
            waits = f"departure_timeout is {timeout} s" if timeout else "departure_timeout was shorter"
            yield self.found(
                f"{back.identity} lost the connection and was away for {away:.1f} s, and {waits}: the room closed, and"
                f" the agent left. Coming back created a new room ({later.room.sid}), with an agent that knows nothing"
                " of this one.",
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
        if (
            later is None
            or finished is None
            or timeline.end_reason != EndReason.DEPARTURE_TIMEOUT
            or not call.agents.all
        ):
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
