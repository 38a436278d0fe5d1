"""A room of the doctor's own: created to see which webhooks and agents come, and deleted again."""

from __future__ import annotations

import asyncio
import secrets
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from livekit import api

from tracer.doctor.rejection import is_rejected
from tracer.moment import Kind, Moment
from tracer.reaching import UNREACHED
from tracer.store import SCRATCH
from tracer.timeline.fold import fold
from tracer.witness.fields import joining, room_created
from tracer.witness.jobs import dispatch_moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from livekit.protocol.models import Room

    from tracer.store import Reader
    from tracer.timeline.timeline import Timeline

__all__ = ["ScratchRoom"]

EMPTY_TIMEOUT = 30
"""Seconds after which the server closes the room by itself; agents alone do not hold it open."""
ARRIVES_WITHIN = 1.0
"""Seconds that an agent on its way is waited for before the room is deleted: a connection takes 100 to 300 ms."""


class ScratchRoom:
    """A room that dispatches an agent of each of these names; the empty one is the unnamed agent."""

    def __init__(self, livekit: api.LiveKitAPI, agents: Sequence[str]) -> None:
        self.name = f"{SCRATCH}{secrets.token_hex(4)}"
        self.room: Room | None = None
        """As the server answered; None until then."""
        self.sent = self.answered = 0
        """Before and after it was created, ns by this machine's clock."""
        self._livekit = livekit
        self._agents = list(agents)
        self._seen: set[Moment] = set()
        self._expected = False
        """Whether an agent is on its way that is not in the room yet."""
        self._made = 0.0

    @property
    def sid(self) -> str:
        """The room's SID."""
        return self.room.sid if self.room else ""

    @property
    def age(self) -> float:
        """Seconds since it was created."""
        return time.monotonic() - self._made

    async def create(self) -> None:
        """Create it. Raises TwirpError or one of UNREACHED."""
        # Without any, the server dispatches the unnamed one by itself.
        named = [api.RoomAgentDispatch(agent_name=name) for name in self._agents] if any(self._agents) else []
        self._made = time.monotonic()
        self.sent = time.time_ns()
        request = api.CreateRoomRequest(name=self.name, empty_timeout=EMPTY_TIMEOUT, agents=named)
        self.room = await self._livekit.room.create_room(request)
        self.answered = time.time_ns()
        created = self.created
        if created:
            self._seen.add(created)

    @property
    def created(self) -> Moment | None:
        """Its creation by the server's clock; None where the server does not report it."""
        return room_created(self.room, "observer") if self.room else None

    async def poll(self) -> None:
        """Poll the server for who is in it and which jobs there are; what it does not answer is left out."""
        if self.room is None:
            return
        with suppress(api.TwirpError, *UNREACHED):
            listed = await self._livekit.room.list_participants(api.ListParticipantsRequest(room=self.name))
            self._seen.update(moment for who in listed.participants if (moment := joining(self.sid, who, "observer")))
        with suppress(api.TwirpError, *UNREACHED):
            for dispatch in await self._livekit.agent_dispatch.list_dispatch(self.name):
                self._seen.update(dispatch_moments(self.room, dispatch))

    def timeline(self, reader: Reader | None) -> Timeline:
        """What the server answered about it, and what the store has recorded."""
        timeline = fold(self.sid, [*self._seen, *(reader.moments(self.sid) if reader else ())])
        self._expected = any(
            not (job.at(Kind.JOB_ENDED) or is_rejected(job) or timeline.agent_of(job)) for job in timeline.jobs
        )
        return timeline

    async def remove(self, reader: Reader | None) -> None:
        """Delete it, also when the answer to its creation never came.

        Not while an agent is still connecting: it would create the room again, and with it a dispatch. The server then
        closes the room by itself, EMPTY_TIMEOUT after its creation.
        """
        end = time.monotonic() + ARRIVES_WITHIN
        while self._expected and time.monotonic() < end:
            await asyncio.sleep(0.05)
            await self.poll()
            self.timeline(reader)
        if not self._expected:
            with suppress(api.TwirpError, *UNREACHED):
                await self._livekit.room.delete_room(api.DeleteRoomRequest(room=self.name))
