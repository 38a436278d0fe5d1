"""The agent's ``on_enter``, or its ``on_user_turn_completed``, raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.jobs import error_of
from tracer.why.call.limits import LONG_ENOUGH
from tracer.why.call.participants import name_of
from tracer.why.call.serving import over_at, seconds, stays
from tracer.why.cause import Cause
from tracer.why.silent.answers import answer_after, new_answer_after
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["OnEnterRaised", "OnTurnRaised"]

GREETED_BY = 8 * NS_PER_S
"""An agent that speaks within this time, ns, greeted or answered the caller all the same."""


class _HookRaised(Cause):
    """A method of the agent's that livekit-agents calls raised, and the agent did not speak after."""

    symptom = Symptom.SILENT
    hook: ClassVar[str]
    """The method, which is the name of its span too."""

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            for session in sessions_of(job):
                steps = [s for s in job.steps if session.since <= s.time <= session.until]
                raised = [s for s in steps if s.kind is Kind.MODEL_FAILED and s.facts.get(keys.SPAN_NAME) == self.hook]
                found = (self._judge(call, job, session, step) for step in raised if self.matters(steps, step))
                if first := next((one for one in found if one), None):
                    yield first

    def matters(self, _: list[Step], __: Step) -> bool:
        """Whether a caller misses anything, where one of the session's steps is that it raised."""
        return True

    def answered(self, job: Job, raised: Step) -> int:
        """When the agent answered or spoke after it raised, ns; FOREVER where it did not."""
        return answer_after(job, raised.time)

    def _judge(self, call: Call, job: Job, session: Session, raised: Step) -> Finding | None:
        spoke = self.answered(job, raised)
        until = min(spoke, session.until, over_at(call, job, raised.time))
        stay = max(stays(call, job, raised.time, until), key=lambda one: one.lasted, default=None)
        never = spoke == FOREVER or (stay is not None and stay.until < spoke)
        if stay is None or stay.lasted <= (LONG_ENOUGH if never else GREETED_BY):
            return None
        return self.found(
            f"The {self.hook} of job {job.sid}'s agent raised {error_of(raised) or 'an exception'}, and for"
            f" {seconds(call, stay)} {name_of(stay.who)} heard nothing of it.",
            raised,
            certain=never,
        )


class OnEnterRaised(_HookRaised):
    """An agent greets in its ``on_enter``; what raises before leaves the caller without a greeting.

    Known from the ERROR of the job's span ``on_enter``, from a caller who was there, and from no ``agent_speaking``
    before it, nor after; of an agent that another one handed over to, from then on. Not certain where the agent spoke
    later: it may have had nothing to say at first.
    """

    name = "on-enter-raised"
    about = "the agent's on_enter raised an exception, and it did not speak"
    advice = "Fix on_enter: livekit-agents logs what it raises and goes on, without what it had still to say or set up."
    said = (
        agents("voice/agent_activity.py"),
        Page.NODES,
    )
    hook = "on_enter"

    def matters(self, steps: list[Step], raised: Step) -> bool:
        """Not where the agent had spoken before; what the one said that handed over to it does not count."""
        changed = [s.time for s in steps if s.kind is Kind.SESSION_AGENT_CHANGED and s.time < raised.time]
        since = max(changed, default=0)
        return not any(step.kind is Kind.AGENT_SPEAKING and since <= step.time < raised.time for step in steps)


class OnTurnRaised(_HookRaised):
    """A caller's turn whose ``on_user_turn_completed`` raises gets no answer: livekit-agents logs it and goes on.

    Known from the ERROR of the job's span of that name (livekit-agents 1.8.2 and newer), from a caller who was there,
    and from no ``agent_speaking`` after; an answer that the model was asked for before (preemptive generation) is not
    said. Not certain where the agent spoke later. StopResponse is no error.
    """

    name = "on-turn-raised"
    about = "the agent's on_user_turn_completed raised an exception, and the caller's turn got no answer"
    advice = (
        "Fix on_user_turn_completed: livekit-agents logs what it raises, and gives the turn no answer. Where it depends"
        " on something that can fail, catch that and go on without."
    )
    said = (
        agents("voice/agent_activity.py"),
        Page.NODES,
    )
    hook = "on_user_turn_completed"

    def answered(self, job: Job, raised: Step) -> int:
        """Not by what was made ahead of the turn."""
        return new_answer_after(job, raised)
