"""The agent speaks, and what it sends is silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.limits import NOTICED, SOON
from tracer.why.call.participants import name_of
from tracer.why.call.replies import replies_of
from tracer.why.call.serving import stays
from tracer.why.call.speech import spoken_until
from tracer.why.call.voices import MICROPHONE
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom
from tracer.why.words import was_silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.replies import Reply
    from tracer.why.call.serving import Stay
    from tracer.why.cause import Finding

__all__ = ["AgentSpeaksSilence", "last_silent"]

TWICE = 2
"""One reply can be short, or all breath."""
STOPPED = 2 * NS_PER_S
"""A voice makes no pause as long as this, ns, within what it says."""


class AgentSpeaksSilence(Cause):
    """By its session the agent speaks, its transcript has the words, and its audio track carries nothing but silence.

    Or what is as quiet as the noise of a room. Known from the statistics of the agent's own tracks, which an
    instrumented agent reads when it begins to speak and when it has spoken. Certain where each time that it spoke
    for a second or more was silent; where some of it could be heard, only silence of 5 s and more, or of the last
    two replies and more, is named, and is not certain. Nor are two replies and more that were interrupted 2 s and
    more after what had been played of them was over. Of an avatar that speaks on the agent's behalf the agent
    listens to its track, as to a caller's: not certain either.
    """

    name = "agent-speaks-silence"
    symptom = Symptom.SILENT
    about = "the agent spoke, and sent silence"
    advice = (
        "Listen to what the TTS gives: its voice, its model, its sample rate, a tts_node of your own, or an effect on"
        " the output (session.output.audio) can make silence of every text. The transcript is right all the same."
    )
    of_a_tts = (
        "Look at what gives the agent its voice, a TTS or a tts_node, and at the LLM whose words it speaks, for that"
        " time: one of them began, and then gave nothing more, or less than is spoken meanwhile. Give each a limit"
        " (APIConnectOptions in the session's conn_options)."
    )
    of_an_avatar = (
        "Look at the avatar's own service: the agent gave it its voice (session.output.audio), and it published a track"
        " without sound."
    )
    said = (
        agents("voice/room_io/_output.py"),
        Page.NODES,
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            if found := self._judge(call, job) or self._stopped(call, job) or self._of_avatar(call, job):
                yield found

    def _judge(self, call: Call, job: Job) -> Finding | None:
        there = _silent_to(call, job)
        if not there:
            return None
        silent = [step for step, _ in there]
        worst = max(silent, key=_seconds)
        who, longest = next(name_of(who) for step, who in there if step is worst), _seconds(worst)
        spoken = _spoken(job, silent)
        if len(spoken) == len([at for at in spoken if spoken[at]]):
            often = "once" if len(spoken) == 1 else f"{len(spoken)} times"
            return self.found(
                f"The agent of job {job.sid} spoke {often} to {who}, and nothing that can be heard left its audio"
                " track.",
                silent[0],
                silent[-1],
            )
        if longest < NOTICED / NS_PER_S:
            return self._at_last(job, who, _last(spoken, silent))
        return self.found(
            f"The agent of job {job.sid} spoke to {who}, and for {longest:.1f} s of it nothing that can be heard"
            " left its audio track.",
            worst,
            certain=False,
            advice=self.of_a_tts if _could_be_heard_at_first(job, worst) else None,
        )

    def _at_last(self, job: Job, who: str, last: Sequence[Step]) -> Finding | None:
        """It could be heard at first, and from one time on not any more."""
        if len(last) < TWICE:
            return None
        return self.found(
            f"The agent of job {job.sid} spoke to {who}, and the last {len(last)} times nothing that can"
            " be heard left its audio track.",
            last[0],
            last[-1],
            certain=False,
        )

    def _stopped(self, call: Call, job: Job) -> Finding | None:
        """More than one reply stopped, or halted, until somebody interrupted it, which hides that it did."""
        found = [(reply, stay) for reply in replies_of(job) if (stay := _stalled(call, job, reply))]
        if len(found) < TWICE:
            return None
        reply, stay = max(found, key=lambda one: one[1].lasted - (one[0].played or 0))
        return self.found(
            f"The agent of job {job.sid} spoke to {name_of(stay.who)}, and of {len(found)} of its replies only a part"
            f" had been played when they were interrupted: {(reply.played or 0) / NS_PER_S:.1f} s in the"
            f" {stay.lasted / NS_PER_S:.1f} s for which it spoke.",
            found[0][0].spoken,
            found[-1][0].cut,
            certain=False,
            advice=self.of_a_tts,
        )

    def _of_avatar(self, call: Call, job: Job) -> Finding | None:
        """Its avatar's track carried nothing but silence each time that the agent spoke."""
        agent = call.agents.of(job)
        tracks = [
            track
            for track in call.timeline.tracks
            for who in call.agents.all
            if agent and who.sid == track.participant and who.is_avatar and who.speaks_for == agent.identity
        ]
        spoken = [s for s in job.steps if s.kind is Kind.AGENT_SPEAKING and _for_a_second(s)]
        ends = [track.time(Kind.TRACK_UNPUBLISHED) or call.end for track in tracks]
        spoken = [s for s in spoken if s.time < max(ends, default=0) and any(stays(call, job, s.time, _over(call, s)))]
        if not spoken:
            return None
        heard = [track for track in tracks if (silent := track.at(Kind.TRACK_SILENT)) and silent.time < call.end]
        sounding = (t for t in tracks if t not in heard and t.text(keys.TRACK_SOURCE) == MICROPHONE)
        began, ended = spoken[0].time, _over(call, spoken[-1])
        if not heard or any(sounding) or not all(was_silent(track.steps, began, ended) for track in heard):
            return None
        often = "once" if len(spoken) == 1 else f"{len(spoken)} times"
        who = name_of(next(stays(call, job, spoken[0].time, ended)).who)
        avatar = next(name_of(one) for one in call.agents.all if one.sid == heard[0].participant)
        return self.found(
            f"The agent of job {job.sid} spoke {often} to {who}, and its avatar {avatar} gave nothing but silence.",
            spoken[0],
            heard[0].at(Kind.TRACK_SILENT),
            certain=False,
            advice=self.of_an_avatar,
        )


def _stalled(call: Call, job: Job, reply: Reply) -> Stay | None:
    """When and to whom a reply was spoken of which for 2 s and more, and most of it, nothing was played; else None.

    A loop that stands still does not tell how much was played; and on a machine without CPU to spare it takes longer.
    """
    stay = next(stays(call, job, reply.since, reply.until), None)
    blocked = (s.time for s in job.steps if s.kind in (Kind.AGENT_BLOCKED, Kind.AGENT_STALLED))
    if not reply.played or stay is None or any(reply.since - SOON <= at <= reply.until for at in blocked):
        return None
    missing = stay.lasted - reply.played
    return stay if missing >= STOPPED and missing * 3 >= stay.lasted * 2 else None


def last_silent(call: Call, job: Job) -> list[Step]:
    """The reports that the agent's last words to callers, for a second or more each time, were nothing but silence."""
    silent = [step for step, _ in _silent_to(call, job)]
    return _last(_spoken(job, silent), silent)


def _silent_to(call: Call, job: Job) -> list[tuple[Step, Participant]]:
    """The reports of silence instead of the agent's voice, each with a caller who was there."""
    silent = [s for s in job.steps if s.kind is Kind.AGENT_SPEAKS_SILENCE and _has_voice(call, job, s)]
    there = ((step, next(stays(call, job, step.time - SOON, step.time), None)) for step in silent)
    return [(step, stay.who) for step, stay in there if stay]


def _last(spoken: Mapping[int, bool], silent: Sequence[Step]) -> list[Step]:
    """Those of what was spoken since the agent could last be heard."""
    heard = max((at for at in spoken if not spoken[at]), default=0)
    return [step for step in silent if any(heard < at < step.time for at in spoken)]


def _for_a_second(step: Step) -> bool:
    """Whether the agent spoke for a second or more; also where that is not known."""
    lasted = step.facts.get(keys.SPOKE_FOR)
    return not isinstance(lasted, int | float) or lasted >= 1.0


def _over(call: Call, step: Step) -> int:
    """When the agent had spoken, ns; the end of what is known where that is not."""
    until = spoken_until(step)
    return call.end if until == FOREVER else until


def _seconds(step: Step) -> float:
    lasted = step.facts.get(keys.SILENT_FOR)
    return lasted if isinstance(lasted, float) else 0.0


def _could_be_heard_at_first(job: Job, silent: Step) -> bool:
    """Whether the reply of which a report of silence is had begun for more than a second before that silence."""
    began = max((s.time for s in job.steps if s.kind is Kind.AGENT_SPEAKING and s.time < silent.time), default=0)
    return bool(began) and silent.time - round(_seconds(silent) * NS_PER_S) - began > SOON


def _has_voice(call: Call, job: Job, step: Step) -> bool:
    """Whether the agent had a track such as a session publishes, and has not turned its output off.

    An avatar has it in the agent's stead, and music that the agent plays is of another source.
    """
    agent = call.agents.of(job)
    tracks = call.voices(agent.sid) if agent else []
    off = (off for session in sessions_of(job) for off in session.output_off if off.since <= step.time <= off.until)
    return any(track.source == MICROPHONE and track.since < step.time for track in tracks) and next(off, None) is None


def _spoken(job: Job, silent: Sequence[Step]) -> dict[int, bool]:
    """Each time that the agent spoke for a second or more, by when it began, ns, and whether all of it was silent."""
    found = {}
    for step in job.steps:
        if step.kind is not Kind.AGENT_SPEAKING or not _for_a_second(step):
            continue
        until = spoken_until(step)
        told = [one for one in silent if step.time < one.time <= until + SOON]
        if until == FOREVER and told:
            until = told[-1].time
        if until < FOREVER:
            seconds = until - step.time
            found[step.time] = bool(told) and _seconds(told[-1]) * NS_PER_S >= seconds - SOON
    return found
