"""Whom the sessions of a room listened to, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracer.kinds import Kind
from tracer.timeline.entities import Participant
from tracer.timeline.sessions import sessions_of

if TYPE_CHECKING:
    from tracer.timeline.entities import Job
    from tracer.timeline.sessions import Link, Session
    from tracer.why.call.call import Call

__all__ = ["Listening", "listenings", "session_end"]


class Listening(NamedTuple):
    """A stretch in which a session listened to somebody, ns."""

    job: Job
    session: Session
    link: Link
    who: Participant | None
    """None for one whom no witness saw."""
    since: int
    until: int
    """When that one left, another was linked, or the session ended."""

    @property
    def next(self) -> Link | None:
        """The link that followed in the same session."""
        return next((link for link in self.session.links if link.since > self.link.since), None)

    def is_to(self, who: Participant) -> bool:
        """Whether it was this participant, or the same one with another connection."""
        if self.link.is_to(who):
            return True
        identity = self.link.identity or (self.who.identity if self.who else None)
        return identity is not None and identity == who.identity


def session_end(call: Call, job: Job, session: Session) -> int:
    """Until when a session can have listened, ns."""
    over, agent = job.at(Kind.JOB_SHUTDOWN, Kind.JOB_ENDED, Kind.PROCESS_FAILED), call.agents.of(job)
    ends = [session.until, call.end]
    if over:
        ends.append(over.time)
    if agent:
        ends.append(call.left_at(agent))
    return min(ends)


def listenings(call: Call, job: Job) -> list[Listening]:
    """Whom the sessions of a job listened to, in order."""
    found = []
    for session in sessions_of(job):
        end = session_end(call, job, session)
        for link in session.links:
            who = _whom(call, link)
            until = min(link.until, end, call.left_at(who) if who else end)
            found.append(Listening(job, session, link, who, link.since, max(until, link.since)))
    return found


def _whom(call: Call, link: Link) -> Participant | None:
    """The participant of a link; of several with its identity, the one who was there."""
    if link.participant_id:
        known = call.timeline.by_sid.get(link.participant_id)
        return known if isinstance(known, Participant) else None
    same = [who for who in call.timeline.participants if link.is_to(who)]
    there = (who for who in same if call.left_at(who) > link.since)
    return next(there, same[-1] if same else None)
