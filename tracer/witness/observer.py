"""What LiveKit's API shows to one who keeps asking.

The only witness of JOINED, of dispatches, and of what no webhook told. A change seen by asking lies between the
question before and this answer; where the server gives its own time (jobs, dispatches, joins) that is taken instead.
Sources: livekit-server v1.13.5, pkg/service/roomservice.go and agent_dispatch_service.go.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
from livekit import api
from livekit.protocol.agent import JobStatus, JobType
from livekit.protocol.models import ParticipantInfo

from tracer import keys
from tracer.errors import StoreError
from tracer.moment import Kind, Moment, facts
from tracer.store import Arrival
from tracer.units import NS_PER_S
from tracer.witness.fields import LATEST_TIME, enum_name, joining, participant_facts, room_created, room_facts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from livekit.protocol.agent import Job
    from livekit.protocol.agent_dispatch import AgentDispatch
    from livekit.protocol.models import Room

    from tracer.moment import Facts
    from tracer.settings import LiveKit

__all__ = ["Observer", "dispatch_moments"]

log = logging.getLogger("tracer")

WITNESS = "observer"

PARTICIPANTS, DISPATCHES = "participants", "dispatches"
REFUSALS = {"permission_denied", "unauthenticated", "unimplemented", "bad_route"}
"""Twirp's words for a part of the API that is not for us, or not there."""

QUICK = 0.012
"""Seconds between questions while something is changing: a JOINED lasts 20 ms and more."""
AT_ONCE = 8
"""Questions about different rooms under way at a time."""
MOST_UNKEPT = 10_000
"""Moments that are remembered while the store cannot keep them; then the oldest go."""
QUICK_FOR = 3.0
"""Seconds after the last change that a room is asked about quickly."""
SETTLED = 5.0
"""Seconds between questions about a room in which nothing changes."""
IDLE = 0.25
"""Seconds between looks for new rooms."""
DISPATCHES_EVERY = 1.0
"""Seconds between questions for a room's dispatches while it is changing: their times are the server's own."""
JOBS_LATE = 8.0
"""Seconds after a dispatch that its jobs may still not be listed; the server writes them every 5 s."""
LONGEST_PAUSE = 30.0
"""Seconds between tries while the server is away."""


@dataclass
class _Watched:
    """A room, and what was seen of it at the last look. Times in s, monotonic, but for those in ns."""

    sid: str
    name: str
    quick_until: float
    looked: int = 0
    """When the last question about its participants was asked, ns since the epoch; 0 before the first."""
    next_look: float = 0.0
    next_dispatches: float = 0.0
    jobs_expected_until: float = 0.0
    states: dict[str, int] = field(default_factory=dict)
    asking: asyncio.Task[None] | None = None


class Observer:
    """Asks the server what there is, often while something changes, seldom while nothing does."""

    def __init__(self, server: LiveKit) -> None:
        self.server = server
        self._rooms: dict[str, _Watched] = {}
        self._woken = asyncio.Event()
        self._woken_rooms: set[str] = set()
        self._listed = 0
        """When the last question for rooms was asked that was answered, ns since the epoch; 0 before the first."""
        self._unkept: list[Moment] = []
        """What was seen and is not on disk yet: a look that fails half-way has still seen it."""
        self._refused: set[str] = set()
        """Parts of the API that the server does not open to this key."""

    def wake(self, room: str) -> None:
        """Something has just happened in the room with this SID: look now."""
        self._woken_rooms.add(room)
        self._woken.set()

    async def run(self, keep: Callable[[Arrival], Awaitable[bool]]) -> None:
        """Until cancelled. A server that is away is tried again, ever more seldom, and said once."""
        pause = 0.0
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            livekit = api.LiveKitAPI(self.server.url, self.server.api_key, self.server.api_secret, session=session)
            while True:
                try:
                    try:
                        await self._look(livekit, keep)
                    finally:
                        await self._hand_over(keep)
                except Exception as error:  # noqa: BLE001  what a proxy answers can be anything
                    if not pause:
                        log.warning("cannot observe %s: %s", self.server.url, _in_short(error))
                    pause = min(max(1.0, pause * 2), LONGEST_PAUSE)
                else:
                    if pause:
                        log.info("observing %s again", self.server.url)
                    pause = 0.0
                await self._rest(pause)

    async def _rest(self, pause: float) -> None:
        now = time.monotonic()
        if pause:
            # A webhook shows that the server is back, however long we meant to leave it alone.
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), pause)
            self._woken.clear()
        elif any(room.quick_until > now for room in self._rooms.values()):
            await asyncio.sleep(QUICK)
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), IDLE)

    async def _look(self, livekit: api.LiveKitAPI, keep: Callable[[Arrival], Awaitable[bool]]) -> None:
        woken, self._woken_rooms = self._woken_rooms, set()
        self._woken.clear()
        asked = time.time_ns()
        listed = await livekit.room.list_rooms(api.ListRoomsRequest())
        answered, now = time.time_ns(), time.monotonic()
        present = {room.sid: room for room in listed.rooms}
        for room in listed.rooms:
            if room.sid not in self._rooms:
                self._rooms[room.sid] = _Watched(room.sid, room.name, now + QUICK_FOR)
                self._unkept += self._found(room, answered)
            elif room.sid in woken:
                self._rooms[room.sid].quick_until = now + QUICK_FOR
        for gone in [room for sid, room in self._rooms.items() if sid not in present]:
            self._unkept += self._closed(gone, answered)
        self._listed = asked
        due = [room for room in self._rooms.values() if room.quick_until > now or room.next_look <= now]
        at_once = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self._participants(livekit, room, now, at_once) for room in due))
        for watched in self._rooms.values():
            if DISPATCHES in self._refused or (watched.asking and not watched.asking.done()):
                continue
            if watched.next_dispatches <= now:
                changing = watched.quick_until > now or watched.jobs_expected_until > now
                watched.next_dispatches = now + (DISPATCHES_EVERY if changing else SETTLED)
                # On a room that has just gone this blocks for 3 s: nothing else may wait for it.
                watched.asking = asyncio.create_task(self._dispatches(livekit, present[watched.sid], watched, keep))

    async def _hand_over(self, keep: Callable[[Arrival], Awaitable[bool]]) -> None:
        """Have what was seen kept. What cannot be is handed over again after the next look."""
        if self._unkept:
            moments, self._unkept = self._unkept, []
            try:
                await keep(Arrival(tuple(moments)))
            except BaseException:
                self._unkept = (moments + self._unkept)[-MOST_UNKEPT:]
                raise

    def _found(self, room: Room, answered: int) -> Iterator[Moment]:
        """A room that is listed for the first time."""
        created = room_created(room, WITNESS)
        if created is None:
            return
        # Of one that was made while we looked, we have seen who came; of an older one, not who has left again.
        watched = 0 < self._listed <= created.latest
        told = {**dict(created.facts), keys.ROOM_WATCHED: watched, **_seen(self._listed, answered)}
        yield replace(created, facts=facts(told))

    def _closed(self, room: _Watched, answered: int) -> Iterator[Moment]:
        """A room that was listed and no longer is, and with it all who were in it."""
        del self._rooms[room.sid]
        for sid in room.states:
            yield _between(room.sid, Kind.PARTICIPANT_LEFT, sid, room.looked or self._listed, answered, ())
        yield _between(
            room.sid, Kind.ROOM_FINISHED, room.sid, self._listed, answered, facts({keys.ROOM_NAME: room.name or None})
        )

    async def _participants(
        self, livekit: api.LiveKitAPI, room: _Watched, now: float, at_once: asyncio.Semaphore
    ) -> None:
        if PARTICIPANTS in self._refused:
            return
        async with at_once:
            asked = time.time_ns()
            try:
                listed = await livekit.room.list_participants(api.ListParticipantsRequest(room=room.name))
            except api.TwirpError as error:
                if error.code == "not_found" or self._is_refused(PARTICIPANTS, error):
                    return
                raise
            answered = time.time_ns()
        moments = list(_changes(room, listed.participants, answered))
        self._unkept += moments
        if moments:
            room.quick_until = max(room.quick_until, now + QUICK_FOR)
        room.looked = asked
        room.next_look = now + SETTLED

    async def _dispatches(
        self, livekit: api.LiveKitAPI, listed: Room, room: _Watched, keep: Callable[[Arrival], Awaitable[bool]]
    ) -> None:
        try:
            dispatches = await livekit.agent_dispatch.list_dispatch(listed.name)
            moments = [moment for dispatch in dispatches for moment in dispatch_moments(listed, dispatch)]
            if any(not dispatch.state.jobs for dispatch in dispatches):
                created = max(dispatch.state.created_at for dispatch in dispatches) / 1e9
                room.jobs_expected_until = time.monotonic() + created + JOBS_LATE - time.time()
            if moments:
                await keep(Arrival(tuple(moments)))
        except api.TwirpError as error:
            if not self._is_refused(DISPATCHES, error):
                log.debug("no dispatches of %s: %s", listed.sid, _in_short(error))
        except (aiohttp.ClientError, TimeoutError, StoreError) as error:
            log.debug("no dispatches of %s: %s", listed.sid, _in_short(error))

    def _is_refused(self, part: str, error: api.TwirpError) -> bool:
        """Whether the server does not open this part of its API to us; said once, and not asked for again."""
        if error.code not in REFUSALS:
            return False
        if part not in self._refused:
            self._refused.add(part)
            log.warning("%s does not show its %s (%s): timelines go without", self.server.url, part, error.code)
        return True


def _in_short(error: Exception) -> str:
    if isinstance(error, api.TwirpError):
        if error.status == HTTPStatus.UNAUTHORIZED:
            return "it does not know the key, or the secret is another (401)"
        return f"{error.code} ({error.message or error.status})"
    return str(error) or type(error).__name__


def _seen(looked: int, answered: int) -> dict[str, str | None]:
    """Between which looks it appeared: beside the server's own time, this shows how far the two clocks are apart."""
    return {keys.SEEN_AFTER: str(looked) if looked else None, keys.SEEN_BY: str(answered)}


def _between(room: str, kind: Kind, subject: str, earliest: int, latest: int, told: Facts) -> Moment:
    """A change between two looks: most likely in the middle."""
    earliest = min(earliest or latest - NS_PER_S, latest)
    return Moment(room, kind, subject, earliest, latest, (earliest + latest) // 2, "receiver", WITNESS, facts=told)


def _changes(room: _Watched, listed: Iterable[ParticipantInfo], answered: int) -> Iterator[Moment]:
    """What changed among a room's participants since the last look."""
    present: dict[str, int] = {}
    for who in listed:
        present[who.sid] = who.state
        before = room.states.get(who.sid)
        joined = joining(room.sid, who, WITNESS)
        if before is None and joined:
            yield replace(joined, facts=facts({**dict(joined.facts), **_seen(room.looked, answered)}))
        if before == who.state:
            continue
        # Never seen before, it joined after the last look or, at the first look, after its own joined_at; which is by
        # the server's clock, and says nothing where that is ahead of ours.
        floor = room.looked
        if joined and joined.earliest <= answered:
            floor = max(floor, joined.earliest)
        told = facts(participant_facts(who))
        if who.state == ParticipantInfo.JOINED:
            yield _between(room.sid, Kind.PARTICIPANT_JOINED, who.sid, floor, answered, told)
        elif who.state == ParticipantInfo.ACTIVE:
            yield _between(room.sid, Kind.PARTICIPANT_ACTIVE, who.sid, floor, answered, told)
    for sid in room.states.keys() - present.keys():
        yield _between(room.sid, Kind.PARTICIPANT_LEFT, sid, room.looked, answered, ())
    room.states = present


def dispatch_moments(room: Room, dispatch: AgentDispatch) -> Iterator[Moment]:
    """A dispatch and its jobs, with the server's own times, ns."""
    told = facts(
        {
            **room_facts(room),
            keys.AGENT_NAME: dispatch.agent_name,
            keys.DISPATCH_METADATA: dispatch.metadata or None,
        }
    )
    at = dispatch.state.created_at
    if 0 < at <= LATEST_TIME:
        yield Moment(room.sid, Kind.DISPATCH_CREATED, dispatch.id, at, at, at, "server", WITNESS, facts=told)
    for job in dispatch.state.jobs:
        yield from _job_moments(room, dispatch, job)


def _job_moments(room: Room, dispatch: AgentDispatch, job: Job) -> Iterator[Moment]:
    state = job.state
    told = facts(
        {
            keys.JOB_ID: job.id,
            keys.DISPATCH_ID: dispatch.id,
            keys.AGENT_NAME: dispatch.agent_name,
            keys.JOB_TYPE: enum_name(JobType, job.type),
            keys.JOB_STATUS: enum_name(JobStatus, state.status),
            keys.WORKER_ID: state.worker_id or None,
            keys.PARTICIPANT_IDENTITY: state.participant_identity or None,
            keys.JOB_PARTICIPANT_ID: job.participant.sid or None,
        }
    )
    offered, ended = state.started_at, state.ended_at
    if 0 < offered <= LATEST_TIME:
        yield Moment(room.sid, Kind.JOB_OFFERED, job.id, offered, offered, offered, "server", WITNESS, facts=told)
    if 0 < offered <= ended <= LATEST_TIME:
        # Written when the server was told of it, which is a little after.
        yield Moment(room.sid, Kind.JOB_ENDED, job.id, offered, ended, ended, "server", WITNESS, facts=told)
