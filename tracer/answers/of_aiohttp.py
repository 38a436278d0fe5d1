"""Answers to aiohttp, bounded: for LiveKit's API and whatever else `tracer doctor` asks."""

from __future__ import annotations

import aiohttp

__all__ = ["LARGEST_ANSWER", "bounded_session"]

LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of an answer, unpacked: as many as 50,000 rooms take in a list."""


class _BoundedResponse(aiohttp.ClientResponse):
    """Raises ClientPayloadError for an answer that is longer."""

    async def read(self) -> bytes:
        if self._body is None:
            body = bytearray()
            async for block in self.content.iter_any():
                body += block
                if len(body) > LARGEST_ANSWER:
                    self.close()
                    raise aiohttp.ClientPayloadError(f"the answer is longer than {LARGEST_ANSWER} bytes")
            self._body = bytes(body)
        return await super().read()


def bounded_session(seconds: float) -> aiohttp.ClientSession:
    """A session whose answers are bounded; each request, with the reading of its answer, by so many seconds."""
    timeout = aiohttp.ClientTimeout(total=seconds)
    return aiohttp.ClientSession(timeout=timeout, response_class=_BoundedResponse)
