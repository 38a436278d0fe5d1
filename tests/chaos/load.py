"""Load: calls that are sent as LiveKit and its agents send them, again and again until each request is acknowledged."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

from tests.chaos.recorded import HEALTHY, Recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from tests.chaos.ledger import Acknowledged
    from tests.chaos.recorded import Call, Request

__all__ = ["Load"]

AGAIN = 0.05
"""Seconds until a request that was not acknowledged is sent again."""
TIMEOUT = 5.0
"""Seconds that an answer may take."""


class Load:
    """Sends calls to a receiver, or to several by turns, and keeps the ledger of what it acknowledged."""

    def __init__(self, address: str | Sequence[str], ledger: Acknowledged, names: Sequence[str] = HEALTHY) -> None:
        self.ledger = ledger
        self.calls: list[Call] = []
        """All that were begun."""
        self.answers: Counter[int] = Counter()
        """How often each status was answered; 0: no answer."""
        self._addresses = itertools.cycle([address] if isinstance(address, str) else address)
        """Each request goes to the next: so a load balancer gives them out."""
        self.recordings = {name: Recording(name) for name in names}
        self._next = itertools.cycle(names)
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Load]:
        """While it may send."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as self._session:
            yield self

    def call(self, name: str = "") -> Call:
        """The next call: of this recording, or each of another than the one before."""
        made = self.recordings[name or next(self._next)].copy(len(self.calls))
        self.calls.append(made)
        return made

    async def run(self, senders: int, pause: float, over: asyncio.Event) -> None:
        """So many calls at one time, and the next when one has ended, until ``over``; those begun are finished."""

        async def send() -> None:
            while not over.is_set():
                await self.send(self.call(), pause=pause)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(senders):
                tasks.create_task(send())

    async def send(self, call: Call, places: Iterable[int] | None = None, *, pause: float = 0.0) -> None:
        """Send a call's requests, or these of them in this order, each until it is acknowledged."""
        for place in range(len(call.requests)) if places is None else places:
            while (status := await self.post(call.requests[place])) != 200:
                assert status in (0, 503), f"{status} for request {place} of {call.recording}: it is as it was recorded"
                await asyncio.sleep(AGAIN)
            self.ledger.note(call.number, place)
            await asyncio.sleep(pause)

    async def post(self, request: Request, **headers: str) -> int:
        """Send once; the status of the answer, 0 where there was none."""
        assert self._session is not None
        try:
            async with self._session.post(
                next(self._addresses) + request.path, data=request.body, headers={**request.headers, **headers}
            ) as answer:
                await answer.read()
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, OSError):
            status = 0
        self.answers[status] += 1
        return status
