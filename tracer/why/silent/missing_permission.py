"""A caller, or the agent, may not publish or subscribe."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page
from tracer.timeline.sessions import sessions_of
from tracer.units import NS_PER_S
from tracer.why.call.limits import LONG_ENOUGH
from tracer.why.call.listening import Listening, listenings
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import is_hidden, may_not, may_not_speak
from tracer.why.call.voices import MICROPHONE
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["MissingPermission"]


class _Together(NamedTuple):
    """A caller and an agent who were in the room at the same time, for so many ns."""

    who: Participant
    agent: Participant
    lasted: int


class MissingPermission(Cause):
    """A token without canPublish or canSubscribe joins the room as any other: it is not heard, or hears nothing.

    Known from the permissions in webhooks and ListParticipants, which may be granted later: they count where they were
    refused all the time. Not of listeners beside a caller who may speak, nor of a session of text. What an agent
    wanted is known from its session; without one it is a doubt.
    """

    name = "missing-permission"
    symptom = Symptom.SILENT
    about = "a permission that the call needs was missing: somebody could not publish or subscribe"
    advice = (
        "Grant it in the caller's token (VideoGrants: can_publish with a microphone among can_publish_sources,"
        " can_subscribe), or during the call with UpdateParticipant."
    )
    said = (
        Page.PARTICIPANTS,
        Page.TOKENS,
    )
    OF_AGENT = "Grant it to the worker's agents: AgentServer(permissions=WorkerPermissions(…))."

    def find(self, call: Call) -> Iterator[Finding]:
        together = _together(call)
        able = _able(together)
        for one in together:
            first = None if _others(call, one.who, able) else next(self._of_caller(call, one), None)
            if first:
                yield first  # of a hundred listeners, one is enough
                break
        served = {one.agent.sid for one in together}
        for job in call.timeline.jobs:
            agent = call.agents.of(job)
            if agent and not is_hidden(agent) and agent.sid in served:
                yield from self._of_agent(call, job, agent)

    def _of_caller(self, call: Call, one: _Together) -> Iterator[Finding]:
        """Of a caller beside whom nobody else was served."""
        job = call.agents.job_of(one.agent)
        linked = [linked for linked in (listenings(call, job) if job else ()) if linked.is_to(one.who)]
        alone = len({who.sid for _, _, who in call.callers.active}) == 1
        waited = _waited_for(linked)
        if job and waited and _is_mute(call, one.who) and _asked(job) <= 1:
            nothing = may_not(one.who, keys.CAN_PUBLISH)
            what = "publish a track (canPublish)" if nothing else "publish a microphone (canPublishSources)"
            yield self.found(
                f"{name_of(one.who)} may not {what}, and was with the agent of job {job.sid} for"
                f" {one.lasted / NS_PER_S:.1f} s, which waited for their audio.",
                one.who.at(Kind.PARTICIPANT_ACTIVE),
                waited,
                one.who.gone,
                certain=alone,
            )
        if may_not(one.who, keys.CAN_SUBSCRIBE) and (spoken := call.voices(one.agent.sid)):
            speaks = job.at(Kind.AGENT_SPEAKING) if job else None
            yield self.found(
                f"{name_of(one.who)} may not subscribe to a track (canSubscribe), and could not hear"
                f" {name_of(one.agent)} for {one.lasted / NS_PER_S:.1f} s.",
                one.who.at(Kind.PARTICIPANT_ACTIVE),
                spoken[0].step,
                one.who.gone,
                certain=alone and speaks is not None,
            )

    def _of_agent(self, call: Call, job: Job, agent: Participant) -> Iterator[Finding]:
        """Of an agent whose session tried to speak, or to listen."""
        active = agent.at(Kind.PARTICIPANT_ACTIVE) or agent.steps[0]
        heard = listenings(call, job)
        tried = next((step for linked in heard for step in linked.session.voiced), None)
        another = any(call.voices(other.sid) for other in call.agents.all if other.sid != agent.sid)
        if may_not_speak(agent) and tried and not another and not call.voices(agent.sid):
            yield self.found(
                f"{name_of(agent)} may not publish a track (canPublish): nobody could hear the agent.",
                active,
                tried,
                certain=len(call.callers.active) == 1,
                advice=self.OF_AGENT,
            )
        if may_not(agent, keys.CAN_SUBSCRIBE):
            spoken = [(linked, step) for linked in heard for step in _unheard(call, linked)]
            if spoken:
                linked, step = spoken[0]
                yield self.found(
                    f"{name_of(agent)} may not subscribe to a track (canSubscribe): the agent could not hear"
                    f" {name_of(linked.who) if linked.who else 'its caller'}.",
                    active,
                    _waited_for([linked]),
                    step,
                    advice=self.OF_AGENT,
                )

    def doubt(self, call: Call) -> str | None:
        together = _together(call)
        able = _able(together)
        for one in together:
            job = call.agents.job_of(one.agent)
            if _is_mute(call, one.who) and not _others(call, one.who, able) and not (job and _is_text(job)):
                return (
                    f"{name_of(one.who)} may not publish a microphone (canPublish): grant it, unless they write to the"
                    " agent or only listen"
                )
            refused = may_not_speak(one.agent) or may_not(one.agent, keys.CAN_SUBSCRIBE)
            if refused and any(agent.sid == one.agent.sid for agent in call.agents.uninstrumented):
                return (
                    f"{name_of(one.agent)} may not publish, or not subscribe: grant it, unless the agent is meant to"
                    " listen, or to speak, only"
                )
        return None


def _is_mute(call: Call, who: Participant) -> bool:
    """Whether a caller could publish no microphone, and published nothing that can be heard."""
    return may_not_speak(who) and not call.voices(who.sid)


def _together(call: Call) -> list[_Together]:
    """Each caller with each agent, for as long as both were there: long enough to notice."""
    found = []
    for agent in call.agents.all:
        active = agent.at(Kind.PARTICIPANT_ACTIVE)
        if active is None or agent.is_avatar:
            continue
        left = min(call.left_at(agent), call.end)
        for began, ended, who in call.callers.active:
            lasted = min(left, ended) - max(active.time, began)
            if lasted > LONG_ENOUGH and not is_hidden(who):
                found.append(_Together(who, agent, lasted))
    return found


def _able(together: list[_Together]) -> list[Participant]:
    """The callers who were with an agent and may speak and hear."""
    callers = {one.who.sid: one.who for one in together}
    return [who for who in callers.values() if not may_not_speak(who) and not may_not(who, keys.CAN_SUBSCRIBE)]


def _others(call: Call, who: Participant, able: list[Participant]) -> bool:
    """Whether a caller who is able was there beside this one: then this one only listens, or only speaks."""
    return any(other.sid != who.sid and other.steps[0].time < call.left_at(who) for other in able)


def _waited_for(linked: list[Listening]) -> Step | None:
    """When a session first waited for the audio of one whom it was linked to, in vain."""
    return next((step for one in linked for step in one.session.unheard if one.since <= step.time <= one.until), None)


def _asked(job: Job) -> int:
    """How often it asked its model: once for a greeting; more often, with nothing heard, where the caller writes."""
    return sum(step.kind is Kind.MODEL_ASKED for step in job.steps)


def _is_text(job: Job) -> bool:
    """Whether its sessions are known to listen to nobody: they ended, and never waited for audio."""
    sessions = sessions_of(job)
    return bool(sessions) and all(session.closed and not session.has_audio for session in sessions)


def _unheard(call: Call, linked: Listening) -> Iterator[Step]:
    """Microphones of the linked participant of which a session that waited for audio received none."""
    waited = _waited_for([linked])
    if waited and linked.who:
        spoken = [voice for voice in call.voices(linked.who.sid) if voice.source == MICROPHONE]
        yield from (v.step for v in spoken if min(v.until, linked.until) - max(v.since, waited.time) > LONG_ENOUGH)
