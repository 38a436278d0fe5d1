"""Open connections: a bounded number, so that those who only connect keep nobody out."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tracer.service.seldom import Seldom

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import web

__all__ = ["KEEPALIVE", "Connections"]

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


class Connections:
    """Makes aiohttp's protocol for each connection; closes idle ones, and where there are too many the longest idle."""

    def __init__(self, server: web.Server) -> None:
        self.most = min(MOST, max(_files() - RESERVED, 32))
        self._server = server
        self._idle: dict[asyncio.BaseProtocol, tuple[float, float]] = {}
        """Since when a connection is idle, and how long it may be, s; not those answered now, nor those closed here."""
        self._full = Seldom()

    def accept(self) -> asyncio.BaseProtocol:
        """The protocol of a new connection."""
        if len(self._server.connections) >= self.most:
            self._full.warn(f"{self.most} connections are open: those idle longest are closed, further ones refused")
            if not self._close_idle():
                return _Refused()
        protocol: asyncio.BaseProtocol = self._server()
        self._idle[protocol] = time.monotonic(), FIRST_WITHIN
        return protocol

    @contextmanager
    def busy(self, request: web.BaseRequest) -> Iterator[None]:
        """While a request is answered, its connection is not idle."""
        self._idle.pop(request.protocol, None)
        try:
            yield
        finally:
            self._idle[request.protocol] = time.monotonic(), KEEPALIVE

    async def run(self) -> None:
        """Close what is idle too long, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            now, there = time.monotonic(), set(self._server.connections)
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
        transport = getattr(protocol, "transport", None)  # None: closed already, or not connected yet
        if transport is not None:
            transport.abort()


class _Refused(asyncio.Protocol):
    """A connection that is closed at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  create_server makes no other
        transport.abort()


def _files() -> int:
    """How many files this process may have open."""
    if sys.platform == "win32":
        return MOST
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
