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
from dataclasses import dataclass, field
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
        self._listed = 0
        self._refused: set[str] = set()
        """Parts of the API that the server does not open to this key."""

    def wake(self) -> None:
        """Something has just happened in some room: look now."""
        self._woken.set()

    async def run(self, keep: Callable[[Arrival], Awaitable[bool]]) -> None:
        """Until cancelled. A server that is away is tried again, ever more seldom, and said once."""
        url = self.server.url.replace("ws", "http", 1) if self.server.url.startswith("ws") else self.server.url
        pause = 0.0
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            livekit = api.LiveKitAPI(url, self.server.api_key, self.server.api_secret, session=session)
            while True:
                try:
                    await self._look(livekit, keep)
                except (api.TwirpError, aiohttp.ClientError, TimeoutError, StoreError) as error:
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
            await asyncio.sleep(pause)
        elif any(room.quick_until > now for room in self._rooms.values()):
            await asyncio.sleep(QUICK)
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), IDLE)

    async def _look(self, livekit: api.LiveKitAPI, keep: Callable[[Arrival], Awaitable[bool]]) -> None:
        woken = self._woken.is_set()
        self._woken.clear()
        asked = time.time_ns()
        listed = await livekit.room.list_rooms(api.ListRoomsRequest())
        answered, now = time.time_ns(), time.monotonic()
        moments: list[Moment] = []
        present = {room.sid for room in listed.rooms}
        for room in listed.rooms:
            if room.sid not in self._rooms:
                self._rooms[room.sid] = _Watched(room.sid, room.name, now + QUICK_FOR)
                moments += [created] if (created := room_created(room, WITNESS)) else []
            elif woken:
                self._rooms[room.sid].quick_until = now + QUICK_FOR
                self._rooms[room.sid].next_look = 0.0
        for gone in [room for sid, room in self._rooms.items() if sid not in present]:
            moments += self._closed(gone, answered)
        self._listed = asked
        by_sid = {room.sid: room for room in listed.rooms}
        for watched in list(self._rooms.values()):
            if watched.quick_until > now or watched.next_look <= now:
                moments += await self._participants(livekit, watched, now)
            if DISPATCHES in self._refused or (watched.asking and not watched.asking.done()):
                continue
            if watched.next_dispatches <= now:
                changing = watched.quick_until > now or watched.jobs_expected_until > now
                watched.next_dispatches = now + (DISPATCHES_EVERY if changing else SETTLED)
                # On a room that has just gone this blocks for 3 s: nothing else may wait for it.
                watched.asking = asyncio.create_task(self._dispatches(livekit, by_sid[watched.sid], watched, keep))
        if moments:
            await keep(Arrival(tuple(moments)))

    def _closed(self, room: _Watched, answered: int) -> Iterator[Moment]:
        """A room that was listed and no longer is, and with it all who were in it."""
        del self._rooms[room.sid]
        for sid in room.states:
            yield _between(room.sid, Kind.PARTICIPANT_LEFT, sid, room.looked or self._listed, answered, ())
        yield _between(
            room.sid, Kind.ROOM_FINISHED, room.sid, self._listed, answered, facts({keys.ROOM_NAME: room.name or None})
        )

    async def _participants(self, livekit: api.LiveKitAPI, room: _Watched, now: float) -> list[Moment]:
        asked = time.time_ns()
        if PARTICIPANTS in self._refused:
            return []
        try:
            listed = await livekit.room.list_participants(api.ListParticipantsRequest(room=room.name))
        except api.TwirpError as error:
            if error.code == "not_found" or self._is_refused(PARTICIPANTS, error):
                return []
            raise
        answered = time.time_ns()
        moments = list(_changes(room, listed.participants, answered))
        if moments or any(who.state < ParticipantInfo.ACTIVE for who in listed.participants):
            room.quick_until = max(room.quick_until, now + QUICK_FOR) if moments else room.quick_until
        room.looked = asked
        room.next_look = now + SETTLED
        return moments

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


def _between(room: str, kind: Kind, subject: str, earliest: int, latest: int, told: Facts) -> Moment:
    """A change between two looks: most likely in the middle."""
    earliest = min(earliest, latest)
    return Moment(room, kind, subject, earliest, latest, (earliest + latest) // 2, "receiver", WITNESS, facts=told)


def _changes(room: _Watched, listed: Iterable[ParticipantInfo], answered: int) -> Iterator[Moment]:
    """What changed among a room's participants since the last look."""
    present: dict[str, int] = {}
    for who in listed:
        present[who.sid] = who.state
        before = room.states.get(who.sid)
        joined = joining(room.sid, who, WITNESS)
        if before is None and joined:
            yield joined
        if before == who.state:
            continue
        # Never seen before, it joined after the last look or, at the first look, after its own joined_at.
        floor = max(room.looked, joined.earliest if joined else 0)
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
