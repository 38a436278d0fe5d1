"""What a caller and the agent said to each other, as far as the agent's session noticed.

Audio that arrives is not a conversation: silence arrives, too. A session that understands its caller reports each time
that they speak, by its VAD, its STT or its realtime model, and each time that it speaks itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.limits import STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.lack import Lack, in_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracer.timeline.entities import Participant
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call

__all__ = ["never_said"]

MODELS = ("stt", "tts", "realtime")
"""What gives a session ears or a voice."""
CALLERS = (Kind.SESSION_CALLER_SPOKE, Kind.SESSION_TURN_TRANSCRIBED)


def never_said(
    call: Call, who: Participant, began: int, ended: int, steps: Iterable[Step], sessions: Sequence[Session]
) -> Lack | None:
    """What was not said in a caller's stay between two times, ns, with these sessions: a word of theirs, or of anybody.

    Of a session that reported neither what it understands its caller by nor what it speaks by, nothing is known.
    """
    since = max(began, min((session.since for session in sessions), default=ended))
    until = min(ended, max((session.until for session in sessions), default=began))
    there = [step for step in steps if since <= step.time < until]
    agents = [step for step in there if step.kind is Kind.AGENT_SPEAKING]
    if any(step.kind in CALLERS for step in there):
        return _unanswered(who, there, until, sessions)
    if agents and any(session.listens_by in MODELS for session in sessions):
        return _no_word_of_theirs(call, who, agents, until)
    asked = any(step.kind is Kind.MODEL_ASKED for step in there)
    models = {model for session in sessions for model in (session.listens_by, session.speaks_by)}
    if agents or asked or until - since <= STUCK_BY or not models & set(MODELS):
        return None
    sentence = f"in {in_seconds(until - since)} no word was recorded, neither of {name_of(who)} nor of the agent"
    return Lack(sentence, certain=False, ns=until - since)


def _no_word_of_theirs(call: Call, who: Participant, agents: Sequence[Step], until: int) -> Lack | None:
    """The agent spoke, and in its pauses the caller was not heard to say anything."""
    pauses = _pauses(agents, until)
    if pauses <= STUCK_BY:
        return None
    muted = ": their microphone was muted" if _was_muted(call, who, agents[0].time, until) else ""
    sentence = f"in {in_seconds(pauses)} of the agent's pauses no word of {name_of(who)} was recorded{muted}"
    return Lack(sentence, certain=False, ns=pauses)


def _pauses(agents: Sequence[Step], until: int) -> int:
    """How long the agent did not speak after its first word, ns; while it speaks on it makes no pause."""
    silent, at = 0, agents[0].time
    for step in agents:
        silent += max(step.time - at, 0)
        lasted = step.facts.get(keys.SPOKE_FOR)
        over = step.time + round(lasted * NS_PER_S) if isinstance(lasted, int | float) else FOREVER
        at = max(at, over)
    return silent + max(until - at, 0)


def _was_muted(call: Call, who: Participant, since: int, until: int) -> bool:
    """Whether each microphone that the caller had between two times, ns, was muted for all of it, as is known."""
    tracks = [
        track
        for track in call.timeline.tracks
        if track.participant == who.sid and (track.time(Kind.TRACK_UNPUBLISHED) or FOREVER) > since
    ]
    return bool(tracks) and not any(_was_open(track.steps, since, until) for track in tracks)


def _was_open(steps: Iterable[Step], since: int, until: int) -> bool:
    """Whether a track was not muted at some time between two, ns."""
    muted, at = False, 0
    for step in steps:
        if step.kind is Kind.TRACK_PUBLISHED:
            muted, at = step.facts.get(keys.TRACK_MUTED) is True, step.time
        elif step.kind is Kind.TRACK_MUTED and not muted:
            if at < until and step.time > since:
                return True
            muted = True
        elif step.kind is Kind.TRACK_UNMUTED and muted:
            muted, at = False, step.time
    return not muted and at < until


def _unanswered(who: Participant, there: Sequence[Step], until: int, sessions: Sequence[Session]) -> Lack | None:
    """A turn of the caller's was transcribed, and an agent that has a voice neither asked its model nor spoke."""
    turns = [step for step in there if step.kind is Kind.SESSION_TURN_TRANSCRIBED]
    if not turns or not any(session.speaks_by == "tts" for session in sessions):
        return None
    if any(step.kind in (Kind.MODEL_ASKED, Kind.AGENT_SPEAKING, Kind.MODEL_FAILED) for step in there):
        return None
    lasted = until - turns[0].time
    if lasted <= STUCK_BY:
        return None
    turn = f"the first turn of {name_of(who)}"
    sentence = f"in {in_seconds(lasted)} after {turn} no model was asked, and nothing was said"
    return Lack(sentence, certain=False, ns=lasted)
