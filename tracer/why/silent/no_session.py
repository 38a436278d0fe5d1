"""The agent is connected, and no session starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.livekit_sources import Page, agents
from tracer.timeline.entities import Shutdown
from tracer.timeline.reporting import is_reported
from tracer.timeline.sessions import sessions_of
from tracer.why.call.jobs import waits
from tracer.why.call.limits import STUCK_BY
from tracer.why.call.participants import name_of
from tracer.why.call.serving import ended_by, over_at, seconds, stays
from tracer.why.call.telephone import call_status
from tracer.why.cause import Cause
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.serving import Stay
    from tracer.why.cause import Finding

__all__ = ["NoSession"]

DIALLED = ("dialing", "ringing", "automation", "hangup")
"""A telephone that the agent dials is in the room before anybody answers it."""

SUBSCRIBED_TO_NOTHING = "subscribe_none"
"""``auto_subscribe`` of an agent that sends data only, or works on the room by the API."""

WENT_ON = (
    Kind.JOB_ENTRYPOINT_RETURNED,
    Kind.AGENT_SPEAKING,
    Kind.MODEL_ASKED,
    Kind.SESSION_AGENT_CHANGED,
)
"""What follows only where session.start() has returned, or nearly; that it was linked and heard somebody comes before.
"""


class NoSession(Cause):
    """An agent that is connected does not answer before its session has started.

    Known from the job's own spans: a ``session_start`` that did not end in 10 s, or an entrypoint that connected, had
    nobody to wait for, ran until the job was over and began no session while a caller was there for longer than that.
    An agent may have no AgentSession by design: where it connected with SUBSCRIBE_NONE, where its entrypoint returned,
    where it published a track of its own, or where it had none in the room of this name before, nothing is found; else
    it is not certain, unless it had one there.
    """

    name = "no-session"
    symptom = Symptom.SILENT
    about = "the agent connected, and its session did not start"
    advice = (
        "Find what the entrypoint waits for after ctx.connect() (a database, an API, a participant that is not there),"
        " and give it a limit (asyncio.wait_for), so that session.start() is reached. An agent that needs no"
        " AgentSession is not meant."
    )
    said = (
        agents("voice/agent_session.py"),
        Page.SESSIONS,
    )
    in_start = (
        "Find what session.start() waits for: the spans below session_start show the models, toolsets and the agent's"
        " own code that it starts. Give what they load a limit (asyncio.wait_for)."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        for job in call.timeline.jobs:
            if call.timeline.lost(job) is None and is_reported(job):
                found = [self._never_started(call, job), self._never_began(call, job)]
                yield from (one for one in found if one)

    def _never_started(self, call: Call, job: Job) -> Finding | None:
        """A session.start() that did not return."""
        for session in sessions_of(job):
            starting = session.starting
            if starting is None or session.started or session.closed or keys.ERROR_TYPE in starting.facts:
                continue
            if _went_on(job, starting):
                continue  # only the span's end is missing
            stay = _longest(call, job, starting)
            if stay is None or stay.lasted <= STUCK_BY:
                continue
            over = ended_by(job, starting.time)
            how = "did not return" if over else "has not returned"
            lasted = (over_at(call, job, starting.time) - starting.time) / 1e9
            return self.found(
                f"In job {job.sid}, session.start() {how} in {lasted:.1f} s, while {name_of(stay.who)} was there.",
                starting,
                over,
                # Until the job has reported its end, that of its session_start may be on its way.
                certain=over is not None and "agent" in over.witnesses and not call.timeline.is_open(job),
                advice=self.in_start,
            )
        return None

    def _never_began(self, call: Call, job: Job) -> Finding | None:
        """An entrypoint that got no further than to connect, or to wait for somebody who came."""
        connected, ended = job.at(Kind.AGENT_CONNECTED), job.at(Kind.JOB_ENDED)
        if connected is None or sessions_of(job) or job.shutdown_reason == Shutdown.CRASHED:
            return None
        if connected.facts.get(keys.AUTO_SUBSCRIBE) == SUBSCRIBED_TO_NOTHING:
            return None  # it is not there to listen
        if any(ready is None for _, ready in waits(job)) or _has_own_voice(call, job):
            return None  # it waits for somebody, or needs no session
        over = ended_by(job, connected.time)
        returned = job.at(Kind.JOB_ENTRYPOINT_RETURNED)
        if _shut_itself_down(over) or _another_answers(call, job):
            return None
        # That the entrypoint returned is reported with the job's end, and not before.
        still_ran = returned is None or (over is not None and returned.time >= over.time)
        hung = ended is not None and "agent" in ended.witnesses and still_ran
        usual = _usually_starts_one(call, job)
        if usual is False or not (hung or (ended is None and usual)):
            return None
        last = max([connected, *(ready for _, ready in waits(job) if ready)], key=lambda step: step.time)
        stay = _longest(call, job, last)
        if stay is None or stay.lasted <= STUCK_BY:
            return None
        after = "ctx.connect()" if last is connected else "wait_for_participant()"
        return self.found(
            f"The entrypoint of job {job.sid} went no further than {after}: {name_of(stay.who)} was there for"
            f" {seconds(call, stay)}, and it started no session.",
            last,
            stay.who.at(Kind.PARTICIPANT_ACTIVE),
            over,
            certain=hung and bool(usual),
        )


def _went_on(job: Job, starting: Step) -> bool:
    """Whether the agent took part after a session began to start, or its entrypoint returned: so it had started."""
    return any(step.kind in WENT_ON and step.time > starting.time for step in job.steps)


def _longest(call: Call, job: Job, step: Step) -> Stay | None:
    """Whoever was there for the longest after a step of a job, until the job was over."""
    until = over_at(call, job, step.time)
    there = [stay for stay in stays(call, job, step.time, until) if call_status(stay.who) not in DIALLED]
    return max(there, key=lambda stay: stay.lasted, default=None)


def _has_own_voice(call: Call, job: Job) -> bool:
    """Whether the agent published a track, as one does that plays music or needs no session."""
    agent = call.agents.of(job)
    return agent is not None and bool(call.callers.published.get(agent.sid))


def _shut_itself_down(over: Step | None) -> bool:
    """Whether the agent's own code ended the job: then its entrypoint was not stuck."""
    if over is None or over.kind is not Kind.JOB_SHUTDOWN:
        return False
    by_user = over.facts.get(keys.SHUTDOWN_BY_USER)
    return by_user is True or (by_user is None and over.facts.get(keys.SHUTDOWN_REASON) not in (None, *Shutdown))


def _another_answers(call: Call, job: Job) -> bool:
    """Whether another agent has a session in this room, or may have one: this one may stand by."""
    mine = call.agents.of(job)
    unknown = [agent for agent in call.agents.uninstrumented if mine is None or agent.sid != mine.sid]
    return bool(unknown) or any(sessions_of(other) for other in call.timeline.jobs if other.sid != job.sid)


def _usually_starts_one(call: Call, job: Job) -> bool | None:
    """Whether an agent of this name started a session in another room of this name; None where none is known."""
    rooms = [room for room in (call.timeline.earlier, call.timeline.later) if room]
    others = [
        other
        for room in rooms
        for other in room.jobs
        if other.agent_name == job.agent_name and other.at(Kind.AGENT_CONNECTED)
    ]
    if any(sessions_of(other) for other in others):
        return True
    return False if any(other.at(Kind.JOB_ENDED) for other in others) else None
