"""A caller who was not heard, or not listened to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.reporting import is_reported
from tracer.timeline.sessions import sessions_of
from tracer.why.call.limits import LONG_ENOUGH, NOTICED, SOON, STUCK_BY
from tracer.why.call.listening import listenings
from tracer.why.call.participants import name_of
from tracer.why.call.voices import MICROPHONE
from tracer.why.lack import Lack, in_seconds
from tracer.why.served.stay import longest_gap
from tracer.why.silent.session_closed import SessionClosed
from tracer.why.words import was_silent

if TYPE_CHECKING:
    from tracer.timeline.entities import Participant
    from tracer.why.served.stay import CallerStay

__all__ = ["linked_to_unknown", "listened_to_others", "not_heard", "not_listened_to"]

EARS = (
    "An agent that is to listen needs an STT or a realtime model, its audio input turned on (room_options), and its"
    " session started with the room: await session.start(agent=…, room=ctx.room)."
)


def not_heard(stay: CallerStay) -> Lack | None:
    """No sign that an agent heard the caller, or another caller who was there."""
    if stay.is_text_only or {stay.who.sid, stay.who.identity} & _ever_heard(stay):
        return None
    if any(session.since <= step.time < stay.ended for session in stay.sessions for step in session.heard):
        return None
    # Before livekit-agents 1.8.2 a session does not report its first frame.
    steps = (step for job in stay.jobs for step in job.steps if stay.began <= step.time < stay.ended)
    if any(step.kind is Kind.SESSION_TURN_TRANSCRIBED for step in steps):
        return None
    together = stay.together
    if stay.has_company and together <= LONG_ENOUGH:
        return None  # the agent handed the call over
    jobs = stay.jobs
    if not any(is_reported(job) for job in jobs):
        return Lack(f"no agent reported whether it heard {stay.name}", certain=False)
    if not stay.sessions:
        return Lack(
            f"no session of an agent was recorded, and whether it heard {stay.name} is not known", certain=False
        )
    if stay.who.sid not in stay.call.callers.published:
        speaks = any(step.kind is Kind.AGENT_SPEAKING for job in jobs for step in job.steps)
        unknown = "they wrote to it" if speaks else "it is text only"
        sentence = f"no agent could hear {stay.name}, who published no track, and whether {unknown} is not known"
        return Lack(sentence, certain=False)
    lasted = f"{stay.name} in {in_seconds(together)} together"
    if all(session.listens_by == "nothing" for session in stay.sessions):
        more = "its session has no STT and no realtime model, or no audio input"
        return Lack(f"the agent did not hear {lasted}: {more}", certain=False, ns=together, advice=EARS)
    without = "" if stay.call.voices(stay.who.sid) else f": of {stay.name} no audio track is known, only video"
    return Lack(f"nothing shows that an agent heard {lasted}{without}", certain=False, ns=together)


def listened_to_others(stay: CallerStay) -> Lack | None:
    """Sessions that talked with others for long, and never listened to this caller, who had a microphone."""
    room = [one for job in stay.call.timeline.jobs for one in listenings(stay.call, job)]
    agents = {one.agent.sid for one in stay.served}
    unknown = any(agent.sid in agents for agent in stay.call.agents.unreported)
    if unknown or not all(session.complete for session in stay.sessions) or any(one.is_to(stay.who) for one in room):
        return None
    voices = [voice for voice in stay.call.voices(stay.who.sid) if voice.source == MICROPHONE]
    best = None
    for one in room:
        # Two whom the agent leaves to each other need nobody to listen.
        spoken = [s.time for s in one.job.steps if s.kind is Kind.AGENT_SPEAKING and one.since <= s.time < one.until]
        for voice in voices:
            since = max(one.since, voice.since, stay.began)
            until = min(one.until, voice.until, stay.ended)
            silent = one.who is not None and _talks_to_nobody(stay, one.who, since, until)
            lasted = (until if silent else min(until, max(spoken, default=0))) - since
            if lasted > STUCK_BY and one.who and (best is None or lasted > best.ns):
                to = f"{name_of(one.who)}, of whom only silence came" if silent else name_of(one.who)
                sentence = f"in {in_seconds(lasted)} no session listened to {stay.name}, only to {to}"
                best = Lack(sentence, certain=False, ns=lasted)
    return best


def _talks_to_nobody(stay: CallerStay, linked: Participant, since: int, until: int) -> bool:
    """Whether sound came of a caller, and nothing but silence of the only other one: they do not talk to each other."""
    tracks = stay.call.timeline.tracks
    theirs = [track for track in tracks if track.participant == linked.sid]
    sounded = (
        since < step.time < until
        for track in tracks
        if track.participant == stay.who.sid
        for step in track.steps
        if step.kind is Kind.TRACK_UNNOTICED
    )
    others = {who.identity for _, _, who in stay.call.callers.active} - {stay.who.identity, linked.identity}
    return not others and bool(theirs) and all(was_silent(t.steps, since, until) for t in theirs) and any(sounded)


def not_listened_to(stay: CallerStay) -> Lack | None:
    """Sessions that listened to nobody for long, while the agent did nothing else that is on record."""
    sessions = [session for job in stay.jobs for session in sessions_of(job)]
    links = sorted((link.since, link.until) for session in sessions for link in session.links)
    if not links or stay.is_text_only:
        return None
    began, ended = max(stay.began, stay.served[0].since), min(stay.ended, max(one.until for one in stay.served))
    since, until = longest_gap(links, began, ended)
    there = {one.agent.sid for one in stay.served}
    published = (track for track in stay.call.timeline.tracks if track.participant in there)
    # While the call goes on it is said sooner: a session that starts anew has started by then.
    goes_on = stay.call.timeline.room.finished is None and until >= stay.call.end
    enough = NOTICED if goes_on else STUCK_BY
    if until - since <= enough or any(since <= track.steps[0].time < until for track in published):
        return None
    sentence = f"for {in_seconds(until - since)} no session listened to {stay.name} or anybody else"
    closed = [session.until for session in sessions if session.closed]
    if len(closed) == len(sessions) and max(closed) <= since + LONG_ENOUGH:
        return Lack(f"{sentence}: the agent's session had closed", certain=False, advice=SessionClosed.advice)
    return Lack(sentence, certain=False)


def linked_to_unknown(stay: CallerStay) -> Lack | None:
    """A session waited for somebody else, of whom neither an SID nor, as with --redact, an identity is known."""
    for session in stay.sessions:
        known = [link.since for link in session.links if link.participant_id or link.identity]
        for wait in session.waits:
            is_known = keys.LINKED_IDENTITY in wait.facts or any(abs(wait.time - at) <= SOON for at in known)
            lasted = min(session.until, stay.ended) - max(wait.time, stay.began)
            if not is_known and lasted > STUCK_BY:
                sentence = f"to whom a session listened in the last {in_seconds(lasted)} is not known"
                return Lack(sentence, certain=False, ns=lasted)
    return None


def _ever_heard(stay: CallerStay) -> set[str | None]:
    """Whom an agent heard in this room, by identity: one who comes back muted can be heard when they unmute."""
    steps = (s for job in stay.call.timeline.jobs for session in sessions_of(job) for s in session.heard)
    return {str(identity) for step in steps if (identity := step.facts.get(keys.LINKED_IDENTITY))}
