"""Sends spans to an OTLP/HTTP backend: one request at a time, never followed elsewhere, its answer bounded and read."""

from __future__ import annotations

import asyncio
import gzip
import io
import time
import zlib
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import aiohttp

from tracer.answers.of_aiohttp import read_bounded
from tracer.export import answer
from tracer.export.answer import Answer, Verdict
from tracer.export.otlp import request
from tracer.reaching import UNREACHED, in_words
from tracer.settings import HERE, where

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracer.export.target import Target

__all__ = ["Backend"]

TO_CONNECT = 10.0
"""Seconds for a connection. What could not be connected was not sent, so this can be short."""
TO_READ = 10.0
"""Seconds for an answer's body, once its status is there."""
LARGEST_ANSWER = 4 * 1024 * 1024
"""Bytes of an answer that are read: what the OTLP specification recommends."""
MORE_PATIENCE = 4.0
"""How many times longer to wait for the next answer when one did not come."""
MOST_PATIENCE = 600.0
"""Seconds that an answer is waited for at most."""
SHORTEST_SECRET = 6
"""Characters of a word in a header from which on it is not shown, should an answer repeat it."""
LEVEL = 1
"""Of compression."""
_COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, LEVEL),
    "deflate": lambda data: zlib.compress(data, LEVEL),
}


class Backend:
    """Where spans go.

    A request that was not answered may have arrived, and is sent again: at least once is what OTLP has. So that a
    backend that is slow does not get the same spans again and again, the next answer is then waited for
    ``MORE_PATIENCE`` times as long.
    """

    def __init__(self, target: Target) -> None:
        self.target = target
        self.patience = min(target.patience, MOST_PATIENCE)
        """Seconds to wait for the next answer."""
        self._session: aiohttp.ClientSession | None = None
        self._headers = {
            **target.headers,
            "content-type": "application/x-protobuf",
            "accept-encoding": "identity",
            "user-agent": "livekit-tracer",
        }
        if target.compression in _COMPRESS:
            self._headers["content-encoding"] = target.compression
        login = urlsplit(target.url)
        if login.username:  # aiohttp sends it, and refuses to send two
            self._headers.pop("authorization", None)
        parts = [part for value in target.headers.values() for part in value.split()] + [login.password or ""]
        self._secrets = [part for part in parts if len(part) >= SHORTEST_SECRET]

    async def send(self, spans: Sequence[bytes]) -> Answer:
        """Send these, each a serialized ``ResourceSpans``, once. Whatever happens is an answer."""
        return await self.send_request(await asyncio.to_thread(lambda: request(spans).SerializeToString()))

    async def send_request(self, body: bytes) -> Answer:
        """Send a serialized ``ExportTraceServiceRequest``, once. Whatever happens is an answer."""
        compress = _COMPRESS.get(self.target.compression)
        data = await asyncio.to_thread(compress, body) if compress else body
        if self._session is None:
            # A proxy of the environment would take "localhost" for itself.
            self._session = aiohttp.ClientSession(
                auto_decompress=False, trust_env=where(self.target.url)[0] != HERE, cookie_jar=aiohttp.DummyCookieJar()
            )
        begun = time.monotonic()
        try:
            async with self._session.post(
                self.target.url,
                data=io.BytesIO(data),
                headers=self._headers,
                ssl=self.target.tls,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=self.patience, sock_connect=TO_CONNECT),
            ) as response:
                told = answer.read(self.target.url, response.status, response.headers, await _body(response))
        except UNREACHED as error:
            waited = time.monotonic() - begun
            text = in_words(error, round(waited, 1))
            if isinstance(error, TimeoutError) and waited >= self.patience:
                self.patience = min(self.patience * MORE_PATIENCE, MOST_PATIENCE)
            return Answer(Verdict.LATER, text, type(error).__name__)
        waited = time.monotonic() - begun
        self.patience = min(max(self.target.patience, waited * MORE_PATIENCE), MOST_PATIENCE)
        return self._without_secrets(told)

    async def close(self) -> None:
        """Close the connection; sending opens another."""
        session, self._session = self._session, None
        if session:
            await session.close()

    def _without_secrets(self, told: Answer) -> Answer:
        """Some backends repeat the key that they do not know."""
        text = told.text
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return replace(told, text=text)


async def _body(response: aiohttp.ClientResponse) -> bytes | None:
    """The answer's body; None when it is too large, or does not come whole in time."""
    body = None
    with suppress(*UNREACHED):
        async with asyncio.timeout(TO_READ):
            body = await read_bounded(response.content, LARGEST_ANSWER)
    if body is None:
        response.close()
    return body
