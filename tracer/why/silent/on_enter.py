"""The agent's ``on_enter`` raised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.jobs import error_of
from tracer.why.call.limits import LONG_ENOUGH
from tracer.why.call.participants import name_of
from tracer.why.call.serving import over_at, seconds, stays
from tracer.why.cause import Cause
from tracer.why.silent.answers import answer_after
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["OnEnterRaised"]

GREETED_BY = 8 * NS_PER_S
"""An agent that speaks within this time, ns, greeted all the same, or answered the caller."""


class OnEnterRaised(Cause):
    """An agent greets in its ``on_enter``; what raises before leaves the caller without a greeting.

    Known from the ERROR of the job's span ``on_enter``, from a caller who was there, and from no ``agent_speaking``
    before it, nor after. Not certain where the agent spoke later: it may have had nothing to say at first.
    """

    name = "on-enter-raised"
    symptom = Symptom.SILENT
    about = "the agent's on_enter raised an exception, and it did not speak"
    advice = "Fix on_enter: livekit-agents logs what it raises and goes on, without what it had still to say or set up."

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            for session in sessions_of(job):
                steps = [s for s in job.steps if session.since <= s.time <= session.until]
                failed = [s for s in steps if s.kind is Kind.MODEL_FAILED and s.facts.get(keys.SPAN_NAME) == "on_enter"]
                found = (self._judge(call, job, session, step) for step in failed if not _spoke(steps, step.time))
                if first := next((one for one in found if one), None):
                    yield first

    def _judge(self, call: Call, job: Job, session: Session, failed: Step) -> Finding | None:
        spoke = answer_after(job, failed.time)
        until = min(spoke, session.until, over_at(call, job, failed.time))
        stay = max(stays(call, job, failed.time, until), key=lambda one: one.lasted, default=None)
        never = spoke == FOREVER or (stay is not None and stay.until < spoke)
        if stay is None or stay.lasted <= (LONG_ENOUGH if never else GREETED_BY):
            return None
        return self.found(
            f"The on_enter of job {job.sid}'s agent raised {error_of(failed) or 'an exception'}, and for"
            f" {seconds(call, stay)} {name_of(stay.who)} heard nothing of it.",
            failed,
            certain=never,
        )


def _spoke(steps: list[Step], before: int) -> bool:
    """Whether the agent had spoken, in this session, before a time, ns."""
    return any(step.kind is Kind.AGENT_SPEAKING and step.time < before for step in steps)
