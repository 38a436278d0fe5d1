"""A caller who was not understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.timeline.sessions import sessions_of
from tracer.why.call.limits import LONG_ENOUGH, NOTICED, STUCK_BY
from tracer.why.lack import Lack, in_seconds
from tracer.why.silent.task_ended import ended_ears, what_ended
from tracer.why.silent.transcripts import SPOKEN, transcribed_after, untranscribed

if TYPE_CHECKING:
    from tracer.timeline.entities import Job
    from tracer.why.served.stay import CallerStay

__all__ = ["not_understood"]


def not_understood(stay: CallerStay) -> Lack | None:
    """They spoke, by the session's VAD, and nothing of it was transcribed; or what transcribes it had ended."""
    best = None
    for job in stay.jobs:
        turns = [s.time for s in job.steps if s.kind is Kind.SESSION_TURN_TRANSCRIBED and s.time < stay.ended]
        since = max([stay.began, *turns])
        # What they said last is not yet over: a session waits for more before it takes it as their turn.
        spoken = untranscribed(job, since, stay.ended - LONG_ENOUGH)
        if spoken > (NOTICED if turns else SPOKEN) and (turns or _has_stt(job)):
            more = " more" if turns else ""
            sentence = f"{stay.name} spoke for {in_seconds(spoken)}, and nothing{more} of it was transcribed"
            lack = Lack(sentence, certain=False, ns=spoken)
            best = lack if best is None or lack.ns > best.ns else best
    return best or _deaf(stay)


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
