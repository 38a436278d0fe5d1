"""An agent without a voice for a caller, or whose voice nobody took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.reporting import is_reported
from tracer.why.call.limits import AT_ONCE, NOTICED, SOON, STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.call.replies import replies_of
from tracer.why.lack import Lack, in_seconds
from tracer.why.silent.speaks_silence import last_silent

if TYPE_CHECKING:
    from tracer.why.served.stay import CallerStay

__all__ = ["last_words_silent", "no_voice", "nothing_played", "voice_ended", "voice_not_taken"]

TWICE = 2
"""Once, a reply can have had no word in it."""


def no_voice(stay: CallerStay) -> Lack | None:
    """No audio of any agent's."""
    spoken = {Kind.SESSION_AUDIO_PUBLISHED, Kind.AGENT_SPEAKING}
    if stay.is_text_only or stay.has_track or any(step.kind in spoken for job in stay.jobs for step in job.steps):
        return None
    *others, last = dict.fromkeys(name_of(one.agent) for one in stay.served[:3])
    agents, were = (f"{', '.join(others)} and {last}", "were") if others else (last, "was")
    jobs, together = stay.jobs, stay.together
    if jobs and not stay.sessions and all(map(is_reported, jobs)) and together > NOTICED:
        return Lack(
            f"{agents} {were} there with {stay.name} for {in_seconds(together)}, without an audio track or a session,"
            " and whether it needs one is not known",
            certain=False,
            ns=together,
        )
    return Lack(f"no audio track of {agents} was recorded, and whether it is text only is not known", certain=False)


def voice_ended(stay: CallerStay) -> Lack | None:
    """The agents' audio tracks all ended, and a session went on for longer than a caller waits."""
    agents = {one.agent.sid: one for one in stay.served}
    ends = [voice.until for sid in agents for voice in stay.call.voices(sid)]
    if not ends or not stay.sessions:
        return None
    until = min(stay.ended, max(one.until for one in stay.served), max(one.until for one in stay.sessions))
    lasted = until - max(ends)
    if lasted <= STUCK_BY or stay.has_company:
        return None
    return Lack(f"no agent had an audio track in the last {in_seconds(lasted)} with {stay.name}", certain=False)


def voice_not_taken(stay: CallerStay) -> Lack | None:
    """A session published its audio, and waited to the end for anybody to subscribe to it.

    A session whose spans show that it listens (livekit-agents 1.8.2 and newer) shows that, too.
    """
    if stay.has_company or not stay.sessions:
        return None
    spoken = {Kind.SESSION_AUDIO_PUBLISHED, Kind.AGENT_SPEAKING}
    if any(step.kind in spoken for job in stay.jobs for step in job.steps):
        return None
    goes_on = stay.call.timeline.room.finished is None
    known = (session.complete or (goes_on and session.closed is None) for session in stay.sessions)
    if not all(known) or not all(session.waits and not session.voiced for session in stay.sessions):
        return None
    began = min((voice.since for one in stay.served for voice in stay.call.voices(one.agent.sid)), default=0)
    if not began or stay.ended - began <= STUCK_BY:
        return None
    return Lack(f"nothing shows that {stay.name} was subscribed to the agent's audio track", certain=False)


def last_words_silent(stay: CallerStay) -> Lack | None:
    """The agent could be heard, and of what it said last nothing but silence left it; once can be a breath."""
    for job in stay.jobs:
        told = [step for step in last_silent(stay.call, job) if stay.began < step.time <= stay.ended + SOON]
        if told and isinstance(seconds := told[-1].facts.get(keys.SILENT_FOR), int | float):
            sentence = f"nothing that can be heard left the agent's audio track when it last spoke to {stay.name}"
            return Lack(f"{sentence}, for {seconds:.1f} s", certain=False)
    return None


def nothing_played(stay: CallerStay) -> Lack | None:
    """The agent's last replies began and were over at once: a text was written, and no sound of it was played."""
    for job in stay.jobs:
        off = any(session.output_off for session in stay.sessions)
        if off or not any(step.kind is Kind.SESSION_AUDIO_PUBLISHED for step in job.steps):
            continue
        replies = [reply for reply in replies_of(job) if stay.began <= reply.since and reply.until <= stay.ended]
        heard = max((reply.since for reply in replies if reply.cut or (reply.lasted or 0) > AT_ONCE), default=0)
        last = [reply for reply in replies if reply.since > heard]
        if len(last) >= TWICE:
            which = "" if len(last) == len(replies) else "last "
            sentence = f"the agent's {which}{len(last)} replies to {stay.name} were over at once"
            none = "no sound of them, or hardly any, was played"
            return Lack(f"{sentence}: {none}", certain=False, ns=stay.ended - last[0].since)
    return None
