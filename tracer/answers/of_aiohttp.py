"""What comes to aiohttp, a request or an answer, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp import StreamReader

__all__ = ["LARGEST_ANSWER", "bounded_session", "read_bounded"]

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
