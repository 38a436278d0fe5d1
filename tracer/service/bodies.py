"""Bodies of requests: read within a bounded time, and of bounded size, each and together."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from tracer.answers.of_aiohttp import read_bounded
from tracer.errors import MalformedError, OverloadedError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LARGE", "LARGEST_BODY", "LARGEST_WEBHOOK", "Bodies", "decompressed"]

LARGE = 64 * 1024
"""Bytes of a body above which it counts in ``MOST_TOGETHER``, and is decoded in a thread."""
LARGEST_BODY = 16 * 1024 * 1024
"""Bytes of a request, unpacked: an OTLP batch of 512 spans has under a million."""
LARGEST_WEBHOOK = 256 * 1024
"""Bytes of a webhook: it has a few thousand, and a participant's attributes and metadata."""
MOST_TOGETHER = 48 * 1024 * 1024
"""Bytes of large bodies that are held at one time; whoever sends more is asked to retry."""
WITHIN = 20.0
"""Seconds in which a body must have come."""


class Bodies:
    """The bodies that are being read and decoded."""

    def __init__(self) -> None:
        self._held = 0

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Count so many bytes while they are held. Raises OverloadedError when there are too many already."""
        if size <= LARGE:
            yield
            return
        if self._held + size > MOST_TOGETHER:
            raise OverloadedError("too many large requests at one time; retry later")
        self._held += size
        try:
            yield
        finally:
            self._held -= size

    async def read(self, request: web.Request, largest: int) -> bytes:
        """The body as it was sent. Raises TooLargeError, MalformedError, and TimeoutError after WITHIN."""
        if (request.content_length or 0) > largest:
            raise too_large(largest)
        try:
            async with asyncio.timeout(WITHIN):
                body = await read_bounded(request.content, largest)
        except web.RequestPayloadError as error:
            raise MalformedError(f"cannot read the body: {error}") from None
        if body is None:
            raise too_large(largest)
        return body


def too_large(largest: int) -> TooLargeError:
    """The error for a body of more bytes."""
    return TooLargeError(f"body larger than {largest} bytes")


def decompressed(body: bytes, encoding: str, largest: int = LARGEST_BODY) -> bytes:
    """A body without its Content-Encoding. Raises MalformedError, TooLargeError.

    Not aiohttp's own decompression: that continues to the end of what it has refused, and a megabyte can hold a
    gigabyte.
    """
    if encoding.lower() in ("", "identity"):
        return body
    if encoding.lower() not in ("gzip", "deflate"):
        raise MalformedError(f"Content-Encoding {encoding!r} is not supported: use gzip or deflate")
    unpacker = zlib.decompressobj(wbits=47)  # accepts either by its header
    try:
        unpacked = unpacker.decompress(body, largest + 1)
    except zlib.error as error:
        raise MalformedError(f"cannot decompress the body: {error}") from None
    if len(unpacked) > largest:
        raise too_large(largest)
    if not unpacker.eof or unpacker.unused_data:
        raise MalformedError("cannot decompress the body: it is cut off, or something follows it")
    return unpacked
