"""Connections over HTTP that ask nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from tests.receiving import LIMIT
from tracer.assistant import connection
from tracer.assistant.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

ASKED = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"


async def answer(_: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


def served(asking: Callable[[int], Awaitable[None]]) -> None:
    """Run a test with the port of a server whose connections are these."""

    async def running() -> None:
        config = uvicorn.Config(answer, port=0, http=Connection, log_config=None, lifespan="off")
        server = uvicorn.Server(config)
        up = asyncio.create_task(server.serve())
        async with asyncio.timeout(LIMIT):
            while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
                await asyncio.sleep(0.01)
        try:
            await asking(server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
            await up

    asyncio.run(running())


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What comes until the server closes the connection."""
    async with asyncio.timeout(LIMIT):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("first", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: he"])
def test_a_connection_whose_first_request_does_not_come_is_closed(monkeypatch: Any, first: bytes) -> None:
    monkeypatch.setattr(connection, "FIRST_WITHIN", 0.1)

    async def asking(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(first)
        assert await closed(reader) == b""
        writer.close()

    served(asking)


def test_one_whose_next_request_does_not_end_is_closed(monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "IDLE", 0.1)

    async def asking(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASKED + b"GET")
        assert (await closed(reader)).endswith(b"ok")
        writer.close()

    served(asking)


def test_those_who_only_connect_keep_nobody_out(monkeypatch: Any) -> None:
    monkeypatch.setattr(connection, "MOST", 3)

    async def asking(port: int) -> None:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(8)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(ASKED)
        async with asyncio.timeout(LIMIT):
            assert (await reader.readuntil(b"ok")).startswith(b"HTTP/1.1 200")
        for old, _ in silent[:6]:
            assert await closed(old) == b""
        for _, one in [*silent, (reader, writer)]:
            one.close()

    served(asking)
