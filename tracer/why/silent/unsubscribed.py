"""The agent is no longer subscribed to a caller who speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.why.call.limits import NOTICED, SOON
from tracer.why.call.listening import listenings
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import withdrawn
from tracer.why.call.serving import Stay, over_at, seconds, stays
from tracer.why.call.voices import MICROPHONE
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AgentUnsubscribed", "Deaf", "another_serves", "unsubscribed"]


class Deaf(NamedTuple):
    """A stretch in which a session listened to a caller, and the agent was subscribed to no microphone of theirs."""

    job: Job
    stay: Stay
    lost: Step
    got: Step | None
    """When it was subscribed again."""
    heard: Step | None
    """When the session had heard them before."""


class AgentUnsubscribed(Cause):
    """A session goes on when its agent is unsubscribed from the track that it listens to, and hears nothing.

    Known from what the agent's room reports (``track_unsubscribed``, of a track that is still published a second
    later), or, where a backend unsubscribed it and the room reports nothing, from the track's statistics; while its
    session was linked to that participant. Never certain: the report that it was subscribed again can have been lost.
    Nothing is found where the agent was subscribed again, spoke or
    played something after, or ended the call: that may be meant so.
    """

    name = "agent-unsubscribed"
    symptom = Symptom.SILENT
    about = "the agent was unsubscribed from the caller's microphone, and heard nothing any more"
    advice = (
        "Find what unsubscribed it: publication.set_subscribed(False) in the agent's code, UpdateSubscriptions in your"
        " backend, or the caller's own track permissions; and subscribe again when the agent is to listen."
    )
    said = (
        Page.TRACKS,
        agents("voice/room_io/_input.py"),
    )

    def find(self, call: Call) -> Iterator[Finding]:
        found = set()
        for one in unsubscribed(call):
            job, stay = one.job, one.stay
            if job.sid in found or one.got or stay.lasted <= NOTICED or _speaks(one) or another_serves(call, one):
                continue
            found.add(job.sid)
            yield self.found(
                f"The agent of job {job.sid} was unsubscribed from the microphone of {name_of(stay.who)} during the"
                f" call, and for {seconds(call, stay)} heard nothing of them.",
                one.heard,
                one.lost,
                certain=False,
            )


def unsubscribed(call: Call) -> Iterator[Deaf]:
    """Each time that an agent was unsubscribed from a microphone which its session listened to."""
    for job in call.timeline.jobs:
        for track in call.timeline.tracks:
            if track.participant is None or track.text(keys.TRACK_SOURCE) != MICROPHONE:
                continue
            for lost in track.steps:
                if lost.kind is Kind.TRACK_UNSUBSCRIBED and lost.facts.get(keys.JOB_ID) == job.sid:
                    yield from _stretch(call, job, track.participant, lost)


def _stretch(call: Call, job: Job, who: str, lost: Step) -> Iterator[Deaf]:
    """What of it was while a session listened to them; not where they may not be subscribed to any more."""
    later = [s for t in call.timeline.tracks if t.participant == who for s in t.steps if s.time > lost.time]
    another = [s for s in later if s.kind is Kind.TRACK_PUBLISHED]
    again = [s for s in later if s.kind is Kind.TRACK_SUBSCRIBED and s.facts.get(keys.JOB_ID) == job.sid]
    got = min((*again, *another), key=lambda step: step.time, default=None)
    ends = [s.time for s in later if s.kind is Kind.TRACK_UNPUBLISHED and s.subject == lost.subject]
    agent = call.agents.of(job)
    taken = [one.taken for one in (withdrawn(agent) if agent else ())]
    if any(abs(step.time - lost.time) <= SOON or step.earliest <= lost.time <= step.latest for step in taken):
        return  # of the permission there is a cause of its own
    until = min([over_at(call, job, lost.time), *ends, *([got.time] if got else ())])
    for linked in listenings(call, job):
        if not linked.since <= lost.time < linked.until:
            continue
        heard = next((s for s in linked.session.heard if linked.since <= s.time <= lost.time), None)
        for stay in stays(call, job, lost.time, min(until, linked.until)):
            if stay.who.sid == who and linked.is_to(stay.who):
                yield Deaf(job, stay, lost, got, heard)


def another_serves(call: Call, one: Deaf) -> bool:
    """Whether music, another agent or another caller was there meanwhile, or the agent itself ended the call."""
    since, until = one.stay.since + SOON, one.stay.until
    agent = call.agents.of(one.job)
    if agent and any(since < voice.since < until for voice in call.voices(agent.sid)):
        return True
    others = [other for job in call.timeline.jobs if job.sid != one.job.sid for other in listenings(call, job)]
    if any(other.is_to(one.stay.who) and other.until > since and other.since < until for other in others):
        return True
    company = any(
        who.identity != one.stay.who.identity and began < until and ended > since
        for began, ended, who in call.callers.active
    )
    return company or call.agents.ended_the_call(until)


def _speaks(one: Deaf) -> bool:
    """Whether the agent went on speaking: it may not want to listen."""
    since, until = one.stay.since + SOON, one.stay.until
    return any(step.kind is Kind.AGENT_SPEAKING and since < step.time < until for step in one.job.steps)
