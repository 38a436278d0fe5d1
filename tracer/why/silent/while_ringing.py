"""The agent greets a telephone that still rings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import issue
from tracer.units import NS_PER_S
from tracer.why.call.limits import LONG_ENOUGH, NOTICED, SOON
from tracer.why.call.participants import name_of
from tracer.why.call.serving import over_at, stays
from tracer.why.call.speech import spoken_until
from tracer.why.call.telephone import ringing
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["SpokeWhileRinging"]


class SpokeWhileRinging(Cause):
    """Whom SIP calls is in the room before they answer, and hears nothing of what the agent says meanwhile.

    Known from the attribute ``sip.callStatus``, as the agent or the observer saw it change, and from when the agent
    spoke. Nothing is found where it spoke within 5 s after the answer, as one does that greets again, nor of words
    that were not over a second before the answer, nor of who did not wait 3 s.
    """

    name = "spoke-while-ringing"
    symptom = Symptom.SILENT
    about = "the agent spoke before the telephone was answered"
    advice = (
        "Greet when somebody has answered: call CreateSIPParticipant with wait_until_answered=True before you start the"
        " session, or wait for the attribute sip.callStatus to be active. A recorder in the room makes this show: an"
        " agent waits for anybody who is subscribed to its track, not for the telephone."
    )
    said = (
        issue("sip", 114),
        issue("agents", 1863),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for who in call.callers.all:
            found = (self._judge(call, job, who) for job in call.timeline.jobs)
            yield from [one for one in found if one][:1]

    def _judge(self, call: Call, job: Job, who: Participant) -> Finding | None:
        rang = ringing(who)
        if rang is None or rang.answered is None or rang.answered.kind is not Kind.PARTICIPANT_ATTRIBUTES_CHANGED:
            return None
        began, answered = rang.first.time, rang.answered
        spoken = [step for step in job.steps if step.kind is Kind.AGENT_SPEAKING and step.time > began]
        before = [step for step in spoken if step.time < answered.earliest]
        after = [step for step in spoken if step.time >= answered.earliest]
        greeted = after and after[0].time <= answered.latest + NOTICED
        there = (stay for stay in stays(call, job, answered.time, over_at(call, job, answered.time)) if stay.who is who)
        waited = max((stay.lasted for stay in there), default=0)
        heard = any(spoken_until(step) > answered.earliest - SOON for step in before)
        if not before or heard or greeted or waited <= LONG_ENOUGH:
            return None
        ahead = (answered.time - before[0].time) / NS_PER_S
        return self.found(
            f"The agent of job {job.sid} spoke {ahead:.1f} s before {name_of(who)} answered the telephone,"
            " and not again when they had.",
            before[0],
            answered,
        )
