"""A task of the agent's session ended, and the session went on without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.jobs import error_of
from tracer.why.call.limits import LONG_ENOUGH, SOON, STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.call.serving import over_at, seconds, stays
from tracer.why.cause import Cause
from tracer.why.silent.answers import answer_after
from tracer.why.silent.transcripts import SPOKEN, transcribed_after, untranscribed
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.serving import Stay
    from tracer.why.cause import Finding

__all__ = ["SessionTaskEnded", "ended_ears", "what_ended"]

STT = "stt_node"
"""The agent's own, which can also end without an error."""
EARS = {
    STT: "the agent's stt_node",
    "_stt_pump": "what runs the agent's stt_node",
    "_stt_task": "what runs the agent's stt_node",
    "_stt_consumer": "what takes the transcripts of the STT",
    "_vad_task": "the VAD",
    "_on_vad_event": "the VAD",
    "_forward": "what gives the VAD the caller's audio",
    "_forward_input": "what gives the STT the caller's audio",
    "_forward_audio_task": "what gives the session the caller's audio",
    "_forward_task": "what takes the caller's audio from the room",
    "_bounce_eou_task": "what ends the caller's turn",
}
"""Functions of livekit-agents without which a session does not understand its caller. Source: livekit-agents 1.3 to
1.8, voice/audio_recognition.py, voice/agent.py, voice/agent_session.py and voice/room_io/_input.py."""
VAD = ("_vad_task", "_on_vad_event", "_forward")
"""Those of them that are about the VAD, without which an STT that ends turns by itself is understood all the same."""
VOICE = {
    "_scheduling_task": "what speaks one answer after the other",
    "_pipeline_reply_task": "what makes an answer",
    "_llm_inference_task": "what asks the LLM",
    "_tts_task": "what speaks a text",
    "_tts_inference_task": "what asks the TTS",
    "_audio_forwarding_task": "what plays the agent's voice",
    "_realtime_reply_task": "what asks the realtime model",
    "_realtime_generation_task": "what plays an answer of the realtime model",
    "_process_messages": "what plays an answer of the realtime model",
    "_produce_segments": "what makes an answer",
    "_execute_tools_task": "what runs the function tools",
    "_user_turn_completed_task": "the agent's on_user_turn_completed, or what follows it",
    "_user_turn_exceeded_task": "the agent's on_user_turn_exceeded, or what follows it",
}
"""Functions without which an answer is not heard. Source: voice/agent_activity.py and voice/generation.py."""
GREETED_BY = 8 * NS_PER_S
"""An agent that speaks within this time, ns, answered all the same."""


class SessionTaskEnded(Cause):
    """A task of livekit-agents raises, or the agent's ``stt_node`` ends, and the session goes on without it.

    livekit-agents tells of it in its log, as “Error in _stt_pump”, and of a ``stt_node`` that returns not at all. Known
    from what an instrumented agent reports, and from what followed: no turn of the caller's was transcribed any more,
    or the agent did not speak. A ``stt_node`` that ended without an error is a cause only where the caller spoke; where
    the model was asked more than once all the same, as by somebody who writes, what the caller had of it is not known,
    and so is not said here. Errors of models, which have spans, are told of there.
    """

    name = "session-task-ended"
    symptom = Symptom.SILENT
    about = "a task of the agent's session ended in the middle of the call, and the caller got no answer"
    advice = (
        "Mend what the error names: livekit-agents logs it, with the traceback, as “Error in …”, and goes on without"
        " the task. In a node of your own (stt_node, tts_node, …), catch what can fail and go on; a node that is to"
        " hear the caller has to go on for as long as its audio does."
    )
    said = (agents("voice/audio_recognition.py"), Page.NODES)

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            for session in sessions_of(job):
                found = (self._judge(call, job, session, step) for step in _ended(job, session))
                if first := next((one for one in found if one), None):
                    yield first

    def _judge(self, call: Call, job: Job, session: Session, step: Step) -> Finding | None:
        return self._deaf(call, job, session, step) if _task(step) in EARS else self._mute(call, job, session, step)

    def _deaf(self, call: Call, job: Job, session: Session, step: Step) -> Finding | None:
        """Nothing that the caller said was understood from then on."""
        if transcribed_after(job, step.time) < min(session.until, call.end):
            return None
        stay = _longest(call, job, session, step.time, FOREVER)
        if stay is None or stay.lasted <= LONG_ENOUGH:
            return None
        spoken = untranscribed(job, stay.since, stay.until)
        if spoken < SPOKEN and (keys.ERROR_TYPE not in step.facts or _is_answered(job, session, step)):
            return None
        without_vad = _task(step) in VAD and session.listens_by != "nothing"  # an STT can do without
        if spoken < SPOKEN and without_vad and stay.lasted <= STUCK_BY:
            return None
        what = f"of what {name_of(stay.who)} said for {spoken / NS_PER_S:.1f} s nothing was transcribed"
        if spoken < SPOKEN:
            what = f"for {seconds(call, stay)} nothing that {name_of(stay.who)} said could be understood"
        certain = spoken >= SPOKEN or not without_vad
        return self.found(f"{_capital(what_ended(step))} in job {job.sid}, and {what}.", step, certain=certain)

    def _mute(self, call: Call, job: Job, session: Session, step: Step) -> Finding | None:
        """An answer was not heard."""
        spoke = answer_after(job, step.time, (Kind.AGENT_SPEAKING,))
        stay = _longest(call, job, session, step.time, spoke)
        never = spoke == FOREVER or (stay is not None and stay.until < spoke)
        if stay is None or stay.lasted <= (LONG_ENOUGH if never else GREETED_BY):
            return None
        return self.found(
            f"{_capital(what_ended(step))} in job {job.sid}, and for {seconds(call, stay)} {name_of(stay.who)} heard"
            " nothing of it.",
            step,
            certain=never,
        )


def ended_ears(job: Job, session: Session) -> list[Step]:
    """Each time that something ended without which a session does not understand its caller, in order."""
    return [step for step in _ended(job, session) if _task(step) in EARS]


def _ended(job: Job, session: Session) -> list[Step]:
    """Tasks that ended while the session went on, of those that a caller misses; of errors of models none.

    With an agent that hands over, and with the session, each of its tasks ends; what raises just after is of the next.
    """
    steps = [
        s for s in job.steps if s.kind is Kind.SESSION_TASK_ENDED and session.since <= s.time <= session.until - SOON
    ]
    failed = [s.time for s in job.steps if s.kind is Kind.MODEL_FAILED]
    changed = [s.time for s in job.steps if s.kind is Kind.SESSION_AGENT_CHANGED]
    return [
        s
        for s in steps
        if _task(s) in EARS | VOICE
        and not any(abs(s.time - at) <= SOON for at in failed)
        and not any(-SOON <= s.time - at <= (0 if keys.ERROR_TYPE in s.facts else SOON) for at in changed)
    ]


def _longest(call: Call, job: Job, session: Session, since: int, until: int) -> Stay | None:
    """The longest that a caller was there from a time, ns, to another at most, or to the end of session or job."""
    until = min(until, session.until, over_at(call, job, since))
    return max(stays(call, job, since, until), key=lambda stay: stay.lasted, default=None)


def _is_answered(job: Job, session: Session, step: Step) -> bool:
    """Whether the agent answers somebody all the same: by a realtime model, or who writes. A greeting is no answer."""
    asked = [s for s in job.steps if s.kind is Kind.MODEL_ASKED and step.time < s.time <= session.until]
    spoke = [s for s in job.steps if s.kind is Kind.AGENT_SPEAKING and step.time < s.time <= session.until]
    return len(asked) > 1 or len(spoke) > 1


def _task(step: Step) -> str:
    return str(step.facts.get(keys.TASK) or "")


def what_ended(step: Step) -> str:
    """Which task ended how, as ``the VAD (livekit-agents' _vad_task) raised RuntimeError``."""
    task, error = _task(step), error_of(step)
    named = {**EARS, **VOICE}[task] + ("" if task == STT else f" (livekit-agents' {task})")
    return f"{named} {f'raised {error}' if error else 'ended without an error'}"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]
