from __future__ import annotations

import asyncio
import socket
import time
import tracemalloc
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web
from livekit import api

from tests.answers.endless import CONTINUE, MIB, endless
from tests.signed import SERVER
from tracer.answers import of_aiohttp
from tracer.answers.of_aiohttp import bounded_api, bounded_session

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

AT_MOST = 4 * len(MIB)


async def list_rooms(session: aiohttp.ClientSession, address: str) -> None:
    livekit = bounded_api(session, address, SERVER.api_key, SERVER.api_secret, failover=False)
    await livekit.room.list_rooms(api.ListRoomsRequest())


async def text(session: aiohttp.ClientSession, address: str) -> None:
    async with session.get(address) as answer:
        await answer.text()


@pytest.mark.parametrize("ask", [list_rooms, text])
def test_an_answer_without_end_takes_no_memory(
    monkeypatch: pytest.MonkeyPatch, ask: Callable[[aiohttp.ClientSession, str], Awaitable[None]]
) -> None:
    monkeypatch.setattr(of_aiohttp, "LARGEST_ANSWER", AT_MOST)

    async def main(address: str) -> None:
        async with bounded_session(30) as session:
            await ask(session, address)

    with endless() as (address, _):
        tracemalloc.start()
        try:
            with pytest.raises(aiohttp.ClientPayloadError, match="longer than"):
                asyncio.run(main(address))
            assert tracemalloc.get_traced_memory()[1] < 4 * AT_MOST
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("ask", [list_rooms, text])
def test_an_answer_that_does_not_come_is_not_waited_for(
    ask: Callable[[aiohttp.ClientSession, str], Awaitable[None]],
) -> None:
    async def main(address: str) -> None:
        async with bounded_session(0.2) as session, asyncio.timeout(20):
            await ask(session, address)

    began = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        asyncio.run(main(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("ask", [list_rooms, text])
def test_an_answer_that_is_always_about_to_come_is_not_waited_for(
    ask: Callable[[aiohttp.ClientSession, str], Awaitable[None]],
) -> None:
    async def main(address: str) -> None:
        async with bounded_session(1) as session, asyncio.timeout(20):
            await ask(session, address)

    began = time.monotonic()
    tracemalloc.start()
    try:
        with (
            endless(b"", 1000 * CONTINUE, status=CONTINUE) as (address, _),
            pytest.raises((TimeoutError, aiohttp.ClientError)),
        ):
            asyncio.run(main(address))
        assert tracemalloc.get_traced_memory()[1] < 8 * len(MIB)
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 10


def test_an_answer_that_ends_is_read_as_often_as_one_likes() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"rooms": 3})

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            async with bounded_session(10) as session, session.get(address) as got:
                assert await got.json() == {"rooms": 3}
                assert await got.text() == '{"rooms": 3}'
                assert await got.read() == b'{"rooms": 3}'
        finally:
            await runner.cleanup()

    asyncio.run(main())
