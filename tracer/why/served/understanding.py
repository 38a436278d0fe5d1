"""A caller who was not understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.timeline.sessions import sessions_of
from tracer.units import NS_PER_S
from tracer.why.call.limits import LONG_ENOUGH, NOTICED, STUCK_BY
from tracer.why.call.speech import spoken_until, turn_began
from tracer.why.lack import Lack, in_seconds
from tracer.why.silent.task_ended import ended_ears, what_ended
from tracer.why.silent.transcripts import SPOKEN, transcribed_after, untranscribed

if TYPE_CHECKING:
    from tracer.timeline.entities import Job
    from tracer.why.served.stay import CallerStay

__all__ = ["not_understood"]

SPEAKS_ON = 20 * NS_PER_S
"""Whoever speaks for longer than this, ns, without a pause tells a story, or it is no speech."""
OF_A_CONVERSATION = (Kind.AGENT_SPEAKING, Kind.SESSION_TURN_TRANSCRIBED, Kind.MODEL_ASKED)
END_OF_TURN = (
    "Look at what ends a turn: turn_detection and the endpointing delays (turn_handling), a VAD that hears no pause,"
    " or, where it is manual, that session.commit_user_turn() is called."
)
NO_PAUSE = (
    "If the caller did not speak so long: noise, music or a television was taken for speech. Make the VAD less eager"
    " (activation_threshold), or take the noise away (noise_cancellation): while it hears speech the agent waits."
)


def not_understood(stay: CallerStay) -> Lack | None:
    """They spoke, by the session's VAD, and nothing came of it; or what transcribes it had ended."""
    best = None
    for job in stay.jobs:
        turns = [s.time for s in job.steps if s.kind is Kind.SESSION_TURN_TRANSCRIBED and s.time < stay.ended]
        since = max([stay.began, *turns])
        # What they said last is not yet over: a session waits for more before it takes it as their turn.
        spoken = untranscribed(job, since, stay.ended - LONG_ENOUGH)
        enough = NOTICED if turns and not _waits(stay, job, since) else SPOKEN
        if spoken > enough and (turns or _has_stt(job)):
            more = " more" if turns else ""
            sentence = f"{stay.name} spoke for {in_seconds(spoken)}, and nothing{more} of it was transcribed"
            lack = Lack(sentence, certain=False, ns=spoken)
            if _was_understood(stay, job, since):
                over = "no turn of theirs was over after it" if turns else "no turn of theirs was over"
                lack = Lack(f"{stay.name} spoke for {in_seconds(spoken)}, and {over}", False, spoken, END_OF_TURN)
            best = lack if best is None or lack.ns > best.ns else best
    return best or _speaks_on(stay) or _deaf(stay)


def _waits(stay: CallerStay, job: Job, since: int) -> bool:
    """Whether they spoke again after a time, ns, and for longer than a caller waits the agent said nothing."""
    spoken = [s.time for s in job.steps if s.kind is Kind.SESSION_CALLER_SPOKE and since < s.time < stay.ended]
    answers = (s for s in job.steps if s.kind is Kind.AGENT_SPEAKING and spoken_until(s) > spoken[0]) if spoken else ()
    return len(spoken) > 1 and stay.ended - spoken[0] > STUCK_BY and next(iter(answers), None) is None


def _was_understood(stay: CallerStay, job: Job, since: int) -> bool:
    """Whether words of theirs came, and waited for the end of their turn.

    The model was asked ahead of it (preemptive generation), or the session ended it as it closed.
    """
    spoken = [s.time for s in job.steps if s.kind is Kind.SESSION_CALLER_SPOKE and since < s.time < stay.ended]
    if not spoken:
        return False
    asked = any(s.kind is Kind.MODEL_ASKED and spoken[0] < s.time < stay.ended for s in job.steps)
    turns = (s for s in job.steps if s.kind is Kind.SESSION_TURN_TRANSCRIBED and s.time >= stay.ended)
    return asked or any(turn_began(step) < stay.ended - LONG_ENOUGH for step in turns)


def _speaks_on(stay: CallerStay) -> Lack | None:
    """By the session's VAD they speak without a pause, and so the agent does not answer."""
    for job in stay.jobs:
        steps = [step for step in job.steps if stay.began <= step.time < stay.ended]
        began = next((s.time for s in reversed(steps) if s.kind is Kind.SESSION_CALLER_SPOKE), None)
        if began is None or any(began < s.time and s.kind in OF_A_CONVERSATION for s in steps):
            continue
        step = next(s for s in steps if s.time == began and s.kind is Kind.SESSION_CALLER_SPOKE)
        over = (session.until for session in sessions_of(job) if session.since <= began <= session.until)
        lasted = min(spoken_until(step), stay.ended, *over) - began
        if lasted > SPEAKS_ON:
            sentence = (
                f"by its session {stay.name} spoke for {in_seconds(lasted)} without a pause, and it did not answer"
            )
            return Lack(sentence, certain=False, ns=lasted, advice=NO_PAUSE)
    return None


def _has_stt(job: Job) -> bool:
    """Whether the agents of a job are known to have an STT, and nothing else, to understand the caller by."""
    handed_over = any(step.kind is Kind.SESSION_AGENT_CHANGED for step in job.steps)
    return not handed_over and {session.listens_by for session in sessions_of(job)} == {"stt"}


def _deaf(stay: CallerStay) -> Lack | None:
    """What a session understood them by ended, and they stayed with a microphone for longer than a caller waits."""
    if stay.has_company or not stay.call.voices(stay.who.sid):
        return None
    for job in stay.jobs:
        for session in sessions_of(job):
            until = min(stay.ended, session.until)
            ended = (s for s in ended_ears(job, session) if transcribed_after(job, s.time) > until)
            if (step := next(ended, None)) and until - max(step.time, stay.began) > STUCK_BY:
                lasted = until - max(step.time, stay.began)
                sentence = f"{what_ended(step)}, and whether it understood {stay.name} is not known"
                return Lack(f"in job {job.sid}, {sentence}", certain=False, ns=lasted)
    return None
