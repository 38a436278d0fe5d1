"""Somebody was removed by an API call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page
from tracer.timeline.entities import Shutdown
from tracer.why.call.limits import LONG_ENOUGH
from tracer.why.call.participants import name_of
from tracer.why.call.telephone import ringing
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["Removed"]

REMOVED = "PARTICIPANT_REMOVED"


class Removed(Cause):
    """RemoveParticipant.

    Known from the reason in the webhook of the leave. It is no fault that an agent is removed when the call is over,
    beside another one, or where another comes at once; nor that the agent removes a caller to hang up: its job reports
    what it asks the API for. Nor is it one whose telephone was still ringing, as far as was reported: whoever calls
    gives up.
    """

    name = "removed"
    symptom = Symptom.DISCONNECTED
    about = "somebody was removed by an API call"
    advice = "Find what calls RemoveParticipant."
    OR_HUNG_UP = (
        "Find what calls RemoveParticipant: your backend, or the agent itself, which is no fault where it hangs up."
    )
    said = (Page.PARTICIPANTS,)

    def find(self, call: Call) -> Iterator[Finding]:
        for who in (*call.callers.all, *call.agents.all):
            if who.disconnect_reason == REMOVED and who.gone:
                yield from self._agent(call, who, who.gone) if who.is_agent else self._caller(call, who, who.gone)

    def _caller(self, call: Call, who: Participant, left: Step) -> Iterator[Finding]:
        rang = ringing(who)
        if rang is not None and rang.answered is None:
            return
        if not (call.agents.ended_the_call(left.time) or call.agents.removed(who, left)):
            # An agent that does not report it may have asked for it, to hang up: no webhook shows who did.
            by_agent = any(one.steps[0].time < left.time < call.left_at(one) for one in call.agents.all)
            whose = ", and no agent is known to have ended the call" if by_agent else ""
            yield self.found(
                f"The caller {name_of(who)} was removed by an API call{whose}.",
                left,
                certain=not by_agent,
                advice=self.OR_HUNG_UP if by_agent else None,
            )

    def _agent(self, call: Call, who: Participant, left: Step) -> Iterator[Finding]:
        first = call.callers.first_active
        before_the_call = first is not None and first > left.time
        if call.callers.all_left_by(left.time) or self._is_replaced(call, who, left):
            return
        if before_the_call and not call.first_caller_found_none(left.time):
            return  # another agent was there when it began
        yield self.found(
            f"An API call removed {name_of(who)}, an agent.",
            left,
            # That all callers had left may have been in webhooks that were lost; and another may come at once.
            certain=(first is None or before_the_call or bool(call.callers.at(left.time)))
            and call.end - left.time > LONG_ENOUGH,
        )

    @staticmethod
    def _is_replaced(call: Call, who: Participant, left: Step) -> bool:
        """Whether another agent stayed, or came at once: then it may be removed on purpose."""
        soon = left.time + LONG_ENOUGH
        others = (one for one in call.agents.all if one.sid != who.sid and not one.is_avatar)
        known = ((one, one.at(Kind.PARTICIPANT_ACTIVE)) for one in others)
        return any(active and active.time <= soon < call.left_at(one) for one, active in known)

    def doubt(self, call: Call) -> str | None:
        by_themselves = {agent.sid for agent in self._shut_down_otherwise(call)}
        for agent in call.agents.all:
            if agent.gone and not agent.disconnect_reason and agent.sid not in by_themselves:
                later = agent.gone.time + LONG_ENOUGH
                if call.end > later and call.callers.at(later):
                    return f"check in the server's log why {name_of(agent)} left: only a webhook carries the reason"
        return None

    @staticmethod
    def _shut_down_otherwise(call: Call) -> Iterator[Participant]:
        """Agents whose job shut down for a reason of its own: then that is why they left."""
        for job in call.timeline.jobs:
            agent = call.agents.of(job)
            if agent and job.at(Kind.JOB_SHUTDOWN) and job.shutdown_reason != Shutdown.ROOM_GONE:
                yield agent
