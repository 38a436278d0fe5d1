"""A LiveKit server of the user's, which others use too: reached first, agreed to, and left as it was."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from livekit.api import DeleteRoomRequest, ListRoomsRequest, TwirpError

from tracer.answers.of_aiohttp import bounded_api, bounded_session
from tracer.errors import ConfigurationError, DemoError
from tracer.reaching import UNREACHED
from tracer.server_fault import find_fault
from tracer.settings import LiveKit, address, checked_url

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from livekit.api import LiveKitAPI

    from tracer.server_fault import ServerFault

__all__ = ["TheirServer"]

PATIENCE = 10.0
"""Seconds in which the server has to answer, and in which the rooms have to be gone."""


class TheirServer:
    """``room`` begins the name of every room and agent that the demo makes there: nobody else's begins with it."""

    def __init__(self, url: str, room: str) -> None:
        checked_url("--server", url, "ws", "wss", "http", "https")
        self.settings = LiveKit.from_env(url)
        self.shown = address(self.settings.url)
        self.room = room

    def reach(self) -> None:
        """Raises ConfigurationError when the server does not answer or does not accept the key."""

        async def ask() -> ServerFault | None:
            async with bounded_session(PATIENCE) as session:
                return await find_fault(self.settings, session, limit=PATIENCE, setting="--server")

        if fault := asyncio.run(ask()):
            raise ConfigurationError(str(fault))

    @property
    def plan(self) -> str:
        """What is going to happen there, for a person to agree to."""
        return (
            f"The call is made on your server, {self.shown}.\n"
            f"  It creates rooms and starts workers there. The name of each begins with {self.room}.\n"
            "  Its workers get no other call: each has a name, also where the scenario has an unnamed one.\n"
            "  Your agents are not dispatched to its rooms: each room requests its agent by that name.\n"
            "  At the end, also after Ctrl-C or an error, callers, workers and rooms are removed.\n"
            "  A `tracer serve` of yours does not store these rooms. On LiveKit Cloud the call counts like any other."
        )

    def tidy(self) -> None:
        """Delete the rooms, once nobody of the demo can join them. Raises DemoError that names those that remain."""
        try:
            left = asyncio.run(self._delete())
        except (TwirpError, *UNREACHED) as error:
            raise DemoError(f"cannot delete the rooms {self.room}… on {self.shown}: {error}") from None
        if left:
            raise DemoError(f"these rooms on {self.shown} could not be deleted: {', '.join(left)}")

    async def _delete(self) -> list[str]:
        """Delete them; returns the names of those that are there still."""
        end = time.monotonic() + PATIENCE
        while left := await self._rooms():
            if time.monotonic() > end:
                break
            for name in left:
                try:
                    async with self._api() as livekit:
                        await livekit.room.delete_room(DeleteRoomRequest(room=name))
                except TwirpError as error:
                    if error.code != "not_found":  # it has closed by itself
                        raise
            await asyncio.sleep(0.2)
        return left

    async def _rooms(self) -> list[str]:
        async with self._api() as livekit:
            listed = await livekit.room.list_rooms(ListRoomsRequest())
        return [room.name for room in listed.rooms if room.name.startswith(self.room)]

    @asynccontextmanager
    async def _api(self) -> AsyncIterator[LiveKitAPI]:
        known = self.settings
        async with bounded_session(PATIENCE) as session:
            yield bounded_api(session, known.url, known.api_key, known.api_secret)
