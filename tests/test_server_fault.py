"""What answers instead of a LiveKit server, or to a wrong key, and how it is called."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from tests.answers.of_livekit import answer
from tracer.answers.of_aiohttp import bounded_session
from tracer.server_fault import ServerFault, find_fault
from tracer.settings import LiveKit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SECRET = "a secret nobody may read, long enough"  # noqa: S105  nobody's


def found(handler: Callable[[web.Request], Awaitable[web.StreamResponse]], limit: float = 4.0) -> ServerFault | None:
    """What is wrong with a server that answers everything with this handler."""

    async def main() -> ServerFault | None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server = LiveKit(f"ws://127.0.0.1:{runner.addresses[0][1]}", "APIkey", SECRET)
        async with bounded_session(limit) as session:
            fault = await find_fault(server, session, limit=limit, setting="THE_URL")
        await runner.cleanup()
        return fault

    fault = asyncio.run(main())
    assert SECRET not in str(fault)
    assert "eyJ" not in str(fault)
    return fault


@pytest.mark.parametrize("body", ["{}", '{"rooms":[]}'])
def test_nothing_is_wrong_with_one_that_lists_its_rooms(body: str) -> None:
    assert found(answer(200, body, "application/json")) is None


@pytest.mark.parametrize(
    ("status", "body", "said", "fix"),
    [
        (401, "invalid API key: APIkey", "does not know the key 'APIkey'", "LIVEKIT_API_KEY"),
        (401, "invalid token: TOKEN, error: token signature is invalid", "secret is not that of", "LIVEKIT_API_SECRET"),
        (401, "something else", "rejects the key 'APIkey'", "LIVEKIT_API_SECRET"),
        (401, '{"code":"unauthenticated","msg":"permissions denied"}', "may not list rooms", "API key"),
        (400, "Client sent an HTTP request to an HTTPS server.", "requires TLS", "THE_URL to wss://127.0.0.1:"),
        (404, "404 page not found", "is not a LiveKit server (ListRooms: HTTP 404)", "THE_URL"),
        (200, "<html>welcome</html>", "is not a LiveKit server (ListRooms: HTTP 200)", "THE_URL"),
        (200, '{"data": []}', "is not a LiveKit server (ListRooms: HTTP 200)", "THE_URL"),
        (200, "[]", "is not a LiveKit server (ListRooms: HTTP 200)", "THE_URL"),
        (200, "", "is not a LiveKit server (ListRooms: HTTP 200)", "THE_URL"),
        (503, "no nodes", "answers with HTTP 503", "log"),
    ],
)
def test_what_is_no_list_of_rooms_is_explained(status: int, body: str, said: str, fix: str) -> None:
    fault = found(answer(status, body))
    assert fault
    assert said in fault.text
    assert fix in fault.fix


def test_a_redirect_to_https_requires_tls() -> None:
    assert "requires TLS → set THE_URL to wss://" in str(found(answer(301, Location="https://127.0.0.1/twirp")))


@pytest.mark.parametrize(
    ("ahead", "said"), [(600, "10.0 min behind"), (-7200 * 2, "4.0 h ahead"), (-90, "90.0 s ahead")]
)
def test_a_token_of_a_wrong_time_is_the_clocks_fault(monkeypatch: pytest.MonkeyPatch, ahead: int, said: str) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: float(int(now)))
    text = "invalid token: TOKEN, error: token has invalid claims: token is " + (
        "expired" if ahead > 0 else "not valid yet"
    )
    fault = found(answer(401, text, Date=formatdate(int(now) + ahead, usegmt=True)))
    assert fault
    assert f"this machine's clock is {said}" in fault.text
    assert "NTP" in fault.fix


def test_one_that_never_answers_is_waited_for_and_no_longer() -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    began = time.monotonic()
    assert "no answer within 0.3 s" in str(found(silent, limit=0.3))
    assert time.monotonic() - began < 3


def test_one_that_hangs_up_speaks_no_http() -> None:
    async def rude(request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    assert "no LiveKit at" in str(found(rude))
