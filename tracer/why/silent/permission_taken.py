"""A permission was taken away in the middle of a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import Page
from tracer.timeline.sessions import sessions_of
from tracer.units import NS_PER_S
from tracer.why.call.limits import NOTICED, STUCK_BY
from tracer.why.call.listening import listenings
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import withdrawn
from tracer.why.call.serving import over_at, seconds, stays
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.permissions import Withdrawn
    from tracer.why.call.serving import Stay
    from tracer.why.cause import Finding

__all__ = ["PermissionTakenAway"]


class PermissionTakenAway(Cause):
    """``UpdateParticipant`` replaces all permissions: one that is not named is taken away, and its tracks with it.

    Known from the change, which the agent reports when it learns of it and the observer between two polls; from a
    session that listened to the caller; and from the agent's voice. Certain of one caller with one agent, where it was
    not granted again and, if somebody could not hear the agent, the agent spoke after. Nothing is found where it was
    granted again within 10 s, nor of a caller who had another one to talk to.
    """

    name = "permission-taken-away"
    symptom = Symptom.SILENT
    about = "a permission was taken away during the call: somebody could no longer publish or subscribe"
    advice = (
        "Find what called UpdateParticipant. It replaces all permissions at once: name can_publish and can_subscribe in"
        " it whenever it changes another one."
    )
    said = (Page.PARTICIPANTS,)

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            agent = call.agents.of(job)
            theirs = [one for _, _, who in call.callers.active for one in withdrawn(who)]
            for one in (*theirs, *(withdrawn(agent) if agent else ())):
                if found := self._judge(call, job, one, is_agent=one.who is agent):
                    yield found
                    break  # of a hundred callers, one is enough

    def _judge(self, call: Call, job: Job, one: Withdrawn, *, is_agent: bool) -> Finding | None:
        """What a caller missed because of it; None for nothing that anybody noticed."""
        agent = call.agents.of(job)
        speaker_is_caller = one.to_speak is not is_agent
        until = one.given.earliest if one.given else over_at(call, job, one.taken.time)
        if agent is None or (one.given and until - one.taken.latest <= STUCK_BY):
            return None
        for stay in stays(call, job, one.taken.latest, min(until, over_at(call, job, one.taken.time))):
            missed = stay.lasted > NOTICED and (is_agent or stay.who.sid == one.who.sid)
            if not missed or _has_others(call, stay, agent):
                continue
            if speaker_is_caller:
                known = _listened_to(call, job, stay.who, one.taken.time)
                after: Step | None = None
            else:
                known = next((v.step for v in call.voices(agent.sid) if v.since < one.taken.latest), None)
                after = next((s for s in _words(job) if s.time > one.taken.latest), None)
            if known is None:
                continue
            listener, speaker = (
                (name_of(agent), name_of(stay.who))
                if speaker_is_caller
                else (
                    name_of(stay.who),
                    name_of(agent),
                )
            )
            what = "publish a microphone (canPublish)" if one.to_speak else "subscribe (canSubscribe)"
            return self.found(
                f"The permission to {what} was taken from {name_of(one.who)} during the call, and for"
                f" {seconds(call, stay)} {listener} did not hear {speaker}.",
                known,
                one.taken,
                _unpublished(call, one) if one.to_speak else None,
                after,
                one.given,
                certain=one.given is None
                and stay.lasted > STUCK_BY
                and (speaker_is_caller or after is not None)
                and call.is_one_to_one
                and not call.agents.ended_the_call(stay.until),
            )
        return None


def _listened_to(call: Call, job: Job, who: Participant, at: int) -> Step | None:
    """When a session first heard, or waited for, a participant whom it listened to at a time, ns."""
    linked = [one for one in listenings(call, job) if one.is_to(who) and one.since <= at < one.until]
    steps = (step for one in linked for step in (*one.session.heard, *one.session.waits))
    return min((step for step in steps if step.time <= at), key=lambda step: step.time, default=None)


def _words(job: Job) -> Iterator[Step]:
    """When the agent spoke, or an answer of its model came."""
    open_at = [(session.since, session.until) for session in sessions_of(job)]
    for step in job.steps:
        if step.kind in (Kind.AGENT_SPEAKING, Kind.MODEL_ANSWERED) and any(a <= step.time <= b for a, b in open_at):
            yield step


def _unpublished(call: Call, one: Withdrawn) -> Step | None:
    """The server removes what may no longer be published."""
    near = (
        step
        for track in call.timeline.tracks
        if track.participant == one.who.sid and (step := track.at(Kind.TRACK_UNPUBLISHED))
    )
    return next((step for step in near if abs(step.time - one.taken.time) <= NS_PER_S), None)


def _has_others(call: Call, stay: Stay, agent: Participant) -> bool:
    """Whether a caller had somebody else to talk to in the meantime: another caller, or another agent with a voice."""
    callers = any(
        who.sid != stay.who.sid and who.identity != stay.who.identity and began < stay.until and ended > stay.since
        for began, ended, who in call.callers.active
    )
    voices = (voice for other in call.agents.all if other.sid != agent.sid for voice in call.voices(other.sid))
    return callers or any(voice.since < stay.until and voice.until > stay.since for voice in voices)
