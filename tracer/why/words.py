"""What a caller and the agent said to each other, as far as the agent's session noticed.

Audio that arrives is not a conversation: silence arrives, too. A session that understands its caller reports each time
that they speak, by its VAD, its STT or its realtime model, and each time that it speaks itself. What came from their
microphone meanwhile, the agent reports as well: silence, or sound in which nobody was noticed to speak.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.units import FOREVER
from tracer.why.call.limits import LONG_ENOUGH, NOTICED, SOON, STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.call.speech import spoken_until
from tracer.why.call.voices import mutes
from tracer.why.lack import Lack, in_seconds
from tracer.why.silent.transcripts import SPOKEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracer.timeline.entities import Participant, Track
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call

__all__ = ["never_said", "was_silent"]

MODELS = ("stt", "tts", "realtime")
"""What gives a session ears or a voice."""
CALLERS = (Kind.SESSION_CALLER_SPOKE, Kind.SESSION_TURN_TRANSCRIBED)
MUTED = "their microphone was muted"
UNMUTE = "Their client muted it, or MutePublishedTrack did: see that something unmutes it."
LISTEN = (
    "If the caller spoke: look at their microphone (muted on its device?), and at what tells the session that they do,"
    " its VAD or STT."
)
SPEAK = "See that session.say() or generate_reply() is reached, and waits for nothing that takes long."
ANSWER = (
    "See that the session or its Agent has a model (llm=…), and that no on_user_turn_completed raises StopResponse; or"
    " answer by your own code (session.say())."
)
REALTIME = "Look at the realtime model's provider for that time, and at its errors in the agent's own log."
ENCRYPTED = "only silence came from their microphone, which is encrypted (with another key than the agent's?)"
SILENT = "only silence came from their microphone (muted on its device, or lost on its way?)"


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
    theirs = [step for step in there if step.kind in CALLERS]
    understood = any(step.kind is Kind.SESSION_TURN_TRANSCRIBED for step in theirs)
    listens = understood or any(session.listens_by in MODELS for session in sessions)
    # A session that closes ends a turn that nothing else had ended, and answers it no more.
    if theirs := [step for step in theirs if _in_time(step, until)] or theirs:
        last = max(map(_over, theirs))
        pauses = _pauses(agents, last, until) if listens else 0
        return (
            _no_more_of_theirs(call, who, last, pauses, until, sessions)
            or _unanswered(who, there, until, sessions)
            or _no_word_of_the_agent(there, since, until, sessions)
        )
    if agents and listens:
        return _no_word_of_theirs(call, who, agents, until, sessions)
    asked = any(step.kind is Kind.MODEL_ASKED for step in there)
    if agents or asked or until - since <= STUCK_BY:
        return None
    if not listens and not any(session.speaks_by in MODELS for session in sessions):
        return None
    came = f": {came}" if listens and (came := _what_came(call, who, since, until, sessions)) else ""
    sentence = f"in {in_seconds(until - since)} no word was recorded, neither of {name_of(who)} nor of the agent{came}"
    return Lack(sentence, certain=False, ns=until - since, advice=f"{LISTEN} If the agent was to greet: s{SPEAK[1:]}")


def _in_time(step: Step, until: int) -> bool:
    return step.kind is not Kind.SESSION_TURN_TRANSCRIBED or step.time < until - SOON


def _no_word_of_theirs(
    call: Call, who: Participant, agents: Sequence[Step], until: int, sessions: Sequence[Session]
) -> Lack | None:
    """The agent spoke, and in its pauses the caller was not heard to say anything."""
    pauses = _pauses(agents, agents[0].time, until)
    if pauses <= STUCK_BY:
        return None
    came = _what_came(call, who, agents[0].time, until, sessions)
    none = f"in {in_seconds(pauses)} of the agent's pauses no word of {name_of(who)} was recorded"
    advice = UNMUTE if came == MUTED else LISTEN
    return Lack(f"{none}: {came}" if came else none, certain=False, ns=pauses, advice=advice)


def _no_word_of_the_agent(there: Sequence[Step], since: int, until: int, sessions: Sequence[Session]) -> Lack | None:
    """An agent that has a voice said nothing at all, and nothing that it could answer was understood."""
    said = (Kind.AGENT_SPEAKING, Kind.MODEL_ASKED, Kind.SESSION_TURN_TRANSCRIBED)
    mute = not any(session.speaks_by in MODELS for session in sessions) or any(one.output_off for one in sessions)
    if mute or until - since <= STUCK_BY or any(step.kind in said for step in there):
        return None
    sentence = f"in {in_seconds(until - since)} no word of the agent was recorded, and no request to a model"
    return Lack(sentence, certain=False, ns=until - since, advice=SPEAK)


def _no_more_of_theirs(
    call: Call, who: Participant, since: int, pauses: int, until: int, sessions: Sequence[Session]
) -> Lack | None:
    """They were heard until a time, ns, and after it, in the agent's pauses, only what was no speech came of them.

    That they say nothing more is healthy, and so is a microphone that is muted.
    """
    came = _what_came(call, who, since, until, sessions)
    if pauses <= STUCK_BY or came in ("", MUTED):
        return None
    sentence = f"in the last {in_seconds(until - since)} no word of {name_of(who)} was recorded: {came}"
    return Lack(sentence, certain=False, ns=until - since, advice=LISTEN)


def _what_came(call: Call, who: Participant, since: int, until: int, sessions: Sequence[Session]) -> str:
    """What came from their microphones between two times, ns, and is no word; empty where that is not known."""
    tracks = [
        track
        for track in call.timeline.tracks
        if track.participant == who.sid and (track.time(Kind.TRACK_UNPUBLISHED) or FOREVER) > since
    ]
    if tracks and not any(_was_open(track, since, until) for track in tracks):
        return MUTED
    if tracks and all(was_silent(track.steps, since, until) for track in tracks):
        encrypted = any(keys.TRACK_ENCRYPTION in step.facts for track in tracks for step in track.steps)
        return ENCRYPTED if encrypted else SILENT
    loud = [s for track in tracks for s in track.steps if s.kind is Kind.TRACK_UNNOTICED and since < s.time < until]
    heard = [s for s in loud if any(session.since < s.time and not _is_off(session, s.time) for session in sessions)]
    seconds = heard[-1].facts.get(keys.SOUNDED_FOR) if heard else None
    if not isinstance(seconds, int | float):
        return ""
    return f"for {seconds:.1f} s their microphone was as loud as a voice, and no speech was noticed (or is it noise?)"


def _is_off(session: Session, at: int) -> bool:
    return any(off.since <= at <= off.until for off in session.input_off)


def was_silent(steps: Iterable[Step], since: int, until: int) -> bool:
    """Whether a track carried nothing but silence between two times, ns, as far as it was listened to."""
    silent = FOREVER
    for step in steps:
        if step.kind is Kind.TRACK_SILENT:
            silent = step.time
        elif step.kind is Kind.TRACK_SOUNDS:
            if silent < until and step.time > since:
                return False
            silent = FOREVER
    return silent - NOTICED <= since


def _over(step: Step) -> int:
    """When somebody had spoken, ns."""
    return step.time if step.kind is Kind.SESSION_TURN_TRANSCRIBED else spoken_until(step)


def _pauses(agents: Iterable[Step], since: int, until: int) -> int:
    """How long the agent did not speak between two times, ns; while it speaks on it makes no pause."""
    silent, at = 0, since
    for step in agents:
        silent += max(step.time - at, 0)
        at = max(at, _over(step))
    return silent + max(until - at, 0)


def _was_open(track: Track, since: int, until: int) -> bool:
    """Whether a track was not muted at some time between two, ns."""
    published = track.time(Kind.TRACK_PUBLISHED)
    since = max(since, published or 0)
    return not any(
        muted.time <= since and (end is None or end.kind is not Kind.TRACK_UNMUTED or end.time >= until)
        for muted, end in mutes(track)
    )


def _unanswered(who: Participant, there: Sequence[Step], until: int, sessions: Sequence[Session]) -> Lack | None:
    """Turns of the caller's were transcribed, and an agent that has a voice has not spoken since.

    One that has spoken before may be silent on purpose for a while; one that has never is noticed sooner.
    """
    if any(session.output_off for session in sessions):
        return None  # it may answer in writing
    spoken = [step.time for step in there if step.kind is Kind.AGENT_SPEAKING]
    if not spoken and not any(session.speaks_by in MODELS for session in sessions):
        return None
    last = max(spoken, default=0)
    turns = [step for step in there if step.kind is Kind.SESSION_TURN_TRANSCRIBED and step.time > last]
    if not turns and sessions and all(session.listens_by == "realtime" for session in sessions):
        return _unanswered_by_realtime(who, there, until, heard=bool(spoken))
    if not turns or until - turns[0].time <= (STUCK_BY if spoken else NOTICED):
        return None
    lasted = until - turns[0].time
    again = f" and {len(turns) - 1} more" if len(turns) > 1 else ""
    asked = any(step.kind is Kind.MODEL_ASKED and step.time > last for step in there)
    none = "" if asked else ", and no request to a model was recorded"
    sentence = f"the agent said nothing in {in_seconds(lasted)} after a turn of {name_of(who)}{again}{none}"
    called = f": {tools}" if (tools := _tools_called([step for step in there if step.time > last])) else ""
    return Lack(f"{sentence}{called}", certain=False, ns=lasted, advice="" if asked else ANSWER)


def _tools_called(steps: Iterable[Step]) -> str:
    """Which function tools were called, and how often; empty where none was."""
    names = (step.facts.get(keys.TOOL_NAME) for step in steps if step.kind is Kind.AGENT_CODE_BEGAN)
    tools = Counter(str(name) for name in names if name)
    named = [f"{tool} {times} times" if times > 1 else tool for tool, times in tools.most_common(3)]
    return f"its model called {', '.join(named)}" if named else ""


def _unanswered_by_realtime(who: Participant, there: Sequence[Step], until: int, *, heard: bool) -> Lack | None:
    """The caller spoke to a realtime model, which transcribes no turns, and waited, and the agent has not spoken since.

    A cough is shorter than a question, and somebody who goes on speaking does not wait for an answer.
    """
    over = max((spoken_until(step) for step in there if step.kind is Kind.AGENT_SPEAKING), default=0)
    spoken = [(max(s.time, over), spoken_until(s)) for s in there if s.kind is Kind.SESSION_CALLER_SPOKE]
    spoken = [(began, ended) for began, ended in spoken if began < ended <= until]
    if sum(ended - began for began, ended in spoken) <= SPOKEN:
        return None
    since = spoken[0][1]
    waited = longest_pause = 0
    for (_, ended), (began, _) in pairwise([*spoken, (until, until)]):
        waited += max(began - ended, 0)
        longest_pause = max(longest_pause, began - ended)
    if waited <= NOTICED or longest_pause <= LONG_ENOUGH or until - since <= (STUCK_BY if heard else NOTICED):
        return None
    again = f", and {'again' if len(spoken) == 2 else f'{len(spoken) - 1} times more'}" if len(spoken) > 1 else ""
    sentence = f"the agent said nothing in {in_seconds(until - since)} after {name_of(who)} spoke to it{again}"
    return Lack(sentence, certain=False, ns=until - since, advice=REALTIME)
