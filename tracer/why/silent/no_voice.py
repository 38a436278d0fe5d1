"""The agent's own audio could not be published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.kinds import Kind
from tracer.livekit_sources import agents
from tracer.timeline.sessions import sessions_of
from tracer.units import NS_PER_S
from tracer.why.call.jobs import error_of, is_for
from tracer.why.call.limits import LONG_ENOUGH, SOON, STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import may_not_speak, withdrawn
from tracer.why.call.serving import over_at, seconds, stays
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["AgentHasNoVoice"]

VOICED = (Kind.SESSION_AUDIO_PUBLISHED, Kind.SESSION_AUDIO_FAILED, Kind.AGENT_SPEAKING)
"""What a session reports of a voice that it has, or tried to get."""


class AgentHasNoVoice(Cause):
    """A session publishes its audio when it is linked; where that fails, it goes on without a voice.

    Known from the session's own span ``publish_audio_output``, which failed, and no track of the agent's after. Not
    where the caller had left by then: it ends with the connection. Certain where no other agent has a voice.

    Or from a session that has a TTS or a realtime model and began to publish nothing, as where an avatar is to speak
    for it that never comes: its model answered, and a caller who spoke stayed for 10 s without any agent's track. That
    is not certain: tracks are known from webhooks only.
    """

    name = "agent-has-no-voice"
    symptom = Symptom.SILENT
    about = "the agent's audio was not published: nobody heard the agent"
    advice = (
        "'track publication timed out' is a permission that was taken from the agent (UpdateParticipant), or a broken"
        " connection to the server's signalling: see the agent's log, and check the network between the two."
    )
    of_an_avatar = (
        "Where an avatar speaks for the agent (session.output.audio is its own), see whether its service joined the"
        " room: await avatar.start() before session.start(), and look at its log and its API key. Where none does, look"
        " in the agent's log for what became of its audio output."
    )
    said = (agents("voice/room_io/_output.py"),)

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            failures = (step for step in job.steps if step.kind is Kind.SESSION_AUDIO_FAILED)
            findings = (self._judge(call, job, failed) for failed in failures)
            if first := next((finding for finding in findings if finding), None) or self._none_published(call, job):
                yield first

    def _none_published(self, call: Call, job: Job) -> Finding | None:
        """A session with a voice that no track carries: what it is to speak through has not come."""
        if any(call.voices(agent.sid) for agent in call.agents.all) or any(step.kind in VOICED for step in job.steps):
            return None
        for session in sessions_of(job):
            answers = [
                s for s in job.steps if s.kind is Kind.MODEL_ANSWERED and session.since <= s.time <= session.until
            ]
            voiceless = session.speaks_by not in ("tts", "realtime") or session.output_off
            if voiceless or not session.links or not answers:  # it publishes its audio once it is linked
                continue
            there = stays(call, job, answers[0].time, min(session.until, over_at(call, job, answers[0].time)))
            theirs = [stay for stay in there if stay.lasted > STUCK_BY and call.voices(stay.who.sid)]
            if stay := max(theirs, key=lambda one: one.lasted, default=None):
                often = "" if len(answers) == 1 else f" {len(answers)} times"
                return self.found(
                    f"A model of job {job.sid} answered{often}, its session has a voice, and in {seconds(call, stay)}"
                    f" with {name_of(stay.who)} no agent's or avatar's audio track was published.",
                    session.started or session.starting,
                    answers[0],
                    certain=False,
                    advice=self.of_an_avatar,
                )
        return None

    def _judge(self, call: Call, job: Job, failed: Step) -> Finding | None:
        agent = call.agents.of(job)
        again = (step.time for step in job.steps if step.kind is Kind.SESSION_AUDIO_PUBLISHED)
        spoken = call.voices(agent.sid) if agent else []
        if any(at > failed.time for at in (*again, *(voice.until for voice in spoken))):
            return None  # it has a voice
        if agent and may_not_speak(agent):
            return None  # of the permission there is a cause of its own
        over = job.at(Kind.JOB_SHUTDOWN, Kind.JOB_ENDED)
        end = min(over.time if over else call.end, call.left_at(agent) if agent else call.end)
        starting = job.at(Kind.SESSION_STARTING)
        since = min(starting.time, failed.time) if starting else failed.time  # publishing gives up after 10 s
        theirs = [
            min(until, end) - max(since, began)
            for began, until, who in call.callers.active
            if is_for(job, who) and began <= failed.time < min(until, end) - SOON
        ]
        if not theirs:
            return None
        another = any(call.voices(other.sid) for other in call.agents.all if agent is None or other.sid != agent.sid)
        why = f" ({error})" if (error := error_of(failed)) else ""
        taken = [one.taken for one in (withdrawn(agent) if agent else ()) if one.to_speak]
        return self.found(
            f"The agent of job {job.sid} could not publish its audio{why}, and was in the room without a voice for"
            f" {max(theirs) / NS_PER_S:.1f} s.",
            *taken,
            starting,
            failed,
            over,
            certain=not another and max(theirs) > LONG_ENOUGH,
        )
