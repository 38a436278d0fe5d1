"""A slow network path to a server: its first connection is delayed."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

__all__ = ["detour"]

CHUNK = 65_536


async def detour(url: str, seconds: float) -> str:
    """A URL that leads to the server at ``url``, the first connection so many seconds late; for this process."""
    far = urlsplit(url)
    delays = iter([seconds])

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(next(delays, 0.0))
        there, back = await asyncio.open_connection(far.hostname, far.port)
        await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return f"{far.scheme}://127.0.0.1:{port}"


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()
