"""Open connections: a bounded number, so that those who only connect keep nobody out."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, cast

from tracer.service.seldom import Seldom

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

__all__ = ["KEEPALIVE", "Connection", "Connections"]

MOST = 1000
"""Connections at one time, where as many files may be open."""
RESERVED = 224
"""Files that are left for the store, the backend, the server's API, and connections that are being closed."""
KEEPALIVE = 75.0
"""Seconds that a connection may be idle between two requests."""
FIRST_WITHIN = 10.0
"""Seconds in which the head of the first request must have come."""
EVERY = 1.0
"""Seconds between two looks for idle connections."""


class Connection(asyncio.Protocol):
    """A connection that aiohttp does not have."""

    transport: asyncio.Transport | None = None
    """None before it is there, and when it is closed."""
    answering: asyncio.Future[bool] | None = None
    """Done when what is answered then is on disk."""


class Connections:
    """Makes the protocol of each connection; closes idle ones, and where there are too many the longest idle."""

    def __init__(self, server: web.Server, quick: Callable[[Connections], Connection]) -> None:
        self.most = min(MOST, max(_files() - RESERVED, 32))
        self.closing = False
        """Whether each answer is the last of its connection."""
        self._server = server
        self._make = quick
        self._quick: set[Connection] = set()
        """Those that aiohttp has not."""
        self._idle: dict[asyncio.BaseProtocol, tuple[float, float]] = {}
        """Since when a connection is idle, and how long it may be, s; not those answered now, nor those closed here."""
        self._full = Seldom()

    def accept(self) -> asyncio.BaseProtocol:
        """The protocol of a new connection."""
        if len(self) >= self.most:
            self._full.warn(f"{self.most} connections are open: those idle longest are closed, further ones refused")
            if not self._close_idle():
                return _Refused()
        protocol = self._make(self)
        self._quick.add(protocol)
        self._idle[protocol] = time.monotonic(), FIRST_WITHIN
        return protocol

    def __len__(self) -> int:
        return len(self._server.connections) + len(self._quick)

    def hand_over(self, protocol: Connection) -> asyncio.Protocol:
        """The protocol of aiohttp that goes on with a connection."""
        self.closed(protocol)
        other = self._server()
        self._idle[other] = time.monotonic(), FIRST_WITHIN
        return other

    def closed(self, protocol: Connection) -> None:
        """A connection that aiohttp did not have is closed, or aiohttp has it."""
        self._quick.discard(protocol)
        self._idle.pop(protocol, None)

    def busy(self, protocol: asyncio.BaseProtocol) -> None:
        """A request is answered: until it was, its connection is not idle."""
        self._idle.pop(protocol, None)

    def idle(self, protocol: asyncio.BaseProtocol) -> None:
        """It was."""
        self._idle[protocol] = time.monotonic(), KEEPALIVE

    async def close(self, within: float) -> None:
        """Close those that aiohttp has not; requests under way may take so many seconds."""
        self.closing = True
        under_way = [one.answering for one in self._quick if one.answering]
        for protocol in [one for one in self._quick if not one.answering]:
            self._close(protocol)
        if under_way:
            _, late = await asyncio.wait(under_way, timeout=within)
            for task in late:
                task.cancel()
            for protocol in [one for one in self._quick if one.answering]:
                self._close(protocol)

    async def run(self) -> None:
        """Close what is idle too long, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            now, there = time.monotonic(), self._quick.union(self._server.connections)
            for protocol, (since, limit) in list(self._idle.items()):
                gone = protocol not in there and now > since + EVERY  # a new one is not there yet
                if gone or now > since + limit:
                    self._close(protocol)

    def _close_idle(self) -> bool:
        """Close the connection that is idle longest; False when none is."""
        longest = min(self._idle, key=lambda protocol: self._idle[protocol], default=None)
        if longest is None:
            return False
        self._close(longest)
        return True

    def _close(self, protocol: asyncio.BaseProtocol) -> None:
        self._idle.pop(protocol, None)
        self._quick.discard(protocol)
        transport = getattr(protocol, "transport", None)  # None: closed already, or not connected yet
        if transport is not None:
            transport.abort()


class _Refused(asyncio.Protocol):
    """A connection that is closed at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()  # uvloop's is of no class of asyncio's


def _files() -> int:
    """How many files this process may have open."""
    if sys.platform == "win32":
        return MOST
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
