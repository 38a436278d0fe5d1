"""What answers instead of a LiveKit server, and how it is called."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from tracer.doctor.diagnosis import Diagnosis, State
from tracer.doctor.receiver import ReceiverCheck, ask
from tracer.doctor.server import ServerCheck
from tracer.doctor.visit import Setup, Visit
from tracer.settings import LiveKit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SECRET = "a secret nobody may read, long enough"  # noqa: S105  nobody's


def examined(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    check: ServerCheck | ReceiverCheck,
    limit: float = 4.0,
) -> tuple[Diagnosis, Visit]:
    """The only finding about a server that answers everything with this handler."""

    async def main() -> tuple[Diagnosis, Visit]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handler)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        setup = Setup(LiveKit(f"ws://127.0.0.1:{port}", "APIkey", SECRET), f"http://127.0.0.1:{port}", "none.db")
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=limit)) as session:
            visit = Visit(setup, session)
            await ask(visit)
            [finding] = await check.examine(visit)
        await runner.cleanup()
        return finding, visit

    found, visit = asyncio.run(main())
    assert SECRET not in found.text + found.fix
    assert "eyJ" not in found.text + found.fix
    assert found.state is State.OK or found.fix
    return found, visit


def answer(
    status: int, text: str = "", kind: str = "text/plain", **headers: str
) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handler(request: web.Request) -> web.Response:
        # As LiveKit does, which says the token again.
        told = text.replace("TOKEN", request.headers.get("Authorization", "").removeprefix("Bearer "))
        return web.Response(status=status, text=told, content_type=kind, headers=headers)

    return handler


def test_a_list_of_rooms_is_a_livekit_server() -> None:
    for body in ("{}", '{"rooms":[]}'):
        found, visit = examined(answer(200, body, "application/json"), ServerCheck())
        assert (found.state, visit.server_works) == (State.OK, True)


@pytest.mark.parametrize(
    ("status", "body", "said", "fix"),
    [
        (401, "invalid API key: APIkey", "does not know the key 'APIkey'", "LIVEKIT_API_KEY"),
        (401, "invalid token: TOKEN, error: token signature is invalid", "secret is not that of", "LIVEKIT_API_SECRET"),
        (401, "something else", "rejects the key 'APIkey'", "LIVEKIT_API_SECRET"),
        (401, '{"code":"unauthenticated","msg":"permissions denied"}', "may not list rooms", "API key"),
        (400, "Client sent an HTTP request to an HTTPS server.", "requires TLS", "LIVEKIT_URL to wss://127.0.0.1:"),
        (404, "404 page not found", "is not a LiveKit server (ListRooms: HTTP 404)", "LIVEKIT_URL"),
        (200, "<html>welcome</html>", "is not a LiveKit server (ListRooms: HTTP 200)", "LIVEKIT_URL"),
        (200, '{"data": []}', "is not a LiveKit server (ListRooms: HTTP 200)", "LIVEKIT_URL"),
        (200, "[]", "is not a LiveKit server (ListRooms: HTTP 200)", "LIVEKIT_URL"),
        (200, "", "is not a LiveKit server (ListRooms: HTTP 200)", "LIVEKIT_URL"),
        (503, "no nodes", "answers with HTTP 503", "log"),
    ],
)
def test_what_is_no_list_of_rooms_is_explained(status: int, body: str, said: str, fix: str) -> None:
    found, visit = examined(answer(status, body), ServerCheck())
    assert (found.state, visit.server_works) == (State.FAILED, False)
    assert said in found.text
    assert fix in found.fix


def test_a_redirect_to_https_requires_tls() -> None:
    found, _ = examined(answer(301, Location="https://127.0.0.1/twirp"), ServerCheck())
    assert "requires TLS" in found.text


@pytest.mark.parametrize(
    ("ahead", "said"), [(600, "10.0 min behind"), (-7200 * 2, "4.0 h ahead"), (-90, "90.0 s ahead")]
)
def test_a_token_of_a_wrong_time_is_the_clocks_fault(monkeypatch: pytest.MonkeyPatch, ahead: int, said: str) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: float(int(now)))
    text = "invalid token: TOKEN, error: token has invalid claims: token is " + (
        "expired" if ahead > 0 else "not valid yet"
    )
    found, _ = examined(answer(401, text, Date=formatdate(int(now) + ahead, usegmt=True)), ServerCheck())
    assert f"this machine's clock is {said}" in found.text
    assert "NTP" in found.fix


def test_one_that_never_answers_is_waited_for_and_no_longer() -> None:
    async def silent(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    began = time.monotonic()
    found, _ = examined(silent, ServerCheck(), limit=0.3)
    assert time.monotonic() - began < 3
    assert (found.state, "no answer within" in found.text) == (State.FAILED, True)


def test_one_that_hangs_up_speaks_no_http() -> None:
    async def rude(request: web.Request) -> web.Response:
        assert request.transport
        request.transport.abort()
        return web.Response()

    found, _ = examined(rude, ServerCheck())
    assert found.state is State.FAILED
    assert "no LiveKit at" in found.text


def test_a_receiver_is_known_by_its_counters() -> None:
    metrics = "# TYPE tracer_webhooks_total counter\ntracer_webhooks_total 3\nother_total 4\ntracer_odd 1.5\n"
    found, visit = examined(answer(200, metrics), ReceiverCheck())
    assert found.state is State.OK
    assert visit.counters == {"tracer_webhooks_total": 3}


@pytest.mark.parametrize(("status", "text"), [(200, "ok\n"), (404, "tracer_webhooks_total 3\n"), (200, "")])
def test_what_has_no_counters_of_ours_is_no_receiver(status: int, text: str) -> None:
    found, visit = examined(answer(status, text), ReceiverCheck())
    assert (found.state, visit.counters) == (State.FAILED, {})
