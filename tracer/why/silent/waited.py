"""The agent waits for one participant while another one is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import agents
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER, NS_PER_S
from tracer.why.call.jobs import in_vain, is_for, waits
from tracer.why.call.limits import NOTICED, STUCK_BY
from tracer.why.call.listening import listenings
from tracer.why.call.participants import name_of
from tracer.why.call.permissions import is_hidden
from tracer.why.call.voices import MICROPHONE
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.cause import Finding

__all__ = ["WaitedForAnother"]


class _Beside(NamedTuple):
    """A caller who was there during a wait, from when until when, ns."""

    who: Participant
    since: int
    until: int

    @property
    def lasted(self) -> int:
        """How long, ns."""
        return self.until - self.since


class WaitedForAnother(Cause):
    """``wait_for_participant(identity=…)``, or a session's ``participant_identity``, names somebody who does not come.

    Known from the wait (``lk.room_io.participant_filter``), which ended without a participant, has not ended, or ended
    late with another one, and from a caller who was ACTIVE meanwhile and visible. A wait without an identity that does
    not take a caller waits for another kind. Not where the agent talks to somebody all the same, as in a transfer: it
    has a track, or had a link before. Where another one came at last it is not certain, and nothing is found of one
    who published no microphone meanwhile, as a supervisor, nor where a telephone was called.
    """

    name = "waited-for-another"
    symptom = Symptom.SILENT
    about = "the agent waited for a certain participant, and another caller was there"
    advice = (
        "Wait for the identity that your backend puts into the caller's token (wait_for_participant(identity=…),"
        " participant_identity in room_options), or for nobody in particular; and give the wait a limit of your own."
    )
    said = (
        agents("utils/participant.py"),
        agents("voice/room_io/room_io.py"),
    )
    OTHER_KIND = (
        "Name the kind of your callers in wait_for_participant(kind=…), or participant_kinds in room_options; without"
        " it, the agent takes standard, SIP and connector participants."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            served = min((link.since for session in sessions_of(job) for link in session.links), default=FOREVER)
            # Once it has served somebody it may wait for a colleague.
            known = [(start, ended) for start, ended in _long(job) if start.time <= served]
            findings = (self._judge(call, job, waiting, ended) for waiting, ended in known)
            if first := next((finding for finding in findings if finding), None):
                yield first

    def _judge(self, call: Call, job: Job, waiting: Step, ended: Step | None) -> Finding | None:
        agent = call.agents.of(job)
        until = min(ended.time if ended else call.end, call.left_at(agent) if agent else call.end)
        beside = [one for one in _beside(call, waiting.time, until) if is_for(job, one.who) and not is_hidden(one.who)]
        named = waiting.facts.get(keys.PARTICIPANT_FILTER)
        lost = any(waiting.time <= step.time <= until for step in job.steps if step.kind in _CONNECTION)
        if not isinstance(named, bool) or not beside or lost or _heard_an_agent(call, waiting.time, until):
            return None
        others = [linked for other in call.timeline.jobs if other.sid != job.sid for linked in listenings(call, other)]
        if any(linked.since < until and linked.until > waiting.time for linked in others):
            return None  # another agent serves them
        came = ended is not None and ended.kind is Kind.AGENT_PARTICIPANT_READY
        if ended and came:
            beside = [one for one in beside if _was_kept_waiting(call, one, ended)]
        longest = max(beside, key=lambda one: one.lasted, default=None)
        if longest is None or longest.lasted <= (NOTICED if named and not came else STUCK_BY):
            return None
        verb = "has waited" if ended is None and until >= call.end else "waited"
        alone = {who.sid for who in call.callers.all if who.steps[0].time < until} == {longest.who.sid}
        reported = "webhook" in call.witnesses and not call.agents.uninstrumented
        return self.found(
            f"The agent of job {job.sid} {verb} {(until - waiting.time) / NS_PER_S:.1f} s for {_FOR[named]}, while"
            f" {name_of(longest.who)} was there for {longest.lasted / NS_PER_S:.1f} s.",
            waiting,
            ended,
            longest.who.at(Kind.PARTICIPANT_ACTIVE),
            certain=named and verb == "waited" and longest.lasted > STUCK_BY and alone and reported and not came,
            advice=None if named else self.OTHER_KIND,
        )


_FOR = {True: "one identity", False: "a participant of another kind"}
_CONNECTION = (Kind.AGENT_RECONNECTING, Kind.AGENT_CONNECTION_LOST)


def _long(job: Job) -> list[tuple[Step, Step | None]]:
    """Each wait that brought none, or brought one late."""
    late = [(start, ready) for start, ready in waits(job) if ready and ready.time - start.time > STUCK_BY]
    return sorted([*in_vain(job), *late], key=lambda wait: wait[0].time)


def _was_kept_waiting(call: Call, one: _Beside, ready: Step) -> bool:
    """Whether somebody who was there had come to talk, and was not the one who came at last."""
    sid, identity = ready.facts.get(keys.PARTICIPANT_ID), ready.facts.get(keys.PARTICIPANT_IDENTITY)
    known = call.timeline.by_sid.get(str(sid))
    if sid == one.who.sid or identity == one.who.identity or (known and known.text(keys.PARTICIPANT_KIND) == "SIP"):
        return False
    return any(voice.since < one.until and voice.source == MICROPHONE for voice in call.voices(one.who.sid))


def _beside(call: Call, since: int, until: int) -> list[_Beside]:
    """The callers who were there for certain between two times, ns."""
    there = (_Beside(who, max(began, since), min(ended, until)) for began, ended, who in call.callers.active)
    return [one for one in there if one.lasted > 0]


def _heard_an_agent(call: Call, since: int, until: int) -> bool:
    """Whether the callers could hear an agent, or its avatar, between two times, ns."""
    published = [voice for agent in call.agents.all for voice in call.voices(agent.sid)]
    return any(voice.since < until and voice.until > since for voice in published)
