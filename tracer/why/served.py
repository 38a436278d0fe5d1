"""What a call that went well has: for each caller that stayed an agent, and each heard the other.

"Well" is not that no cause was found. Whatever a call lacks is reported, and so is whatever is not known of it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.reporting import is_reported
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.jobs import error_of
from tracer.why.call.limits import HUNG_UP_WITHIN, LONG_ENOUGH, NOTICED, SOON, STUCK_BY
from tracer.why.call.listening import listenings
from tracer.why.call.participants import BY_API, DROPPED, connected_until, name_of
from tracer.why.call.permissions import is_hidden
from tracer.why.call.voices import MICROPHONE
from tracer.why.lack import Lack, in_seconds
from tracer.why.losses import losses
from tracer.why.silent.task_ended import ended_ears, what_ended
from tracer.why.silent.transcripts import SPOKEN, transcribed_after, untranscribed
from tracer.why.words import never_said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.sessions import Off, Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call

__all__ = ["lacks", "left_alone"]

AUDIO = {Kind.SESSION_WAITING_FOR_AUDIO, Kind.SESSION_AUDIO_RECEIVED, Kind.SESSION_AUDIO_PUBLISHED, Kind.AGENT_SPEAKING}
"""What the session of an agent that only reads and writes never reports."""

SAID = (Kind.AGENT_SPEAKING, Kind.MODEL_ANSWERED)
"""What shows that an agent spoke."""
ON_TURN = "on_user_turn_completed"
"""The agent's own code that runs when a caller's turn is over."""


def lacks(call: Call) -> list[Lack]:
    """All that a call lacks: what was missing for certain first, and of that the longest first."""
    found = [*_failed_jobs(call)]
    # Whom nobody sees, beside others who can be seen, listens to the call, as a supervisor does.
    seen = [stay for stay in call.callers.active if not is_hidden(stay[2])]
    for began, ended, who in seen or call.callers.active:
        found += _CallerStay(call, who, began, min(ended, call.end)).lacks()
    return sorted(found, key=lambda lack: (not lack.certain, -lack.ns))


def left_alone(call: Call) -> tuple[Participant, int] | None:
    """Who stayed on longest after the agent had left, and for how long, ns; None where that is not worth a word."""
    stays = [_CallerStay(call, who, began, min(ended, call.end)) for began, ended, who in call.callers.active]
    found = [(stay.who, stay.alone_at_last) for stay in stays if not is_hidden(stay.who)]
    return max((one for one in found if one[1] > SOON), key=lambda one: one[1], default=None)


def _failed_jobs(call: Call) -> Iterator[Lack]:
    """Jobs that ended JS_FAILED. A job of a deleted room does so too, by the server's word alone: that is no fault."""
    finished = call.timeline.room.finished
    for job in call.timeline.jobs:
        ended = job.at(Kind.JOB_ENDED)
        if job.status != "JS_FAILED" or ended is None:
            continue
        by_agent = "agent" in ended.witnesses
        if by_agent or finished is None or ended.time < finished.time - SOON:
            why = f" ({error})" if (error := error_of(ended)) else ""
            over = ", after its call" if call.callers.all_left_by(ended.time) else ""
            yield Lack(f"job {job.sid} ended JS_FAILED{why}{over}", certain=by_agent)


class _Served(NamedTuple):
    """An agent's stay that overlaps with a caller's, ns."""

    agent: Participant
    since: int
    until: int


class _CallerStay:
    """A caller's stay in the room, from when it was ACTIVE."""

    def __init__(self, call: Call, who: Participant, began: int, ended: int) -> None:
        self.call = call
        self.who = who
        self.began = began
        self.ended = ended
        self.name = name_of(who)

    def lacks(self) -> Iterator[Lack]:
        """What this stay lacks; only the first where the rest follows from it."""
        needs = (
            self._agent,
            self._allowed,
            self._kept,
            self._voice,
            self._voice_kept,
            self._voice_taken,
            self._heard,
            self._input_on,
            self._output_on,
            self._listened_as_others,
            self._listened,
            self._understood,
            self._spoke,
            self._said,
            self._words,
            self._cut_off,
            self._answered_twice,
            self._linked_to_known,
            self._sessions_told,
        )
        lack = next((found for need in needs if (found := need())), None)
        if lack:
            stayed = self.ended - self.began
            early = f"{self.name} became ACTIVE" if self._goes_on and stayed < NOTICED else ""
            yield replace(lack, early="" if lack.certain else early, early_ns=stayed)

    @property
    def _goes_on(self) -> bool:
        """Whether the caller is still there, as far as is known."""
        return self.call.timeline.room.finished is None and self.ended >= self.call.end

    @cached_property
    def served(self) -> list[_Served]:
        """When agents were there with the caller, in the order of time."""
        found = []
        for agent in self.call.agents.all:
            active = agent.at(Kind.PARTICIPANT_ACTIVE)
            since, until = (active or agent.steps[0]).time, connected_until(self.call.timeline, agent)
            if since < self.ended and until > self.began:
                found.append(_Served(agent, max(since, self.began), min(until, self.ended)))
        return sorted(found, key=lambda one: one.since)

    @cached_property
    def has_company(self) -> bool:
        """Whether another caller was there at the same time: they can talk with each other."""
        others = self.call.callers.active
        return any(
            began < self.ended and ended > self.began and who.identity != self.who.identity
            for began, ended, who in others
        )

    @property
    def alone_at_last(self) -> int:
        """For how long, ns, the caller was there after the last agent; 0 where that was not alone, or not by choice."""
        lasted = self.ended - max((one.until for one in self.served), default=self.ended)
        hung_up = self.who.disconnect_reason in BY_API and lasted <= HUNG_UP_WITHIN
        lost = self.who.disconnect_reason in DROPPED  # the server notices that late
        return 0 if self.has_company or hung_up or lost else lasted

    @property
    def jobs(self) -> list[Job]:
        """The jobs of the agents that were there."""
        there = {one.agent.sid for one in self.served}
        jobs = ((job, self.call.agents.of(job)) for job in self.call.timeline.jobs)
        return [job for job, agent in jobs if agent and agent.sid in there]

    @cached_property
    def sessions(self) -> list[Session]:
        """The sessions that were open while the caller was there."""
        sessions = [session for job in self.jobs for session in sessions_of(job)]
        return [session for session in sessions if session.since < self.ended and session.until > self.began]

    @property
    def is_text_only(self) -> bool:
        """Whether the sessions are known to have taken and made no audio, and the caller had none either.

        It is known of a session that is over, and of one that can neither listen nor speak: what that says is written.
        """
        kinds = {step.kind for job in self.jobs for step in job.steps}
        if not self.sessions or self._has_track or self.who.sid in self.call.callers.published:
            return False
        writes = all(one.listens_by == one.speaks_by == "nothing" for one in self.sessions)
        if writes and Kind.SESSION_AGENT_CHANGED not in kinds:
            return not kinds & AUDIO - {Kind.AGENT_SPEAKING}
        return all(session.complete for session in self.sessions) and not kinds & AUDIO

    @cached_property
    def _has_track(self) -> bool:
        """Whether an agent that was there published a track that can be its voice."""
        return any(self.call.voices(one.agent.sid) for one in self.served)

    def _agent(self) -> Lack | None:
        """No agent, for longer than a caller waits."""
        stayed = self.ended - self.began
        if not self.served:
            if stayed > LONG_ENOUGH:
                with_whom = ", with nobody but other callers" if self.has_company else ""
                sentence = f"{self.name} had no agent for {in_seconds(stayed)}{with_whom}"
                return Lack(sentence, certain=not self.has_company, ns=stayed)
            left = "has been there for" if self.ended >= self.call.end else "left after"
            return Lack(f"{self.name} {left} {in_seconds(stayed)}, before an agent was there", certain=False)
        since, until = self._longest_gap()
        hung_up = until == self.ended and self.who.disconnect_reason in BY_API and until - since <= HUNG_UP_WITHIN
        # While the call goes on it is said sooner: one who was said goodbye to has hung up by then.
        enough = NOTICED if self._goes_on and until >= self.call.end else STUCK_BY
        if until - since <= enough or hung_up or self.has_company:
            return None
        when = "before the agent was there" if since == self.began else "after the agent left"
        return Lack(f"{self.name} was alone for {in_seconds(until - since)} {when}", certain=True, ns=until - since)

    def _longest_gap(self) -> tuple[int, int]:
        """From when until when no agent was there, the longest time, ns."""
        return _longest_gap(((one.since, one.until) for one in self.served), self.began, self.ended)

    def _allowed(self) -> Lack | None:
        """What somebody might do at last, and whether the others saw them: only the server tells."""
        for one in (self.who, *(one.agent for one in self.served)):
            reported = {witness for step in one.steps for witness in step.witnesses}
            told = one.gone.facts if one.gone else one.reported
            if keys.HIDDEN not in told and "webhook" not in reported:
                return Lack(
                    f"whether {name_of(one)} may publish and subscribe, and is seen by the others, was not reported",
                    certain=False,
                )
        return None

    def _kept(self) -> Lack | None:
        """Something that they had, and lost during the call."""
        agents = {one.agent.sid: one.agent for one in self.served}.values()
        found = losses(self.call, self.who, self.ended, agents)
        return max(found, key=lambda lack: (lack.certain, lack.ns), default=None)

    def _voice(self) -> Lack | None:
        """No audio of any agent's."""
        spoken = {Kind.SESSION_AUDIO_PUBLISHED, Kind.AGENT_SPEAKING}
        if self.is_text_only or self._has_track or any(step.kind in spoken for job in self.jobs for step in job.steps):
            return None
        agents = " and ".join(dict.fromkeys(name_of(one.agent) for one in self.served[:3]))
        jobs, together = self.jobs, sum(one.until - one.since for one in self.served)
        if jobs and not self.sessions and all(map(is_reported, jobs)) and together > NOTICED:
            return Lack(
                f"{agents} was there with {self.name} for {in_seconds(together)}, without an audio track or a session,"
                " and whether it needs one is not known",
                certain=False,
                ns=together,
            )
        return Lack(f"no audio track of {agents} was recorded, and whether it is text only is not known", certain=False)

    def _voice_kept(self) -> Lack | None:
        """The agents' audio tracks all ended, and a session went on for longer than a caller waits."""
        agents = {one.agent.sid: one for one in self.served}
        ends = [voice.until for sid in agents for voice in self.call.voices(sid)]
        if not ends or not self.sessions:
            return None
        until = min(self.ended, max(one.until for one in self.served), max(one.until for one in self.sessions))
        lasted = until - max(ends)
        if lasted <= STUCK_BY or self.has_company:
            return None
        return Lack(f"no agent had an audio track in the last {in_seconds(lasted)} with {self.name}", certain=False)

    def _voice_taken(self) -> Lack | None:
        """A session published its audio, and waited to the end for anybody to subscribe to it.

        A session whose spans show that it listens (livekit-agents 1.8.2 and newer) shows that, too.
        """
        if self.has_company or not self.sessions:
            return None
        spoken = {Kind.SESSION_AUDIO_PUBLISHED, Kind.AGENT_SPEAKING}
        if any(step.kind in spoken for job in self.jobs for step in job.steps):
            return None
        goes_on = self.call.timeline.room.finished is None
        known = (session.complete or (goes_on and session.closed is None) for session in self.sessions)
        if not all(known) or not all(session.waits and not session.voiced for session in self.sessions):
            return None
        began = min((voice.since for one in self.served for voice in self.call.voices(one.agent.sid)), default=0)
        if not began or self.ended - began <= STUCK_BY:
            return None
        return Lack(f"nothing shows that {self.name} was subscribed to the agent's audio track", certain=False)

    def _linked_to_known(self) -> Lack | None:
        """A session waited for somebody else, of whom neither an SID nor, as with --redact, an identity is known."""
        for session in self.sessions:
            known = [link.since for link in session.links if link.participant_id or link.identity]
            for wait in session.waits:
                is_known = keys.LINKED_IDENTITY in wait.facts or any(abs(wait.time - at) <= SOON for at in known)
                lasted = min(session.until, self.ended) - max(wait.time, self.began)
                if not is_known and lasted > STUCK_BY:
                    sentence = f"to whom a session listened in the last {in_seconds(lasted)} is not known"
                    return Lack(sentence, certain=False, ns=lasted)
        return None

    def _sessions_told(self) -> Lack | None:
        """A session that started, and whose own span did not come though its job reported its end."""
        for job in self.jobs:
            ended = job.at(Kind.JOB_ENDED)
            if ended is None or "agent" not in ended.witnesses or job.is_entrypoint_only:
                continue
            mine = [session for session in sessions_of(job) if session in self.sessions]
            if any(session.started and not session.closed for session in mine):
                return Lack(f"a session of job {job.sid} has no recorded end: a span of it is missing", certain=False)
        return None

    def _heard(self) -> Lack | None:
        """No sign that an agent heard the caller, or another caller who was there."""
        if self.is_text_only or {self.who.sid, self.who.identity} & self._ever_heard:
            return None
        if any(session.since <= step.time < self.ended for session in self.sessions for step in session.heard):
            return None
        # Before livekit-agents 1.8.2 a session does not report its first frame.
        steps = (step for job in self.jobs for step in job.steps if self.began <= step.time < self.ended)
        if any(step.kind is Kind.SESSION_TURN_TRANSCRIBED for step in steps):
            return None
        together = sum(one.until - one.since for one in self.served)
        if self.has_company and together <= LONG_ENOUGH:
            return None  # the agent handed the call over
        jobs = self.jobs
        if not any(is_reported(job) for job in jobs):
            return Lack(f"no agent reported whether it heard {self.name}", certain=False)
        if not self.sessions:
            return Lack(
                f"no session of an agent was recorded, and whether it heard {self.name} is not known", certain=False
            )
        if self.who.sid not in self.call.callers.published:
            return Lack(
                f"{self.name} published no track, and whether the agent is text only is not known", certain=False
            )
        lasted = f"{self.name} in {in_seconds(together)} together"
        if all(session.listens_by == "nothing" for session in self.sessions):
            more = "its session has no STT and no realtime model, or no audio input"
            return Lack(f"the agent did not hear {lasted}: {more}", certain=False, ns=together)
        return Lack(f"nothing shows that an agent heard {lasted}", certain=False, ns=together)

    def _input_on(self) -> Lack | None:
        """The audio input of every session was turned off, to the end."""
        off = self._off_for([(session, session.input_off) for session in self.sessions if session.has_audio])
        if not off:
            return None
        return Lack(
            f"whether the agent heard {self.name} is not known: its audio input was turned off for the last"
            f" {in_seconds(off)}",
            certain=False,
            ns=off,
        )

    def _output_on(self) -> Lack | None:
        """The audio output of every session was turned off, to the end."""
        off = self._off_for([(session, session.output_off) for session in self.sessions if session.voiced])
        if not off:
            return None
        return Lack(
            f"whether {self.name} heard the agent is not known: its audio output was turned off for the last"
            f" {in_seconds(off)}",
            certain=False,
            ns=off,
        )

    def _off_for(self, sessions: list[tuple[Session, tuple[Off, ...]]]) -> int:
        """How long all of these were off at the end, ns; 0 where that is not for long, or on purpose.

        What was turned on while the caller was there is turned on when it is needed, as push-to-talk does.
        """
        ends = [(min(session.until, self.ended), offs) for session, offs in sessions]
        if self.is_text_only or self.has_company or not all(offs and offs[-1].until >= end for end, offs in ends):
            return 0
        if any(self.began < off.until < end for end, offs in ends for off in offs):
            return 0
        ended = max((end for end, _ in ends), default=self.ended)
        together = max(self.began, min((session.since for session, _ in sessions), default=ended))
        since = max([together, *(offs[-1].since for _, offs in sessions)])
        return ended - since if ended - since > STUCK_BY or since <= together + SOON else 0

    def _listened(self) -> Lack | None:
        """Sessions that listened to nobody for long, while the agent did nothing else that is on record."""
        sessions = [session for job in self.jobs for session in sessions_of(job)]
        links = sorted((link.since, link.until) for session in sessions for link in session.links)
        if not links or self.is_text_only:
            return None
        began, ended = max(self.began, self.served[0].since), min(self.ended, max(one.until for one in self.served))
        since, until = _longest_gap(links, began, ended)
        there = {one.agent.sid for one in self.served}
        published = (track for track in self.call.timeline.tracks if track.participant in there)
        # While the call goes on it is said sooner: a session that starts anew has started by then.
        goes_on = self.call.timeline.room.finished is None and until >= self.call.end
        enough = NOTICED if goes_on else STUCK_BY
        if until - since <= enough or any(since <= track.steps[0].time < until for track in published):
            return None
        return Lack(
            f"for {in_seconds(until - since)} no session listened to {self.name} or anybody else", certain=False
        )

    def _listened_as_others(self) -> Lack | None:
        """Sessions that talked with others for long, and never listened to this caller, who had a microphone."""
        room = [one for job in self.call.timeline.jobs for one in listenings(self.call, job)]
        agents = {one.agent.sid for one in self.served}
        unknown = any(agent.sid in agents for agent in self.call.agents.unreported)
        if (
            unknown
            or not all(session.complete for session in self.sessions)
            or any(one.is_to(self.who) for one in room)
        ):
            return None
        voices = [voice for voice in self.call.voices(self.who.sid) if voice.source == MICROPHONE]
        best = None
        for one in room:
            # Two whom the agent leaves to each other need nobody to listen.
            spoken = [
                s.time for s in one.job.steps if s.kind is Kind.AGENT_SPEAKING and one.since <= s.time < one.until
            ]
            for voice in voices:
                since = max(one.since, voice.since, self.began)
                lasted = min(one.until, voice.until, self.ended, max(spoken, default=0)) - since
                if lasted > STUCK_BY and one.who and (best is None or lasted > best.ns):
                    to = name_of(one.who)
                    sentence = f"in {in_seconds(lasted)} no session listened to {self.name}, only to {to}"
                    best = Lack(sentence, certain=False, ns=lasted)
        return best

    def _understood(self) -> Lack | None:
        """They spoke, by the session's VAD, and nothing of it was transcribed; or what transcribes it had ended."""
        best = None
        for job in self.jobs:
            turns = [s.time for s in job.steps if s.kind is Kind.SESSION_TURN_TRANSCRIBED and s.time < self.ended]
            since = max([self.began, *turns])
            # What they said last is not yet over: a session waits for more before it takes it as their turn.
            spoken = untranscribed(job, since, self.ended - LONG_ENOUGH)
            if spoken > (NOTICED if turns else SPOKEN) and (turns or self._has_stt(job)):
                more = " more" if turns else ""
                sentence = f"{self.name} spoke for {in_seconds(spoken)}, and nothing{more} of it was transcribed"
                lack = Lack(sentence, certain=False, ns=spoken)
                best = lack if best is None or lack.ns > best.ns else best
        return best or self._deaf()

    def _has_stt(self, job: Job) -> bool:
        """Whether the agents of a job are known to have an STT, and nothing else, to understand the caller by."""
        handed_over = any(step.kind is Kind.SESSION_AGENT_CHANGED for step in job.steps)
        return not handed_over and {session.listens_by for session in sessions_of(job)} == {"stt"}

    def _deaf(self) -> Lack | None:
        """What a session understood them by ended, and they stayed with a microphone for longer than a caller waits."""
        if self.has_company or not self.call.voices(self.who.sid):
            return None
        for job in self.jobs:
            for session in sessions_of(job):
                until = min(self.ended, session.until)
                ended = (s for s in ended_ears(job, session) if transcribed_after(job, s.time) > until)
                if (step := next(ended, None)) and until - max(step.time, self.began) > STUCK_BY:
                    lasted = until - max(step.time, self.began)
                    sentence = f"{what_ended(step)}, and whether it understood {self.name} is not known"
                    return Lack(f"in job {job.sid}, {sentence}", certain=False, ns=lasted)
        return None

    def _spoke(self) -> Lack | None:
        """The model was asked, and the agent said nothing after for longer than a caller waits."""
        steps = [step for job in self.jobs for step in job.steps if step.time >= self.began]
        asked = [step.time for step in steps if step.kind is Kind.MODEL_ASKED and step.time < self.ended]
        said = max((step.time for step in steps if step.kind in SAID), default=0)
        since = min((at for at in asked if at > said), default=None)
        if since is None:
            return None
        # The session can know better than the observer until when the caller waited.
        given_up = (step.time for step in steps if step.kind is Kind.MODEL_GAVE_NO_ANSWER)
        lasted = max([self.ended, *given_up]) - since
        if lasted <= NOTICED:
            return None
        return Lack(
            f"a model was asked, and in {in_seconds(lasted)} no answer to {self.name} was recorded", certain=False
        )

    def _said(self) -> Lack | None:
        """The model answered last, and the agent that has a voice said nothing of it: its TTS hangs, or gives no audio.

        Where the answer was a tool, the agent's own code began after it.
        """
        best = None
        for job in self.jobs:
            steps = [step for step in job.steps if self.began <= step.time < self.ended]
            if not any(step.kind is Kind.SESSION_AUDIO_PUBLISHED for step in job.steps):
                continue
            answers = [step.time for step in steps if step.kind is Kind.MODEL_ANSWERED]
            if not answers or any(_goes_on_from(step, max(answers)) for step in steps):
                continue
            if any(session.output_off for session in self.sessions):
                answers = [max(answers)]  # it may answer in writing
            # The caller may have asked again and again: each answer was as little said as the last.
            others = [step for step in steps if step.kind is not Kind.MODEL_ASKED]
            answered = min(at for at in answers if not any(_goes_on_from(step, at) for step in others))
            # Of sessions one after the other, the one that was answered.
            ends = [session.until for session in self.sessions if session.since <= answered <= session.until]
            until = min(self.ended, max(ends, default=self.ended))
            spoke = any(step.kind is Kind.AGENT_SPEAKING for step in steps)
            if until - answered > (STUCK_BY if spoke else NOTICED) and (best is None or until - answered > best.ns):
                sentence = f"a model answered, and in {in_seconds(until - answered)} no word of the agent was recorded"
                best = Lack(sentence, certain=False, ns=until - answered)
        return best

    def _words(self) -> Lack | None:
        """Nobody said a word, or the caller did not, or had no answer to what they said."""
        if self.is_text_only or self.has_company:
            return None
        steps = (step for job in self.jobs for step in job.steps)
        return never_said(self.call, self.who, self.began, self.ended, steps, self.sessions)

    def _cut_off(self) -> Lack | None:
        """The server lost this caller; without an identity nobody knows whether the same one came back."""
        reason = self.who.disconnect_reason
        if reason not in DROPPED or self.who.identity is not None:
            return None
        return Lack(
            f"the server lost the connection of {self.name} ({reason}), and whether they came back is not known",
            certain=False,
        )

    def _answered_twice(self) -> Lack | None:
        """Two agents of one name, or two sessions of one job that can speak, listened to this caller at once."""
        heard = [one for job in self.jobs for one in listenings(self.call, job) if one.is_to(self.who)]
        for one, other in combinations(sorted(heard, key=lambda listening: listening.job.sid), 2):
            at_once = min(one.until, other.until) - max(one.since, other.since)
            if one.job.sid != other.job.sid and _agent_name(one.job) == _agent_name(other.job):
                # One that closes its session while they stay hands over to the other.
                hands_over = any(part.until < self.ended - SOON for part in (one, other))
                enough, both = (
                    NOTICED if hands_over else SOON,
                    f"two agents of one name (jobs {one.job.sid} and {other.job.sid})",
                )
            elif one.job.sid == other.job.sid and _both_speak(one.session, other.session):
                enough, both = STUCK_BY, f"two sessions of job {one.job.sid}"
            else:
                continue
            if at_once > enough:
                return Lack(f"{both} listened to {self.name} at once for {in_seconds(at_once)}", certain=False)
        return None

    @property
    def _ever_heard(self) -> set[str | None]:
        """Whom an agent heard in this room, by identity: one who comes back muted can be heard when they unmute."""
        steps = (s for job in self.call.timeline.jobs for session in sessions_of(job) for s in session.heard)
        return {str(identity) for step in steps if (identity := step.facts.get(keys.LINKED_IDENTITY))}


def _both_speak(one: Session, other: Session) -> bool:
    """Whether these are two sessions, open at once by their own reports, and each of them has a voice."""
    if one == other or not (one.complete and other.complete):
        return False
    return len({step.key for step in (*one.voiced, *other.voiced) if step.kind is Kind.SESSION_AUDIO_PUBLISHED}) > 1


def _goes_on_from(step: Step, answered: int) -> bool:
    """Whether a step shows what came of a model's answer at this time, ns."""
    if step.kind is Kind.AGENT_SPEAKING:
        lasted = step.facts.get(keys.SPOKE_FOR)
        return step.time + round(lasted * NS_PER_S if isinstance(lasted, int | float) else FOREVER) > answered
    if step.kind is Kind.AGENT_CODE_BEGAN and step.facts.get(keys.SPAN_NAME) == ON_TURN:
        return False  # it belongs to the turn, also where the model was asked before the turn was over
    after = (Kind.AGENT_CODE_BEGAN, Kind.MODEL_ASKED, Kind.MODEL_FAILED)
    return step.kind in after and step.time > answered


def _agent_name(job: Job) -> str:
    return job.text(keys.AGENT_NAME) or ""


def _longest_gap(intervals: Iterable[tuple[int, int]], began: int, ended: int) -> tuple[int, int]:
    """The longest time between ``began`` and ``ended`` that no interval covers; by start in order."""
    gaps, at = [], began
    for since, until in intervals:
        gaps.append((at, min(since, ended)))
        at = max(at, until)
    gaps.append((at, ended))
    return max(gaps, key=lambda gap: gap[1] - gap[0])
