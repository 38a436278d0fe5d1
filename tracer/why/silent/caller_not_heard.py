"""The session waits for audio of a caller who speaks, and receives none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import agents
from tracer.units import NS_PER_S
from tracer.why.call.limits import LONG_ENOUGH, STUCK_BY
from tracer.why.call.listening import Listening, listenings
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import may_not
from tracer.why.call.voices import MICROPHONE
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.voices import Voice
    from tracer.why.cause import Finding

__all__ = ["CallerNotHeard"]

WITHOUT_AUDIO = ("subscribe_none", "video_only")
"""Values of ``auto_subscribe`` with which an agent is subscribed to no audio by itself."""
UNKNOWN = "UNKNOWN"
"""The source of a track that was published without one."""


class _Unheard(NamedTuple):
    """A track of which a session that waited for it received nothing, for so many ns."""

    linked: Listening
    who: Participant
    waiting: Step
    subscribed: bool
    voice: Voice
    lasted: int


class CallerNotHeard(Cause):
    """An agent that is subscribed to nothing (``auto_subscribe``), or a track of a source that sessions don't take.

    Known from a session that waited for audio (``wait_for_audio_track`` without ``first_frame``), from how the agent
    connected, and from the tracks in the webhooks. A microphone that is muted looks the same, but for those two: then
    it is a doubt.
    """

    name = "caller-not-heard"
    symptom = Symptom.SILENT
    about = "the agent did not receive the audio that the caller published"
    advice = (
        "Connect with auto_subscribe=AutoSubscribe.SUBSCRIBE_ALL or AUDIO_ONLY (ctx.connect), or subscribe to the"
        " caller's track yourself (publication.set_subscribed(True))."
    )
    said = (
        agents("voice/room_io/_input.py"),
        agents("job.py"),
    )
    OTHER_SOURCE = (
        "Publish the caller's audio as a microphone (TrackPublishOptions(source=TrackSource.SOURCE_MICROPHONE)): a"
        " session takes audio of no other source."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        seen: set[str] = set()
        for one in _unheard(call):
            job, microphones = one.linked.job, [v for v in call.voices(one.who.sid) if v.source == MICROPHONE]
            connected = job.at(Kind.AGENT_CONNECTED) or job.at(Kind.AGENT_CONNECTING)
            option = connected.facts.get(keys.AUTO_SUBSCRIBE) if connected else None
            none = option in WITHOUT_AUDIO and not one.subscribed
            if job.sid in seen or one.lasted <= LONG_ENOUGH or not (none or not microphones):
                continue
            seen.add(job.sid)
            waited = f"The session of job {job.sid} waited for audio of {name_of(one.who)}, who had a track for"
            why = f"the agent is subscribed to no audio (auto_subscribe: {option})"
            if not none:
                why = f"the track's source is {one.voice.source}, and a session takes only a microphone"
            yield self.found(
                f"{waited} {one.lasted / NS_PER_S:.1f} s, and received none: {why}.",
                connected if none else None,
                one.waiting,
                one.voice.step,
                certain=_wrote_nothing(job) and (none or one.voice.source == UNKNOWN),
                advice=None if none else self.OTHER_SOURCE,
            )

    def doubt(self, call: Call) -> str | None:
        one = next((one for one in _unheard(call) if one.lasted > STUCK_BY and one.voice.source == MICROPHONE), None)
        if one is None:
            return None if "webhook" in call.witnesses else _doubt_without_tracks(call)
        return (
            f"see whether {name_of(one.who)}'s microphone was muted: the session received no audio of it for"
            f" {one.lasted / NS_PER_S:.0f} s"
        )


def _unheard(call: Call) -> Iterator[_Unheard]:
    """Each track that could be heard of somebody for whom a session waited in vain, and no other heard meanwhile."""
    room = [linked for job in call.timeline.jobs for linked in listenings(call, job)]
    heard = [(linked, step.time) for linked in room for step in linked.session.heard]
    for linked in room:
        who, agent = linked.who, call.agents.of(linked.job)
        if who is None or (agent and may_not(agent, keys.CAN_SUBSCRIBE)):
            continue  # of the permission there is a cause of its own
        if any(other.is_to(who) and other.since <= at <= other.until for other, at in heard):
            continue
        subscribed = {step.occurrence for step in linked.session.subscribed}
        for waiting in linked.session.unheard:
            if not linked.since <= waiting.time <= linked.until:
                continue
            for voice in call.voices(who.sid):
                until = min(voice.until, linked.until, call.seen_until(who))
                lasted = until - max(voice.since, waiting.time)
                yield _Unheard(linked, who, waiting, waiting.occurrence in subscribed, voice, lasted)


def _doubt_without_tracks(call: Call) -> str | None:
    """What to find out where no witness of tracks reported: whether there was anything to hear."""
    for job in call.timeline.jobs:
        for linked in listenings(call, job):
            lasted = linked.until - linked.since
            if linked.who and linked.session.unheard and not linked.session.heard and lasted > STUCK_BY:
                return (
                    f"send webhooks to the receiver: the session received no audio of {name_of(linked.who)} for"
                    f" {lasted / NS_PER_S:.0f} s, and only they show whether a microphone was published"
                )
    return None


def _wrote_nothing(job: Job) -> bool:
    """Whether the model was asked no more than once, as for a greeting: else the caller may write instead."""
    return sum(step.kind is Kind.MODEL_ASKED for step in job.steps) <= 1
