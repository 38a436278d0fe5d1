"""A model failed, and no answer came."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import agents
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.jobs import error_of
from tracer.why.call.limits import LONG_ENOUGH, STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.call.serving import over_at, seconds, stays
from tracer.why.cause import Cause
from tracer.why.silent.after_session import FOR_AN_ERROR, close_reason, silences
from tracer.why.silent.answers import answer_after, model_of
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.serving import Stay
    from tracer.why.cause import Finding
    from tracer.why.silent.after_session import Silence

__all__ = ["ModelFailed"]

OF_A_TURN = {"llm_node", "tts_node", "stt_node", "agent_turn", "realtime_session"}
"""Spans whose failure leaves a caller without an answer. A request within them is tried again, or falls back to another
provider; alone, it is something else's, as of a summary."""
LAST_TRY = "llm_request_run"
"""One try of a request, in Node: there ``llm_node`` does not fail with it, and ends at once without an answer."""
RECOVERED_BY = 8 * NS_PER_S
"""A model that answers again within this time, ns, was tried again."""


class ModelFailed(Cause):
    """A model of the agent (LLM, TTS, STT, realtime) raises: the caller hears no answer.

    Known from the ERROR of the job's spans ``llm_node``, ``tts_node``, ``agent_turn``, and from the ``session_close``
    that livekit-agents makes with the reason ``error`` after several of them; in Node, from a ``llm_request_run`` that
    failed at the end of a ``llm_node`` without an answer. Nothing where an answer or the agent's
    voice followed within 8 s; not certain where one followed later.
    """

    name = "model-failed"
    symptom = Symptom.SILENT
    about = "a model of the agent failed, and no answer came"
    advice = (
        "Fix what the error names: the provider's key, quota, address or model name. A FallbackAdapter of another"
        " provider answers meanwhile; and when the session closes with an error (its “close” event), say so to the"
        " caller and end the job."
    )
    said = (
        agents("voice/agent_session.py"),
        agents("voice/agent_activity.py"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        after = {s.closed.key: silence for _, s, silence in silences(call) if s.closed}
        for job in call.timeline.jobs:
            for session in sessions_of(job):
                failures = [s for s in _failures(job) if session.since <= s.time <= session.until]
                if session.closed and close_reason(session) == FOR_AN_ERROR:
                    silence = after.get(session.closed.key)
                    found = self._closed(call, job, session.closed, failures, silence)
                else:
                    found = self._unanswered(call, job, session, failures)
                if found:
                    yield found

    def _closed(
        self, call: Call, job: Job, closed: Step, failures: Sequence[Step], after: Silence | None
    ) -> Finding | None:
        """The session closed for it: whoever was there, or came later, has nobody to answer them."""
        what = _what(failures, closed)
        if after:
            longest = max(after.alone, key=lambda stay: stay.lasted)
            names = ", ".join(dict.fromkeys(name_of(stay.who) for stay in after.alone[:3]))
            return self.found(
                f"{what}, and the session of job {job.sid} closed for it: for {seconds(call, longest)} {names} had an"
                " agent in the room that could not hear or speak.",
                *failures[:1],
                *failures[-1:],
                closed,
                after.over,
                certain=after.for_good and not after.on_purpose,
            )
        there = [stay for stay in stays(call, job, closed.time - 1, closed.time) if stay.until >= closed.time]
        another = any(other.since > closed.time and other.since - closed.time <= STUCK_BY for other in sessions_of(job))
        if not there or another:
            return None
        return self.found(
            f"{what}, and the session of job {job.sid} closed for it while {name_of(there[0].who)} was there.",
            *failures[:1],
            *failures[-1:],
            closed,
        )

    def _unanswered(self, call: Call, job: Job, session: Session, failures: Sequence[Step]) -> Finding | None:
        """The longest time that a caller had no answer after failures."""
        found: list[tuple[Stay, list[Step], bool]] = []
        while failures:
            first = failures[0]
            again = _recovered(job, first, failures)
            run, failures = [s for s in failures if s.time < again], [s for s in failures if s.time >= again]
            until = min(again, session.until, over_at(call, job, first.time))
            there = list(stays(call, job, _asked_before(job, first), until))
            if there := [stay for stay in there if stay.since <= first.time < stay.until]:
                longest = max(there, key=lambda stay: stay.lasted)
                found.append((longest, run, again == FOREVER or longest.until < again))
        worst = max(found, key=lambda one: one[0].lasted, default=None)
        if worst is None:
            return None
        stay, run, never = worst
        if (stay.lasted if never else stay.until - run[0].time) <= (LONG_ENOUGH if never else RECOVERED_BY):
            return None
        return self.found(
            f"{_what(run)}, and for {seconds(call, stay)} {name_of(stay.who)} had no answer of job {job.sid}.",
            run[0],
            run[-1],
            certain=never and answer_after(job, stay.since, (Kind.AGENT_SPEAKING,)) > stay.until,
        )


def _failures(job: Job) -> list[Step]:
    """Failures that left a turn without an answer."""
    failed = [step for step in job.steps if step.kind is Kind.MODEL_FAILED]
    without = [step.time for step in job.steps if step.kind is Kind.MODEL_GAVE_NO_ANSWER]
    return [
        step
        for step in failed
        if step.facts.get(keys.SPAN_NAME) in OF_A_TURN
        or (step.facts.get(keys.SPAN_NAME) == LAST_TRY and any(0 <= at - step.time <= NS_PER_S for at in without))
    ]


def _asked_before(job: Job, failed: Step) -> int:
    """Since when the caller waited for what failed, ns: since its model was asked, where the agent did not speak since.

    A request that is tried again fails seconds later.
    """
    before = [s for s in job.steps if s.time <= failed.time and s.kind in (Kind.MODEL_ASKED, Kind.AGENT_SPEAKING)]
    return before[-1].time if before and before[-1].kind is Kind.MODEL_ASKED else failed.time


def _recovered(job: Job, first: Step, failures: Sequence[Step]) -> int:
    """When the model that failed worked again, ns; FOREVER where it did not.

    A TTS works when the agent speaks. An LLM does when it answers; what the agent says meanwhile can be an apology of
    its own code, and after a single failure that is good enough.
    """
    answered = answer_after(job, first.time, (Kind.MODEL_ANSWERED,))
    spoke = answer_after(job, first.time, (Kind.AGENT_SPEAKING,))
    spans = [str(step.facts.get(keys.SPAN_NAME)) for step in failures if step.time < answered]
    if any(name.startswith("tts") for name in spans) and not any(name.startswith("llm") for name in spans):
        return spoke
    return answered if spans.count("llm_node") > 1 else min(answered, spoke)


def _what(failures: Sequence[Step], closed: Step | None = None) -> str:
    """Which model failed how, and how often, as the start of a sentence."""
    named = [step for step in failures if model_of(str(step.facts.get(keys.SPAN_NAME)))]
    reported = str(closed.facts.get(keys.ERROR_TYPE) or "") if closed else ""
    model = model_of(reported) or (model_of(str(named[-1].facts.get(keys.SPAN_NAME))) if named else "") or "model"
    shown = (named or list(failures))[-1:]
    error = error_of(shown[0]) if shown else ""
    error = ": ".join(filter(None, (reported, error)))
    spans = [str(step.facts.get(keys.SPAN_NAME)) for step in (named or failures)]
    times = max((spans.count(name) for name in spans), default=0)
    often = f" {times} times" if times > 1 else ""
    return f"The agent's {model} failed{often}{f' ({error})' if error else ''}"
