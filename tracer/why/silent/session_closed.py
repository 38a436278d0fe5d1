"""The session closed, and the agent stayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracer.livekit_sources import agents
from tracer.units import NS_PER_S
from tracer.why.call.limits import LONG_ENOUGH, SOON
from tracer.why.call.participants import name_of
from tracer.why.call.serving import seconds
from tracer.why.cause import Cause
from tracer.why.silent.after_session import BY_ITS_PARTICIPANT, FOR_AN_ERROR, back_before, close_reason, silences
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.serving import Stay
    from tracer.why.cause import Finding
    from tracer.why.silent.after_session import Silence

__all__ = ["SessionClosed"]

WORDED = {
    "user_initiated": "the agent's own code closed it",
    "job_shutdown": "its job was shutting down",
    "task_completed": "its task was completed",
}
"""livekit-agents' other close reasons, in words."""


class SessionClosed(Cause):
    """A closed session does not answer; the job goes on, and the agent stays in the room.

    Known from the job's own spans (``session_close`` with its reason, and no other session; before livekit-agents 1.8.2
    the end of ``agent_session``, which gives none) and from a caller who stayed for longer than a second, or who came
    later, as after the reload of a page: then a session that starts within 10 s is in time. Certain of one caller, if
    every other agent there reported what it did. None where the agent published a track of its own after, or waited for
    somebody who came; nor where a model failed, see ``model-failed``.
    """

    name = "session-closed"
    symptom = Symptom.SILENT
    about = "the agent's session closed, and its job went on"
    advice = "When the session is over, end the job too (ctx.shutdown()), or start a new session."
    said = (
        agents("voice/agent_session.py"),
        agents("voice/room_io/room_io.py"),
    )
    when_its_participant_left = (
        "A session closes with the participant it is linked to (close_on_disconnect in RoomOptions). Set"
        " close_on_disconnect=False to keep it for whoever comes back, start a new session when somebody joins, or set"
        " delete_room_on_close=True, so that whoever joins next gets a new room with an agent."
    )

    def find(self, call: Call) -> Iterator[Finding]:
        found = set()
        for job, session, silence in silences(call):
            if job.sid not in found and close_reason(session) != FOR_AN_ERROR:
                found.add(job.sid)  # the last one of each job is enough
                yield self._finding(call, job, session, silence)

    def _finding(self, call: Call, job: Job, session: Session, silence: Silence) -> Finding:
        closed, first = silence.closed, silence.alone[0]
        longest = max(silence.alone, key=lambda stay: stay.lasted)
        names = " and ".join(dict.fromkeys(name_of(stay.who) for stay in silence.alone[:3]))
        by_participant = close_reason(session) == BY_ITS_PARTICIPANT or _closed_as_one_left(call, session, closed)
        if first.since > closed.time:
            sentence = (
                f"The session of job {job.sid} closed{_why(session)}; {_came(call, first, closed.time)} and found a"
                f" closed session: for {seconds(call, longest)} {names} had an agent in the room that could not hear or"
                " speak."
            )
        elif back_before(session) and session.links[-1].is_to(first.who):
            sentence = (
                f"The session of job {job.sid} closed{_why(session)}, though {name_of(first.who)} had come since: for"
                f" {seconds(call, longest)} {names} had an agent in the room that could not hear or speak."
            )
        else:
            sentence = (
                f"The session of job {job.sid} closed{_why(session)}, and for {seconds(call, longest)} more {names} had"
                " an agent in the room that could not hear or speak."
            )
        # While the call goes on nobody leaves; but a leave that nobody saw can have been what ended the job.
        goes_on = (
            call.timeline.room.finished is None and silence.over is None and call.callers.reported_after(closed.time)
        )
        known = (first.who.gone is not None or goes_on) and _stayed(call, job, silence)
        return self.found(
            sentence,
            closed,
            *(stay.who.steps[0] for stay in silence.alone[:3] if stay.since > closed.time),
            silence.over,
            certain=known
            and _at_least(first, closed) > SOON
            and silence.one
            and silence.for_good
            and not silence.on_purpose
            and not another_may_answer(call, job, closed.time),
            advice=self.when_its_participant_left if by_participant else None,
        )

    def doubt(self, call: Call) -> str | None:
        names = " and ".join(list(dict.fromkeys(map(name_of, call.agents.uninstrumented)))[:3])
        return (
            f"instrument {names} (tracer.instrument): only the agent reports what its session does" if names else None
        )


def _stayed(call: Call, job: Job, silence: Silence) -> bool:
    """Whether the agent is known to have stayed after its session, or its job to have gone on.

    Before livekit-agents 1.8.2 a job does not report its shutdown: a leave that nobody saw can have been the end of it.
    """
    agent = call.agents.of(job)
    there = agent is not None and (agent.gone is not None or call.timeline.room.finished is None)
    return silence.over is not None or there


def _closed_as_one_left(call: Call, session: Session, closed: Step) -> bool:
    """Whether a session that gave no reason, as before livekit-agents 1.8.2, closed just after a caller had left."""
    left = (ended for _, ended, who in call.callers.active if who.gone)
    return not close_reason(session) and any(0 <= closed.time - at <= LONG_ENOUGH for at in left)


def _at_least(stay: Stay, closed: Step) -> int:
    """For how long a caller was alone at the least, ns: a webhook that came late leaves a second open."""
    until = min(stay.until, stay.who.gone.earliest) if stay.who.gone else stay.until
    return until - max(stay.since, closed.latest)


def another_may_answer(call: Call, job: Job, at: int) -> bool:
    """Whether another agent was there after a time, ns, of which it is not known what it did."""
    mine = call.agents.of(job)
    others = [agent for agent in call.agents.unreported if mine is None or agent.sid != mine.sid]
    return any(call.left_at(agent) > at + SOON for agent in others)


def _why(session: Session) -> str:
    """Why it closed, as the end of a sentence; empty where that was not reported."""
    reason = close_reason(session)
    if reason == BY_ITS_PARTICIPANT:
        closed = session.closed.time if session.closed else 0
        linked = [link for link in session.links if link.since <= closed]
        linked = linked[:-1] if back_before(session) else linked
        who = (linked[-1].identity or linked[-1].participant_id) if linked else None
        return f" when {who or 'the participant it was linked to'} left ({reason})"
    if not reason:
        return ""
    return f" ({WORDED[reason]}: {reason})" if reason in WORDED else f" ({reason})"


def _came(call: Call, stay: Stay, closed: int) -> str:
    """Who came after it had closed, and when."""
    who = stay.who
    before = (other for other in call.callers.all if other.sid != who.sid and other.steps[0].time < closed)
    back = who.identity is not None and any(other.identity == who.identity for other in before)
    later = max(stay.since - closed, 0) / NS_PER_S
    return f"{name_of(who)} {'came back' if back else 'joined'} {later:.1f} s later"
