"""A caller who was not answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.sessions import sessions_of
from tracer.why.call.limits import NOTICED, STUCK_BY
from tracer.why.call.speech import spoken_until
from tracer.why.lack import Lack, in_seconds
from tracer.why.words import never_said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.served.stay import CallerStay

__all__ = ["answer_not_said", "no_words", "not_answered"]


SAID = (Kind.AGENT_SPEAKING, Kind.MODEL_ANSWERED)
"""What shows that an agent spoke."""
OF_NO_ANSWER = ("on_user_turn_completed", "on_exit")
"""The agent's own code that runs when a caller's turn is over, and when the agent leaves its session."""


def not_answered(stay: CallerStay) -> Lack | None:
    """The model was asked, and the agent said nothing after for longer than a caller waits."""
    steps = [step for job in stay.jobs for step in job.steps if step.time >= stay.began]
    asked = [step.time for step in steps if step.kind is Kind.MODEL_ASKED and step.time < stay.ended]
    said = max((step.time for step in steps if step.kind in SAID), default=0)
    since = min((at for at in asked if at > said), default=None)
    if since is None:
        return None
    # The session can know better than the observer until when the caller waited.
    given_up = (step.time for step in steps if step.kind is Kind.MODEL_GAVE_NO_ANSWER)
    lasted = max([stay.ended, *given_up]) - since
    if lasted <= NOTICED:
        return None
    return Lack(f"a model was asked, and in {in_seconds(lasted)} no answer to {stay.name} was recorded", certain=False)


def answer_not_said(stay: CallerStay) -> Lack | None:
    """The model answered last, and the agent that has a voice said nothing of it: its TTS hangs, or gives no audio.

    Where the answer was a tool, the agent's own code began after it.
    """
    best = None
    for job in stay.jobs:
        steps = [step for step in job.steps if stay.began <= step.time < stay.ended]
        if not _has_voice(stay, job):
            continue
        answers = [step.time for step in steps if step.kind is Kind.MODEL_ANSWERED]
        if not answers or any(_goes_on_from(step, max(answers), steps) for step in steps):
            continue
        if any(session.output_off for session in stay.sessions):
            answers = [max(answers)]  # it may answer in writing
        # The caller may have asked again and again: each answer was as little said as the last.
        others = [step for step in steps if step.kind is not Kind.MODEL_ASKED]
        answered = min(at for at in answers if not any(_goes_on_from(step, at, steps) for step in others))
        # Of sessions one after the other, the one that was answered.
        ends = [session.until for session in stay.sessions if session.since <= answered <= session.until]
        until = min(stay.ended, max(ends, default=stay.ended))
        spoke = any(step.kind is Kind.AGENT_SPEAKING for step in steps)
        if until - answered > (STUCK_BY if spoke else NOTICED) and (best is None or until - answered > best.ns):
            sentence = f"a model answered, and in {in_seconds(until - answered)} no word of the agent was recorded"
            best = Lack(sentence, certain=False, ns=until - answered)
    return best


def _has_voice(stay: CallerStay, job: Job) -> bool:
    """Whether a session of the job speaks, as far as it reports that, or its agent has a track to speak on."""
    if any(step.kind is Kind.SESSION_AUDIO_PUBLISHED for step in job.steps):
        return True
    agent = stay.call.agents.of(job)
    unknown = all(session.speaks_by is None for session in sessions_of(job))  # as before livekit-agents 1.8.2
    return unknown and agent is not None and bool(stay.call.voices(agent.sid))


def no_words(stay: CallerStay) -> Lack | None:
    """Nobody said a word, or the caller did not, or had no answer to what they said."""
    if stay.is_text_only or stay.has_company:
        return None
    steps = (step for job in stay.jobs for step in job.steps)
    return never_said(stay.call, stay.who, stay.began, stay.ended, steps, stay.sessions)


def _goes_on_from(step: Step, answered: int, steps: Iterable[Step]) -> bool:
    """Whether a step shows what came of a model's answer at this time, ns.

    A model that is asked again shows it, as after a tool; but not where the caller spoke between, and asked again.
    """
    if step.kind is Kind.AGENT_SPEAKING:
        return spoken_until(step) > answered
    if step.kind is Kind.AGENT_CODE_BEGAN and step.facts.get(keys.SPAN_NAME) in OF_NO_ANSWER:
        return False  # the first belongs to the turn, also where the model was asked before the turn was over
    if step.kind is Kind.MODEL_ASKED and any(
        one.kind is Kind.SESSION_CALLER_SPOKE and answered < one.time < step.time for one in steps
    ):
        return False
    after = (Kind.AGENT_CODE_BEGAN, Kind.MODEL_ASKED, Kind.MODEL_FAILED)
    return step.kind in after and step.time > answered
