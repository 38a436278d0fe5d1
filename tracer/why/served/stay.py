"""A caller's stay, and who was there with them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from tracer.kinds import Kind
from tracer.timeline.sessions import sessions_of
from tracer.why.call.limits import HUNG_UP_WITHIN, LONG_ENOUGH
from tracer.why.call.participants import BY_API, DROPPED, connected_until, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.timeline.entities import Job, Participant
    from tracer.timeline.sessions import Session
    from tracer.why.call import Call

__all__ = ["CallerStay", "Served", "longest_gap"]

AUDIO = {Kind.SESSION_WAITING_FOR_AUDIO, Kind.SESSION_AUDIO_RECEIVED, Kind.SESSION_AUDIO_PUBLISHED, Kind.AGENT_SPEAKING}
"""What the session of an agent that only reads and writes never reports."""


class Served(NamedTuple):
    """An agent's stay that overlaps with a caller's, ns."""

    agent: Participant
    since: int
    until: int


class CallerStay:
    """A caller's stay in the room, from when it was ACTIVE."""

    def __init__(self, call: Call, who: Participant, began: int, ended: int) -> None:
        self.call = call
        self.who = who
        self.began = began
        self.ended = ended
        self.name = name_of(who)

    @property
    def goes_on(self) -> bool:
        """Whether the caller is still there, as far as is known."""
        return self.call.timeline.room.finished is None and self.ended >= self.call.end

    @cached_property
    def served(self) -> list[Served]:
        """When agents were there with the caller, in the order of time."""
        found = []
        for agent in self.call.agents.all:
            active = agent.at(Kind.PARTICIPANT_ACTIVE)
            since, until = (active or agent.steps[0]).time, connected_until(self.call.timeline, agent)
            if since < self.ended and until > self.began:
                found.append(Served(agent, max(since, self.began), min(until, self.ended)))
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
    def came_back(self) -> bool:
        """Whether somebody of the same identity was there after this stay, in this room or the next one of its name."""
        later = self.call.timeline.later
        here = [who for who in self.call.callers.all if who.sid != self.who.sid and self.call.left_at(who) > self.ended]
        return any(who.identity == self.who.identity for who in (*here, *(later.callers if later else ())))

    def has_company_between(self, since: int, until: int) -> bool:
        """Whether another caller was there between two times, ns, for long enough to talk with this one."""
        others = ((began, ended) for began, ended, who in self.call.callers.active if who.identity != self.who.identity)
        return any(min(ended, until) - max(began, since) > LONG_ENOUGH for began, ended in others)

    @property
    def alone_at_last(self) -> int:
        """For how long, ns, the caller was there after the last agent; 0 where that was not alone, or not by choice."""
        left = max((one.until for one in self.served), default=self.ended)
        lasted = self.ended - left
        hung_up = self.who.disconnect_reason in BY_API and lasted <= HUNG_UP_WITHIN
        lost = self.who.disconnect_reason in DROPPED  # the server notices that late
        return 0 if self.has_company_between(left, self.ended) or hung_up or lost else lasted

    @property
    def together(self) -> int:
        """For how long, ns, an agent was there with the caller."""
        lasted, reached = 0, 0
        for one in self.served:
            lasted += max(one.until - max(one.since, reached), 0)
            reached = max(reached, one.until)
        return lasted

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
        if not self.sessions or self.has_track or self.who.sid in self.call.callers.published:
            return False
        writes = all(one.listens_by == one.speaks_by == "nothing" for one in self.sessions)
        if writes and Kind.SESSION_AGENT_CHANGED not in kinds:
            return not kinds & AUDIO - {Kind.AGENT_SPEAKING}
        return all(session.complete for session in self.sessions) and not kinds & AUDIO

    @cached_property
    def has_track(self) -> bool:
        """Whether an agent that was there published a track that can be its voice."""
        return any(self.call.voices(one.agent.sid) for one in self.served)

    def longest_gap(self) -> tuple[int, int]:
        """From when until when no agent was there, the longest time, ns."""
        return longest_gap(((one.since, one.until) for one in self.served), self.began, self.ended)


def longest_gap(intervals: Iterable[tuple[int, int]], began: int, ended: int) -> tuple[int, int]:
    """The longest time between ``began`` and ``ended`` that no interval covers; by start in order."""
    gaps, at = [], began
    for since, until in intervals:
        gaps.append((at, min(since, ended)))
        at = max(at, until)
    gaps.append((at, ended))
    return max(gaps, key=lambda gap: gap[1] - gap[0])
