"""A connection over HTTP that asks nothing is closed, so that those who only connect keep nobody out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

__all__ = ["IDLE", "MOST", "Connection"]

MOST = 64
"""Connections at one time: of more, the one that has asked nothing for longest is closed."""
FIRST_WITHIN = 10.0
"""Seconds in which the head of the first request must have come."""
IDLE = 30
"""Seconds in which the head of each further request must have come, after the answer to the one before."""


class Connection(H11Protocol):
    """uvicorn's protocol, which by itself waits for ever for a first request, and for the end of one that has begun."""

    _waiting: asyncio.TimerHandle | None = None
    """Closes it; None while a request is answered."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """It waits for its first request."""
        super().connection_made(transport)
        self._wait(FIRST_WITHIN)
        if len(self.connections) > MOST:
            self._close_one()

    def connection_lost(self, exc: Exception | None) -> None:
        """It waits no more."""
        self._wait(None)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """What came may be the head of a request."""
        super().handle_events()
        if self.cycle and not self.cycle.response_complete:
            self._wait(None)

    def on_response_complete(self) -> None:
        """It waits for its next request, where that has not come yet."""
        self._wait(IDLE)
        super().on_response_complete()

    def _wait(self, seconds: float | None) -> None:
        if self._waiting:
            self._waiting.cancel()
        self._waiting = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)

    def _close_one(self) -> None:
        idle = [one for one in self.connections if isinstance(one, Connection) and one._waiting]  # noqa: SLF001  its own
        first = min(idle, key=lambda one: one._waiting.when() if one._waiting else 0, default=self)  # noqa: SLF001
        first._wait(None)  # noqa: SLF001
        first.transport.abort()
