"""A network path to a server that fails: slow, without an answer, or cut."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

__all__ = ["Detour", "detour"]

CHUNK = 65_536


async def detour(url: str, seconds: float) -> str:
    """A URL that leads to the server at ``url``, the first connection so many seconds late; for this process."""
    return await Detour(seconds).opened(url)


class Detour:
    """A path to a server within this process."""

    def __init__(self, late: float = 0.0, *, first_unanswered: bool = False) -> None:
        """The first connection is so many seconds ``late``; or it reaches the server, and no answer comes back."""
        self._delays = iter([late])
        self._answers = iter([not first_unanswered])
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def opened(self, url: str) -> str:
        """A URL that leads to the server at ``url`` by this path."""
        far = urlsplit(url)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(next(self._delays, 0.0))
            answered = next(self._answers, True)
            there, back = await asyncio.open_connection(far.hostname, far.port)
            self._open |= {writer, back}
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer if answered else None))

        self._server = await asyncio.start_server(connected, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return f"{far.scheme}://127.0.0.1:{port}"

    def cut(self) -> None:
        """From now on nothing gets through, and nobody can connect."""
        if self._server:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter | None) -> None:
    """Pass on what is read; without a writer it is lost."""
    try:
        while data := await reader.read(CHUNK):
            if writer:
                writer.write(data)
                await writer.drain()
    except ConnectionError:
        pass
    finally:
        if writer:
            writer.transport.abort()
