"""Sessions around a caller that were not told of, or were two at once."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from tracer import keys
from tracer.kinds import Kind
from tracer.timeline.sessions import sessions_of
from tracer.why.call.limits import NOTICED, SOON, STUCK_BY
from tracer.why.call.listening import listenings
from tracer.why.lack import Lack, in_seconds

if TYPE_CHECKING:
    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Session
    from tracer.why.served.stay import CallerStay

__all__ = ["answered_twice", "session_not_told"]


def answered_twice(stay: CallerStay) -> Lack | None:
    """Two agents of one name, or two sessions of one job that can speak, listened to this caller at once."""
    heard = [one for job in stay.jobs for one in listenings(stay.call, job) if one.is_to(stay.who)]
    advice = ""
    for one, other in combinations(sorted(heard, key=lambda listening: listening.job.sid), 2):
        at_once = min(one.until, other.until) - max(one.since, other.since)
        if one.job.sid != other.job.sid and _agent_name(one.job) == _agent_name(other.job):
            # One that closes its session while they stay hands over to the other.
            hands_over = any(part.until < stay.ended - SOON for part in (one, other))
            enough, both = (
                NOTICED if hands_over else SOON,
                f"two agents of one name (jobs {one.job.sid} and {other.job.sid})",
            )
        elif one.job.sid == other.job.sid and _both_speak(one.session, other.session):
            enough, both = STUCK_BY, f"two sessions of job {one.job.sid}"
            advice = "Close the first session before another starts for the same caller (await session.aclose())."
        else:
            continue
        if at_once > enough:
            return Lack(
                f"{both} listened to {stay.name} at once for {in_seconds(at_once)}", certain=False, advice=advice
            )
    return None


def session_not_told(stay: CallerStay) -> Lack | None:
    """A session that started, and whose own span did not come though its job reported its end."""
    for job in stay.jobs:
        if job.reported_end is None:
            continue
        mine = [session for session in sessions_of(job) if session in stay.sessions]
        if any(session.started and not session.closed for session in mine):
            return Lack(f"a session of job {job.sid} has no recorded end: a span of it is missing", certain=False)
    return None


def _both_speak(one: Session, other: Session) -> bool:
    """Whether these are two sessions, open at once by their own reports, and each of them has a voice."""
    if one == other or not (one.complete and other.complete):
        return False
    return len({step.key for step in (*one.voiced, *other.voiced) if step.kind is Kind.SESSION_AUDIO_PUBLISHED}) > 1


def _agent_name(job: Job) -> str:
    return job.text(keys.AGENT_NAME) or ""
