"""A model was asked, and nothing came."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.limits import STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.call.serving import Stay, over_at, seconds, stays
from tracer.why.cause import Cause
from tracer.why.silent.answers import answer_after, asks
from tracer.why.silent.blocked import blocked_between
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.why.call import Call
    from tracer.why.cause import Finding
    from tracer.why.silent.answers import Ask

__all__ = ["ModelSilent"]

SILENT_FOR = 8 * NS_PER_S
"""A model that has not begun to answer after this, ns, is not one that thinks: the slowest take a few seconds."""
AT_WORK_FOR = 5 * NS_PER_S
"""Of several tries that were given up, the model had this long, ns, altogether. A node that declines to answer takes
none of it."""


class _Wait(NamedTuple):
    """A stretch of tries without an answer, and what a caller had of it."""

    tries: list[Ask]
    stay: Stay
    longest: int
    """ns that the model had for the longest try."""
    late: bool
    """Whether an answer came in the end."""
    open: bool
    """Whether the caller left, or the call ended, before one could."""


class ModelSilent(Cause):
    """The session asks its LLM, and no answer begins.

    Known from the job's spans ``llm_node`` (without ``lk.response.ttft``) and ``agent_speaking``, and from a caller who
    was there for at least 8 s of it, without the time in which the event loop stood still. Certain where the model had
    one try for so long, and the session reported its end or goes on; what a caller interrupted sooner, again and again,
    may have been slow. What is being asked right now is reported when it ends. Where the LLM answers and the agent is
    not known to speak, it is a doubt: those spans can be lost.
    """

    name = "model-silent"
    symptom = Symptom.SILENT
    about = "a model of the agent gave no answer"
    advice = (
        "Look at the provider's status and latency for that time. Give the request a limit (APIConnectOptions: timeout,"
        " max_retry, in the session's conn_options), a FallbackAdapter of another provider, and say something while the"
        " caller waits."
    )
    said = (
        agents("voice/generation.py"),
        Page.NODES,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            for session in sessions_of(job):
                tried = [ask for ask in asks(job, session) if ask.is_known]
                waits = [wait for run in _runs(job, tried) if (wait := _wait(call, job, session, run))]
                worst = max(waits, key=lambda wait: wait.stay.lasted, default=None)
                if worst:
                    # Of a call that is over, an answer may be lost as the end of the session, or of the request, is.
                    told = session.closed is not None and worst.tries[-1].end is not None
                    whole = told or not call.timeline.room.finished
                    yield self._finding(call, job, worst, whole=whole)

    def doubt(self, call: Call) -> str | None:
        for job in call.timeline.jobs:
            for session in sessions_of(job):
                if how := self._no_voice(call, job, session):
                    return how
        return None

    def _finding(self, call: Call, job: Job, wait: _Wait, *, whole: bool) -> Finding:
        first, last = wait.tries[0], wait.tries[-1]
        name, lasted = name_of(wait.stay.who), seconds(call, wait.stay)
        least = "at least " if wait.open and lasted[0].isdigit() and not lasted.endswith("so far") else ""
        often = "was asked once" if len(wait.tries) == 1 else f"was asked {len(wait.tries)} times"
        how = f"and its answer began after {lasted}" if wait.late else f"and gave no answer for {least}{lasted}"
        brief = f" (each try was given up, the longest after {wait.longest / NS_PER_S:.1f} s)"
        return self.found(
            f"The LLM of job {job.sid} {often}, {how}, while {name} waited"
            f"{brief if wait.longest < SILENT_FOR else ''}.",
            first.asked,
            first.end,
            last.asked,
            last.end,
            certain=wait.longest >= SILENT_FOR and not wait.late and whole,
        )

    @staticmethod
    def _no_voice(call: Call, job: Job, session: Session) -> str | None:
        """The LLM answered more than once, and no word of the agent's is on record, which has a voice.

        Its spans of one name can be lost, or not sampled: that it did not speak is not known then.
        """
        answers = [ask.end for ask in asks(job, session) if ask.end and ask.is_answered]
        steps = [step for step in job.steps if session.since <= step.time <= session.until]
        kinds = {step.kind for step in steps}
        if len(answers) < 2 or Kind.SESSION_AUDIO_PUBLISHED not in kinds:
            return None
        if kinds & {Kind.AGENT_SPEAKING, Kind.MODEL_FAILED}:
            return None
        until = min(session.until, over_at(call, job, answers[0].time))
        stay = max(stays(call, job, answers[0].time, until), key=lambda one: one.lasted, default=None)
        if stay is None or stay.lasted <= STUCK_BY:
            return None
        return (
            f"see whether {name_of(stay.who)} heard the agent of job {job.sid}: its LLM answered {len(answers)} times,"
            f" and in {seconds(call, stay)} no agent_speaking was recorded; a function_tool that takes long, or a"
            " tts_node without audio, is below agent_turn"
        )


def _runs(job: Job, tried: Sequence[Ask]) -> Iterator[list[Ask]]:
    """Tries one after the other without an answer or a word of the agent's between them; an answer is the last."""
    run: list[Ask] = []
    for ask in tried:
        if run and answer_after(job, run[-1].asked.time, (Kind.AGENT_SPEAKING,)) < ask.asked.time:
            yield run
            run = []
        if ask.end and ask.end.kind is Kind.MODEL_FAILED:
            if run:
                yield run
            run = []
            continue
        run.append(ask)
        if ask.is_answered:
            yield run
            run = []
    if run:
        yield run


def _wait(call: Call, job: Job, session: Session, run: list[Ask]) -> _Wait | None:
    """What a caller had of such tries, where it was long; None where it was not, or nobody was there."""
    first, last = run[0].asked, run[-1]
    if last.end is None and not session.voiced:
        return None  # of text it is known when the whole answer is there, and not that it has begun
    over = min(session.until, over_at(call, job, first.time))
    spoke = answer_after(job, first.time, (Kind.AGENT_SPEAKING,))
    ended = last.end.time if last.end else FOREVER
    there = [stay for stay in stays(call, job, first.time, min(over, spoke, ended)) if stay.since == first.time]
    stay = max(there, key=lambda one: one.lasted, default=None)
    if stay is None or stay.lasted - blocked_between(job, stay.since, stay.until) < SILENT_FOR:
        return None
    tries = [min(ask.waited(stay.until), stay.until - ask.asked.time) for ask in run if ask.asked.time < stay.until]
    longest = max(tries)
    late = last.is_answered and ended <= stay.until
    # Tries that were given up while the caller went on, and then were answered, are those of somebody who talks long.
    if longest < SILENT_FOR and (last.is_answered or sum(tries) < AT_WORK_FOR):
        return None
    if late and longest < STUCK_BY:
        return None
    return _Wait(run, stay, longest, late, not late and stay.until <= min(over, ended))
