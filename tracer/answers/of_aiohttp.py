"""What comes to aiohttp, a request or an answer, bounded."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, cast

import aiohttp

if TYPE_CHECKING:
    from aiohttp import StreamReader
    from livekit.api import LiveKitAPI

__all__ = ["LARGEST_ANSWER", "bounded_api", "bounded_session", "read_bounded"]

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of an answer of LiveKit's API, unpacked: as many as 50,000 rooms take in a list."""


async def read_bounded(content: StreamReader, most: int) -> bytes | None:
    """All that comes; None as soon as it is more than so many bytes."""
    body = bytearray()
    async for block in content.iter_any():
        body += block
        if len(body) > most:
            return None
    return bytes(body)


class _BoundedResponse(aiohttp.ClientResponse):
    """Raises ClientPayloadError for an answer that is longer."""

    async def read(self) -> bytes:
        if self._body is None:
            self._body = await read_bounded(self.content, LARGEST_ANSWER)
            if self._body is None:
                self.close()
                raise aiohttp.ClientPayloadError(f"the answer is longer than {LARGEST_ANSWER} bytes")
        return await super().read()


def bounded_session(seconds: float) -> aiohttp.ClientSession:
    """A session whose answers are bounded; each request, with the reading of its answer, by so many seconds."""
    timeout = aiohttp.ClientTimeout(total=seconds)
    return aiohttp.ClientSession(timeout=timeout, response_class=_BoundedResponse)


class _WithItsLimit:
    """The session, each request with the session's own limit where none is asked for."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    def post(self, url: str, *, timeout: aiohttp.ClientTimeout | None = None, **options: Any) -> Any:
        return self._session.post(url, timeout=timeout or self._session.timeout, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def bounded_api(
    session: aiohttp.ClientSession, url: str, api_key: str, api_secret: str, *, failover: bool = True
) -> LiveKitAPI:
    """LiveKit's API, with answers as ``session`` bounds them.

    livekit-api passes ``timeout=None`` with each request, which aiohttp 3.14 takes for "wait for ever", whatever the
    session's own limit (livekit-api 1.2.2, twirp_client.py).
    """
    from livekit.api import LiveKitAPI

    limited = cast("aiohttp.ClientSession", _WithItsLimit(session))
    # livekit-api 1.0.7, the lowest, has no failover, and no word for it.
    knows = "failover" in inspect.signature(LiveKitAPI).parameters
    options: dict[str, Any] = {"failover": failover} if knows else {}
    return LiveKitAPI(url, api_key, api_secret, session=limited, **options)
