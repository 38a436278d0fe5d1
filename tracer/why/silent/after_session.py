"""Who was in the room with an agent whose session had closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.sessions import sessions_of
from tracer.units import FOREVER
from tracer.why.call.jobs import is_room_job, waits
from tracer.why.call.limits import LONG_ENOUGH, NOTICED, SOON, STUCK_BY
from tracer.why.call.serving import ended_by, over_at, stays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.timeline.step import Step
    from tracer.why.call import Call
    from tracer.why.call.serving import Stay

__all__ = ["BY_ITS_PARTICIPANT", "FOR_AN_ERROR", "Silence", "back_before", "close_reason", "silences"]

BY_ITS_PARTICIPANT = "participant_disconnected"
"""livekit-agents' close reason of a session whose participant left (close_on_disconnect)."""
FOR_AN_ERROR = "error"
"""livekit-agents' close reason of a session whose model failed for good."""


@dataclass(frozen=True)
class Silence:
    """After a session closed, and until another one answered."""

    closed: Step
    over: Step | None
    """What ended the job."""
    alone: tuple[Stay, ...]
    """Callers who were there with nobody to answer them, in the order in which they came."""
    for_good: bool
    """Whether no session came after."""
    on_purpose: bool
    """Whether the agent's code may have meant it: it waits for somebody, or plays something of its own."""

    @property
    def one(self) -> bool:
        """Whether one caller was alone: several may talk with each other, as after a transfer."""
        return len({stay.who.sid for stay in self.alone}) == 1


def close_reason(session: Session) -> str:
    """Why a session closed, in livekit-agents' word; empty where it was not reported."""
    return str(session.closed.facts.get(keys.CLOSE_REASON) or "") if session.closed else ""


def silences(call: Call) -> Iterator[tuple[Job, Session, Silence]]:
    """What came after each session that closed, where a caller was left with nothing; of each job the last first."""
    spans = {job.sid: list(_spans(call, job)) for job in call.timeline.jobs}
    of_room = [span for job in call.timeline.jobs if is_room_job(job) for span in spans[job.sid]]
    for job in call.timeline.jobs:
        known = of_room if is_room_job(job) else [*of_room, *spans[job.sid]]
        for session in reversed(sessions_of(job)):
            if session.closed and (silence := _after(call, job, session, session.closed, known)):
                yield job, session, silence


def _after(call: Call, job: Job, session: Session, closed: Step, spans: list[tuple[int, int]]) -> Silence | None:
    if any(began <= closed.time and ended - closed.time > SOON for began, ended in spans):
        return None  # another session goes on
    again = min((began for began, _ in spans if began > closed.time), default=FOREVER)
    until = min(again, over_at(call, job, closed.time))
    there = tuple(stay for stay in stays(call, job, closed.time, until) if not _left_before(session, closed, stay))
    left = tuple(stay for stay in there if _left_with_nothing(call, session, closed, stay, again))
    if not left or _goes_on(call, job, closed, until):
        return None
    waiting = any(ready is None and start.time > closed.time for start, ready in waits(job))
    agent = call.agents.of(job)
    plays = len(call.callers.published.get(agent.sid, ())) > 1 if agent else False
    alone = left if len(left) == len(there) else tuple(stay for stay in there if stay.lasted > SOON)
    return Silence(closed, ended_by(job, closed.time), alone, again == FOREVER, waiting or plays)


def _left_before(session: Session, closed: Step, stay: Stay) -> bool:
    """Whether it is the participant with whom the session closed: they had left, and others saw that late or never."""
    if close_reason(session) != BY_ITS_PARTICIPANT or stay.since > closed.time:
        return False
    return bool(session.links) and session.links[-1].is_to(stay.who) and not back_before(session)


def back_before(session: Session) -> bool:
    """Whether a session closed with a participant who had left, though it was linked to one who had come since.

    It closes some time after they left: a reloaded page is back by then, and is linked, too.
    """
    if close_reason(session) != BY_ITS_PARTICIPANT or not session.links:
        return False
    return any(link.until < session.links[-1].since for link in session.links[:-1])


def _left_with_nothing(call: Call, session: Session, closed: Step, stay: Stay, again: int) -> bool:
    """Whether a caller had nobody to answer for longer than a session takes to start.

    Of several who are in one call the others hang up a little later than the first; who only listens waits for nothing.
    """
    if again - stay.since <= STUCK_BY:
        return False  # another one answered
    if call.timeline.room.finished is None and stay.until >= call.end and stay.lasted <= STUCK_BY:
        return False  # another one may be about to
    if _was_of_another(session, closed, stay):
        return stay.lasted > NOTICED and stay.who.sid in call.callers.published
    return stay.lasted > (SOON if stay.since == closed.time else LONG_ENOUGH)


def _was_of_another(session: Session, closed: Step, stay: Stay) -> bool:
    """Whether a session closed with its participant while another caller was there with them."""
    with_them = close_reason(session) == BY_ITS_PARTICIPANT and stay.since == closed.time
    return with_them and bool(session.links) and not session.links[-1].is_to(stay.who)


def _goes_on(call: Call, job: Job, closed: Step, until: int) -> bool:
    """Whether the agent's code went on after its session on purpose.

    It published something of its own, as music on hold; or it waited for somebody who came, as a colleague, and then
    started a session or shut down.
    """
    agent = call.agents.of(job)
    if agent and any(closed.time < step.time < until for step in call.callers.published.get(agent.sid, ())):
        return True
    return any(
        ready is not None and start.time > closed.time and abs(until - ready.time) <= STUCK_BY
        for start, ready in waits(job)
    )


def _spans(call: Call, job: Job) -> Iterator[tuple[int, int]]:
    """From when until when a job had sessions, ns; one whose start is not on record began with the job."""
    for session in sessions_of(job):
        begun = session.starting or session.started
        if begun and keys.ERROR_TYPE in begun.facts:
            continue
        since = begun.time if begun else job.steps[0].time
        yield since, session.closed.time if session.closed else _end_of(call, job, since)


def _end_of(call: Call, job: Job, since: int) -> int:
    """When the run of a job ended in which an open session began, ns."""
    over = ended_by(job, since)
    if over and over.kind is Kind.JOB_SHUTDOWN:
        later = [step.time for step in job.steps if step.kind is Kind.JOB_ENDED and step.occurrence == over.occurrence]
        return later[0] if later else FOREVER
    if over:
        return over.time
    return job.last_reported.time if call.timeline.lost(job) else FOREVER
