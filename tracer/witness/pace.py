"""When the observer polls a room again: soon while something is expected of it, seldom otherwise.

Each poll is a line in the server's log. So the pause between two polls grows with the time since the last change: what
was waited for is known to within a tenth of the wait, with few polls. Times are s, monotonic, but for those in ns.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from livekit.protocol.models import ParticipantInfo

from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterable

    from livekit.protocol.agent_dispatch import AgentDispatch
    from livekit.protocol.models import Room
    from livekit.protocol.webhook import WebhookEvent

__all__ = ["WatchedRoom"]

QUICK = 0.012
"""Seconds between two polls at least: JOINING lasts a few milliseconds, JOINED some tens on loopback."""
CLOSELY = 0.04
"""Seconds between polls while somebody is expected to join: less than a JOINED lasts."""
GROWTH = 12
"""While somebody joins, a pause between polls is this part of the time since the last change."""
GROWTH_EXPECTED = 16
"""As ``GROWTH``, while somebody is expected to join."""
GROWTH_REPORTED, AGENT_COMES = 6, 1.0
"""As ``GROWTH_EXPECTED``, where a webhook will report who comes: only their JOINED is missed by a poll too few. An
agent mostly comes within so many s; later, and where a caller is waited for, each wait is twice the one before."""
REPORTED = 2.0
"""Seconds until a room is polled for what a webhook should have reported by then, ACTIVE; and then twice as long."""
MOST_A_SECOND, MOST_REPORTED = 12, 3
"""Polls a second, about, of all rooms together in which somebody is expected: of ten at once each is polled a tenth as
often. The second is where webhooks report who comes."""
EXPECTED_FOR = 8.0
"""Seconds after a dispatch, or after a room was created, that an agent or a caller is expected to join."""
JOBS_LATE = 8.0
"""Seconds after a dispatch or a leave until the API shows its job as it is: the server writes jobs every 5 s."""
JOBS_LISTED = 5.5
"""Seconds after a dispatch until its job is listed, if it has one."""
JOBS_APART = 3.0
"""Seconds between polls for dispatches, at least: their times are the server's own, so that none is urgent."""
BEFORE_CLOSE, AFTER_LEAVE = 1.0, 3.0
"""Dispatches are polled once more so many seconds before a caller's leave can close the room, and after at most so
many: their jobs, which are listed late, are more likely to be there than at once."""
ANOTHER = 1.0
"""Seconds after the last dispatch without a job that one was made which is not the same, by another clock."""
UNSERVED = 5.0, 60.0
"""Seconds between polls for dispatches in a room without an agent: at first, and after minutes."""
SETTLED = 60.0
"""Seconds between polls of a room in which nothing is expected; webhooks, or the list of rooms, report changes."""
SETTLED_ALONE = 15.0
"""As ``SETTLED``, without webhooks: the list of rooms counts no agents."""


_OF_TRACKS = {"track_published", "track_unpublished"}
_LEAVES = {"participant_left", "participant_connection_aborted"}


@dataclass
class WatchedRoom:
    """A room, who is there by its last poll and the webhooks since, and when to poll it again."""

    listed: Room
    """As the list of rooms had it last."""
    polled_at: int = 0
    """When the last answered poll of its participants was sent, ns since the epoch; 0 before the first."""
    present: dict[str, ParticipantInfo] = field(default_factory=dict)
    """Who was there at that poll, or has come since by a webhook, by SID."""
    confirmed: float = -math.inf
    """When a list, or the webhook of its start, last showed that the room of this name is this one."""
    had_caller: bool = False
    """Whether anybody but an agent has been ACTIVE."""
    unlisted: bool = False
    """Whether only a webhook has reported it so far, and no list of rooms."""
    heard_at: dict[str, int] = field(default_factory=dict)
    """When webhooks reported who had come or left, ns since the epoch, by SID: a poll sent before may not show it."""
    changed: float = -math.inf
    """When a poll last found a change."""
    expected_since: float = -math.inf
    """Since when an agent or a caller is expected: until both are there."""
    jobs_since: float = -math.inf
    """Since when its jobs may not be listed as they are."""
    next_poll: float = 0.0
    next_dispatches: float = 0.0
    polled_dispatches_at: float = -math.inf

    @property
    def sid(self) -> str:
        """Its SID."""
        return self.listed.sid

    @property
    def has_agent(self) -> bool:
        """Whether an agent is there and ACTIVE."""
        return ParticipantInfo.Kind.AGENT in self._active

    @property
    def is_complete(self) -> bool:
        """Whether an agent is ACTIVE, and somebody else is or was: nobody is expected then."""
        return self.has_agent and self.had_caller

    @property
    def _active(self) -> set[int]:
        """The kinds of those who are ACTIVE."""
        return {who.kind for who in self.present.values() if who.state == ParticipantInfo.ACTIVE}

    def relisted(self, room: Room) -> bool:
        """It is still in the list of rooms; whether somebody has come, left or begun to publish since it was before.

        The list is up to 5 s late and counts no agents.
        """
        before, self.listed, self.confirmed = self.listed, room, time.monotonic()
        return (before.num_participants, before.num_publishers) != (room.num_participants, room.num_publishers)

    def hears(self, event: WebhookEvent, now: float) -> bool:
        """Whether a webhook shows all that a poll of this room's participants would, so that none is needed."""
        who = event.participant
        known = self.present.get(who.sid)
        if event.event in _OF_TRACKS:
            # Of one who is not there it is the end of what they published.
            is_end = event.event == "track_unpublished"
            return is_end or (known is not None and known.state == ParticipantInfo.ACTIVE)
        if event.event in _LEAVES and known is not None:
            del self.present[who.sid]
            self.heard_at[who.sid] = time.time_ns()
            self.came_or_left(now, [known], wait=self._until_close(known))
            return True
        if event.event == "participant_joined" and (self.polled_at or self.unlisted):
            there = ParticipantInfo.FromString(who.SerializeToString())  # an event's own class is another
            there.state = ParticipantInfo.ACTIVE
            self.present[who.sid] = there
            self.heard_at[who.sid] = time.time_ns()
            self.came_or_left(now, ())
            self.polled(now, changed=True, webhooks=True)
            return True
        return False

    def wake(self, now: float) -> None:
        """Something has just been reported of this room, or somebody is about to join."""
        self.next_poll = min(self.next_poll, now)

    def is_awaited(self, now: float) -> bool:
        """Whether somebody is joining, or expected to."""
        return now - self.expected_since < EXPECTED_FOR or any(
            who.state < ParticipantInfo.ACTIVE for who in self.present.values()
        )

    def polled(self, now: float, *, changed: bool, webhooks: bool, awaited: int = 1) -> None:
        """Its participants have been polled at ``now`` and are in ``present``.

        ``awaited`` is in how many rooms somebody is awaited at present.
        """
        if changed:
            self.changed = now
        self.had_caller = self.had_caller or bool(self._active - {ParticipantInfo.Kind.AGENT})
        if self.is_complete:
            self.expected_since = -math.inf
        shared = (awaited - 1) / (MOST_REPORTED if webhooks else MOST_A_SECOND)
        self.next_poll = now + max(shared, self._pause(now, webhooks=webhooks))

    def _pause(self, now: float, *, webhooks: bool) -> float:
        """Seconds until the next poll of its participants, were it the only room."""
        changed, expected = now - self.changed, now - self.expected_since
        states = {who.state for who in self.present.values()}
        pause = SETTLED if webhooks else SETTLED_ALONE
        if ParticipantInfo.JOINING in states or (ParticipantInfo.JOINED in states and not webhooks):
            pause = min(pause, max(QUICK, changed / GROWTH))
        elif ParticipantInfo.JOINED in states:
            pause = min(pause, max(REPORTED, changed))
        if expected < EXPECTED_FOR:
            soon = GROWTH_REPORTED if expected < AGENT_COMES and not self.has_agent else 1
            pause = min(pause, max(CLOSELY, expected / (soon if webhooks else GROWTH_EXPECTED)))
        return pause

    def _until_close(self, left: ParticipantInfo) -> float:
        """Seconds that can be waited with a poll for dispatches, now that somebody has left."""
        if left.kind == ParticipantInfo.Kind.AGENT or self.polled_dispatches_at == -math.inf:
            return 0.0
        return min(max(self.listed.departure_timeout - BEFORE_CLOSE, 0.0), AFTER_LEAVE)

    def came_or_left(self, now: float, left: Iterable[ParticipantInfo], wait: float = 0.0) -> None:
        """Somebody did: dispatches may have changed, and the job of an agent that left has ended.

        Who comes while jobs are about to be polled is no reason to poll them sooner; who leaves may end the room, in
        ``wait`` s at the soonest.
        """
        left = list(left)
        if not left and now - self.jobs_since < JOBS_LISTED:
            return
        if any(who.kind == ParticipantInfo.Kind.AGENT for who in left):
            self.jobs_since = now
        self.next_dispatches = min(self.next_dispatches, max(now + wait, self.polled_dispatches_at + JOBS_APART))

    def polled_dispatches(self, dispatches: Iterable[AgentDispatch], now: float, wall: float) -> None:
        """Its dispatches have been polled at ``now``, which is ``wall`` seconds since the epoch."""
        for dispatch in dispatches:
            created = min(now - wall + dispatch.state.created_at / NS_PER_S, now)
            if not dispatch.state.jobs and created > self.jobs_since + ANOTHER:  # else it is the one of last time
                self.jobs_since = created
                if not self.is_awaited(now):
                    self.wake(now + CLOSELY)
                self.expected_since = max(self.expected_since, created)
        waited = now - self.jobs_since
        if waited < JOBS_LATE:
            pause = max(JOBS_APART, JOBS_LISTED - waited)
        elif self.present and not self.has_agent:
            least, most = UNSERVED
            pause = min(max(least, (now - self.changed) / 4), most)
        else:
            pause = SETTLED
        self.polled_dispatches_at, self.next_dispatches = now, now + pause
