"""A path to a server that fails: its first connection is delayed or gets no answer, or all are cut."""

from __future__ import annotations

import asyncio
from typing import Self
from urllib.parse import urlsplit

__all__ = ["Detour", "detour"]

CHUNK = 65_536


class Detour:
    """A port of this machine that leads to a server, until it is cut."""

    def __init__(self, url: str, seconds: float = 0.0, *, answered: bool = True) -> None:
        self._far = urlsplit(url)
        self._delays = iter([seconds])
        self._answered = iter([answered])
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.url = ""
        """Where it begins."""

    @classmethod
    async def to(cls, url: str, seconds: float = 0.0, *, answered: bool = True) -> Self:
        """A path to the server at ``url``, the first connection so many seconds late, or without an answer."""
        made = cls(url, seconds, answered=answered)
        made._server = await asyncio.start_server(made._connected, "127.0.0.1", 0)
        made.url = f"{made._far.scheme}://127.0.0.1:{made._server.sockets[0].getsockname()[1]}"
        return made

    def cut(self) -> None:
        """Break every connection, and refuse others from now on."""
        if self._server:
            self._server.close()
        for writer in self._open:
            writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(next(self._delays, 0.0))
        answered = next(self._answered, True)
        there, back = await asyncio.open_connection(self._far.hostname, self._far.port)
        self._open |= {writer, back}
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer if answered else None))
        self._open -= {writer, back}


async def detour(url: str, seconds: float) -> str:
    """A URL that leads to the server at ``url``, the first connection so many seconds late; for this process."""
    return (await Detour.to(url, seconds)).url


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
            writer.close()
