"""What LiveKit's API shows to one who polls it.

The only witness of JOINED, of dispatches, and of what no webhook reported. A change seen by polling lies between the
poll before and this answer; where the server gives its own time (jobs, dispatches, joins) that is taken instead.
Sources: livekit-server v1.13.5, pkg/service/roomservice.go and agent_dispatch_service.go.
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp
from livekit import api
from livekit.protocol.models import ParticipantInfo, Room

from tracer import keys
from tracer.answers.of_aiohttp import bounded_api, bounded_session
from tracer.errors import StoreError
from tracer.moment import Kind, Moment, facts
from tracer.server_fault import find_fault
from tracer.settings import address
from tracer.store import Arrival
from tracer.units import NS_PER_MS, NS_PER_S
from tracer.witness.changes import changes
from tracer.witness.fields import joining, participant_facts, permission_facts, room_created
from tracer.witness.jobs import dispatch_moments, unknown
from tracer.witness.pace import WatchedRoom
from tracer.witness.webhook import room_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from livekit.protocol.agent_dispatch import AgentDispatch
    from livekit.protocol.webhook import WebhookEvent

    from tracer.moment import Fact
    from tracer.settings import LiveKit

__all__ = ["Observer"]

log = logging.getLogger("tracer")

WITNESS = "observer"

PARTICIPANTS, DISPATCHES = "participants", "dispatches"
REFUSALS = {"permission_denied", "unauthenticated", "unimplemented", "bad_route"}
"""Twirp's codes for a part of the API that this key may not use, or that does not exist."""
AWAY = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}
"""What a proxy answers while the server behind it is away."""

MOST_POLLS = 8
"""Polls of different rooms under way at a time."""
MOST_UNKEPT = 10_000
"""Moments that are remembered while the store cannot keep them; then the oldest go."""
IDLE = 5.0
"""Seconds between polls for rooms, where webhooks report new ones."""
IDLE_EMPTY = 10.0
"""As ``IDLE``, while there is no room."""
IDLE_ALONE = 0.5
"""As ``IDLE``, without webhooks."""
CLOSING = 0.25
"""Seconds until the next poll for rooms when one may be closing: its webhook can be quicker than its removal."""
CONFIRMED = 1.0
"""Seconds for which the room of a name is taken to be the one that it was: to end and to start anew takes longer."""
LIMIT = 10.0
"""Seconds that the server may take to answer."""
LONGEST_PAUSE = 30.0
"""Seconds between tries while the server is away."""


@dataclass(frozen=True, slots=True)
class _Poll:
    """The answer to a poll of a room's participants."""

    room: WatchedRoom
    sent: int
    """When it was sent, ns since the epoch."""
    answered: int
    """When the answer came, ns since the epoch."""
    present: dict[str, ParticipantInfo]

    @property
    def came_or_left(self) -> set[str]:
        """The SIDs of those who are there now or were there before, and not both."""
        return self.present.keys() ^ self.room.present.keys()


class Observer:
    """Polls the server's API: often while something is expected, seldom otherwise."""

    def __init__(self, server: LiveKit, wanted: Callable[[str], bool] = lambda _: True) -> None:
        self.server = server
        self._wanted = wanted
        """Whether a room of this name is observed."""
        self._rooms: dict[str, WatchedRoom] = {}
        self._asking: dict[str, asyncio.Task[None]] = {}
        """Polls for dispatches that are under way, by the room's SID."""
        self._woken = asyncio.Event()
        self._woken_rooms: set[str] = set()
        self._webhooks = False
        """Whether webhooks report rooms: the latest one was not found by polling alone."""
        self._next_list = 0.0
        """When to poll for rooms next, s, monotonic."""
        self._listed = 0
        """When the last answered poll for rooms was sent, ns since the epoch; 0 before the first."""
        self._away = 0
        """When the server last could not be reached, ns since the epoch; 0 for never."""
        self._unkept: list[Moment] = []
        """What was seen and is not on disk yet: a round of polls that fails half-way has still seen it."""
        self._refused: set[str] = set()
        """Parts of the API that the server does not open to this key."""

    def heard(self, event: WebhookEvent) -> None:
        """A webhook has just come: what it shows of a room's participants need not be polled, anything else is now."""
        self._webhooks = True
        sid = room_of(event).sid
        room = self._rooms.get(sid)
        if room is None and event.event == "room_started" and self._listed:
            self._watch(room_of(event))  # no list of rooms is needed to look who is there
        elif event.event == "room_finished" and room:
            room.confirmed = -math.inf
            return  # it reports the end: the next list of rooms is soon enough
        elif room is None or not room.hears(event, time.monotonic()):
            self._woken_rooms.add(sid)
        self._woken.set()

    def _watch(self, started: Room) -> None:
        """Observe a room of which a webhook has just reported the start."""
        if self._wanted(started.name):
            listed = Room.FromString(started.SerializeToString())  # an event's own class is another
            now = time.monotonic()
            self._rooms[listed.sid] = WatchedRoom(listed, expected_since=now, confirmed=now, unlisted=True)

    async def run(self, keep: Callable[[Arrival], Awaitable[bool]]) -> None:
        """Until cancelled. A server that is away is tried again, ever more seldom, and reported once."""
        pause = 0.0
        shown = address(self.server.url)
        async with bounded_session(LIMIT) as session:
            livekit = bounded_api(session, self.server.url, self.server.api_key, self.server.api_secret)
            while True:
                try:
                    try:
                        await self._poll(livekit, keep)
                    finally:
                        await self._hand_over(keep)
                except Exception as error:  # noqa: BLE001  what a proxy answers can be anything
                    if _is_away(error):
                        self._away = time.time_ns()
                    if not pause:
                        why = await find_fault(self.server, session, limit=LIMIT) or _in_short(error)
                        log.warning("cannot observe %s: %s; retrying", shown, why)
                    pause = min(max(1.0, pause * 2), LONGEST_PAUSE)
                    self._next_list = 0.0
                else:
                    if pause:
                        log.info("observing %s again", shown)
                    pause = 0.0
                # A webhook shows that there is something to see, and that the server is back.
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), pause or self._until_due())

    def _until_due(self) -> float:
        """Seconds until the next poll."""
        due = [self._next_list]
        for room in self._rooms.values():
            if PARTICIPANTS not in self._refused:
                due.append(room.next_poll)
            if DISPATCHES not in self._refused and room.sid not in self._asking:
                due.append(room.next_dispatches)
        return max(0.001, min(due) - time.monotonic())

    async def _poll(self, livekit: api.LiveKitAPI, keep: Callable[[Arrival], Awaitable[bool]]) -> None:
        """One round: whatever is due."""
        woken, self._woken_rooms = self._woken_rooms, set()
        self._woken.clear()
        now = time.monotonic()
        for sid in woken:
            if (room := self._rooms.get(sid)) and room.present:
                room.wake(now)
            else:  # a new room, or one that may be over
                self._next_list = now
        listed = self._next_list <= now
        if listed:
            await self._list(livekit, woken)
        await self._poll_participants(livekit, verify=not listed)
        now = time.monotonic()
        if DISPATCHES not in self._refused:
            for room in self._rooms.values():
                if room.next_dispatches <= now and room.sid not in self._asking:
                    # On a room that has just closed this blocks for 3 s: nothing else may wait for it.
                    self._asking[room.sid] = asyncio.create_task(self._dispatches(livekit, room, keep))

    async def _hand_over(self, keep: Callable[[Arrival], Awaitable[bool]]) -> None:
        """Have what was seen kept. What cannot be is handed over again after the next round."""
        if self._unkept:
            moments, self._unkept = self._unkept, []
            try:
                await keep(Arrival(tuple(moments)))
            except BaseException:
                self._unkept = (moments + self._unkept)[-MOST_UNKEPT:]
                raise

    async def _list(self, livekit: api.LiveKitAPI, woken: set[str]) -> None:
        """Poll for rooms: which are new, and which are no longer there."""
        sent, before = time.time_ns(), set(self._rooms)
        listed = await livekit.room.list_rooms(api.ListRoomsRequest())
        answered, now = time.time_ns(), time.monotonic()
        rooms = [room for room in listed.rooms if self._wanted(room.name)]
        for gone in before - {room.sid for room in rooms}:
            self._unkept += self._closed(self._rooms.pop(gone), answered)
        closing = False
        for room in rooms:
            known = self._rooms.get(room.sid)
            if known is None:
                self._webhooks = self._webhooks and room.sid in woken | self._woken_rooms
                self._unkept += self._found(room, answered)
                expected = now if self._listed else now - time.time() + room.creation_time
                self._rooms[room.sid] = WatchedRoom(room, expected_since=min(expected, now), confirmed=now)
                continue
            if known.unlisted:
                self._unkept += self._found(room, answered)
                known.unlisted = False
            if known.relisted(room):
                known.wake(now)
            closing = closing or (room.sid in woken and not known.present)
        self._listed = sent
        idle = IDLE_ALONE if not self._webhooks else IDLE if self._rooms else IDLE_EMPTY
        self._next_list = now + (CLOSING if closing else idle)

    def _found(self, room: Room, answered: int) -> Iterator[Moment]:
        """A room that is listed for the first time."""
        created = room_created(room, WITNESS)
        if created is None:
            return
        # Of one that was made while we polled, we have seen who came; of an older one, not who has left again.
        watched = self._away < self._listed <= created.latest
        known = {**dict(created.facts), keys.ROOM_WATCHED: watched, **_seen(self._listed, answered)}
        yield replace(created, facts=facts(known))

    def _closed(self, room: WatchedRoom, answered: int) -> Iterator[Moment]:
        """A room that was listed and no longer is, and with it all who were in it."""
        if room.unlisted and not room.polled_at:
            return  # it came and went between two polls: only webhooks know of it
        # Only with somebody in it does a poll of its participants show that it was there.
        seen = max(self._listed, room.polled_at) if room.present else self._listed
        for who in room.present.values():
            yield self._left(room, who, room.polled_at or self._listed, answered)
        name = {keys.ROOM_NAME: room.listed.name or None}
        yield self._change(room, Kind.ROOM_FINISHED, room.sid, seen, answered, name)

    async def _poll_participants(self, livekit: api.LiveKitAPI, *, verify: bool) -> None:
        """Poll the rooms that are due; ``verify`` that these are still there before a change is believed."""
        if PARTICIPANTS in self._refused:
            return
        now, at_once = time.monotonic(), asyncio.Semaphore(MOST_POLLS)
        due = [room for room in self._rooms.values() if room.next_poll <= now]
        answers = await asyncio.gather(
            *(self._participants(livekit, room, at_once) for room in due), return_exceptions=True
        )
        polls = [answer for answer in answers if isinstance(answer, _Poll)]
        if verify and any(self._may_be_another(poll, now) for poll in polls):
            # Participants are listed by the room's name: they can be those of another room that has it by now.
            await self._list(livekit, set())
        for poll in polls:
            if poll.room.sid in self._rooms:
                self._take(poll)
        for failed in answers:
            if isinstance(failed, BaseException):
                raise failed

    @staticmethod
    def _may_be_another(poll: _Poll, now: float) -> bool:
        """Whether an answer can be about a newer room of that name: in it nobody of before is left."""
        left = poll.room.present.keys() - poll.present.keys()
        return bool(left) or (bool(poll.came_or_left) and now - poll.room.confirmed > CONFIRMED)

    async def _participants(
        self, livekit: api.LiveKitAPI, room: WatchedRoom, at_once: asyncio.Semaphore
    ) -> _Poll | None:
        """Who is in a room; None where the server does not answer that."""
        async with at_once:
            sent, now = time.time_ns(), time.monotonic()
            room.next_poll = now + IDLE  # unless the answer sets it
            try:
                listed = await livekit.room.list_participants(api.ListParticipantsRequest(room=room.listed.name))
            except api.TwirpError as error:
                if error.code == "not_found" or self._is_refused(PARTICIPANTS, error):
                    return None
                raise
            return _Poll(room, sent, time.time_ns(), {who.sid: who for who in listed.participants})

    def _take(self, poll: _Poll) -> None:
        """Keep what a poll found changed, and settle when the room is polled next."""
        room, before = poll.room, poll.room.present
        room.heard_at = {sid: at for sid, at in room.heard_at.items() if at >= poll.sent}
        shown = {sid: _later(before.get(sid), who) for sid, who in poll.present.items() if sid not in room.heard_at}
        since = {sid: who for sid, who in before.items() if sid in room.heard_at}
        poll = replace(poll, present={**shown, **since})
        moments = list(self._changes(poll))
        self._unkept += moments
        now = time.monotonic()
        if came_or_left := poll.came_or_left:
            room.came_or_left(now, (before[sid] for sid in came_or_left & before.keys()))
            if not poll.present:
                self._next_list = min(self._next_list, now + CLOSING)
        room.polled_at, room.present = poll.sent, poll.present
        awaited = sum(other.is_awaited(now) for other in self._rooms.values())
        room.polled(now, changed=bool(moments), webhooks=self._webhooks, awaited=awaited)

    def _changes(self, poll: _Poll) -> Iterator[Moment]:
        """What changed among a room's participants since the last poll."""
        room, answered = poll.room, poll.answered
        for sid, who in poll.present.items():
            before = room.present.get(sid)
            joined = joining(room.sid, who, WITNESS)
            if before is None and joined:
                yield replace(joined, facts=facts({**dict(joined.facts), **_seen(room.polled_at, answered)}))
            for change in changes(before, who) if before else ():
                seen = self._change(room, change.kind, change.subject, room.polled_at, answered, change.facts)
                yield replace(seen, occurrence=str(answered))
            if before is not None and before.state == who.state:
                continue
            # Never seen before, it joined after the last poll or, at the first poll, after its own joined_at; which is
            # by the server's clock, and means nothing where that is ahead of ours.
            floor = room.polled_at
            if joined and joined.earliest <= answered:
                floor = max(floor, joined.earliest)
            if who.state == ParticipantInfo.JOINED:
                yield self._change(room, Kind.PARTICIPANT_JOINED, sid, floor, answered, participant_facts(who))
            elif who.state == ParticipantInfo.ACTIVE:
                yield self._change(room, Kind.PARTICIPANT_ACTIVE, sid, floor, answered, participant_facts(who))
        for sid in room.present.keys() - poll.present.keys():
            yield self._left(room, room.present[sid], room.polled_at, answered)

    def _left(self, room: WatchedRoom, who: ParticipantInfo, earliest: int, latest: int) -> Moment:
        """A leave between two polls, with what whoever left was allowed to do at last, as in a webhook."""
        allowed = permission_facts(who.permission) if who.HasField("permission") else {}
        return self._change(room, Kind.PARTICIPANT_LEFT, who.sid, earliest, latest, allowed)

    def _change(
        self,
        room: WatchedRoom,
        kind: Kind,
        subject: str,
        earliest: int,
        latest: int,
        known: Mapping[str, Fact | None] | None = None,
    ) -> Moment:
        """A change between two polls: most likely in the middle."""
        earliest = min(earliest or latest - NS_PER_S, latest)
        attributes: dict[str, Fact | None] = dict(known or {})
        if earliest <= self._away <= latest and kind in (Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED):
            attributes[keys.ROOM_SERVER_AWAY] = True
        middle = (earliest + latest) // 2
        return Moment(room.sid, kind, subject, earliest, latest, middle, "receiver", WITNESS, facts=facts(attributes))

    async def _dispatches(
        self, livekit: api.LiveKitAPI, room: WatchedRoom, keep: Callable[[Arrival], Awaitable[bool]]
    ) -> None:
        """Poll for a room's dispatches and their jobs, and have them kept."""
        dispatches: list[AgentDispatch] = []
        try:
            listed = await livekit.agent_dispatch.list_dispatch(room.listed.name)
            dispatches = [dispatch for dispatch in listed if self._is_of(room, dispatch)]
            if moments := [moment for dispatch in dispatches for moment in dispatch_moments(room.listed, dispatch)]:
                await keep(Arrival(tuple(moments), unknown=unknown(dispatches)))
        except api.TwirpError as error:
            if not self._is_refused(DISPATCHES, error):
                log.debug("no dispatches of %s: %s", room.sid, _in_short(error))
        except (aiohttp.ClientError, TimeoutError, StoreError) as error:
            log.debug("no dispatches of %s: %s", room.sid, _in_short(error))
        finally:
            room.polled_dispatches(dispatches, time.monotonic(), time.time())
            del self._asking[room.sid]

    def _is_of(self, room: WatchedRoom, dispatch: AgentDispatch) -> bool:
        """Whether a dispatch is of this room: they are listed by name, which a new room can have by now."""
        known = {job.room.sid for job in dispatch.state.jobs if job.room.sid}
        if known:
            return room.sid in known
        made = dispatch.state.created_at // NS_PER_MS
        same = (other.listed for other in self._rooms.values() if other.listed.name == room.listed.name)
        return not any(room.listed.creation_time_ms < other.creation_time_ms <= made for other in same)

    def _is_refused(self, part: str, error: api.TwirpError) -> bool:
        """Whether the server does not open this part of its API to this key; logged once, and not polled again."""
        if error.code not in REFUSALS:
            return False
        if part not in self._refused:
            self._refused.add(part)
            shown = address(self.server.url)
            log.warning("this API key may not list %s of %s (%s); timelines will omit them", part, shown, error.code)
        return True


def _later(known: ParticipantInfo | None, listed: ParticipantInfo) -> ParticipantInfo:
    """Whichever of the two is the later: a state only goes forward, and the list can be behind a webhook."""
    return known if known is not None and known.state > listed.state else listed


def _is_away(error: Exception) -> bool:
    """Whether the server could not be reached, as opposed to an answer that we do not like."""
    if isinstance(error, api.TwirpError):
        return error.status in AWAY
    return isinstance(error, aiohttp.ClientError | OSError | TimeoutError)


def _in_short(error: Exception) -> str:
    """An error in one line, without the user and password that an URL in it may hold."""
    if isinstance(error, api.TwirpError):
        return f"{error.code} ({error.message or error.status})"
    return re.sub(r"//[^/\s]*@", "//", str(error)) or type(error).__name__


def _seen(polled_at: int, answered: int) -> dict[str, str | None]:
    """Between which polls it appeared: beside the server's own time, this shows how far the two clocks are apart."""
    return {keys.SEEN_AFTER: str(polled_at) if polled_at else None, keys.SEEN_BY: str(answered)}
