"""What answers instead of a LiveKit server, and how it is called."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from aiohttp import web

from tests.answers.of_livekit import answer
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
    read_token: str = "",
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
        server = LiveKit(f"ws://127.0.0.1:{port}", "APIkey", SECRET)
        setup = Setup(server, f"http://127.0.0.1:{port}", "none.db", read_token=read_token)
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


def test_a_list_of_rooms_is_a_livekit_server() -> None:
    for body in ("{}", '{"rooms":[]}'):
        found, visit = examined(answer(200, body, "application/json"), ServerCheck())
        assert (found.state, visit.server_works) == (State.OK, True)


def test_what_is_wrong_with_it_is_the_finding() -> None:
    found, visit = examined(answer(401, "invalid API key: APIkey"), ServerCheck())
    assert (found.state, visit.server_works) == (State.FAILED, False)
    assert "does not know the key 'APIkey'" in found.text
    assert "LIVEKIT_API_KEY" in found.fix


def test_a_receiver_is_known_by_its_counters() -> None:
    metrics = "# TYPE tracer_webhooks_total counter\ntracer_webhooks_total 3\nother_total 4\ntracer_odd 1.5\n"
    found, visit = examined(answer(200, metrics), ReceiverCheck())
    assert found.state is State.OK
    assert visit.counters == {"tracer_webhooks_total": 3}


def test_a_receiver_that_does_not_show_them_is_one_with_a_token() -> None:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.path == "/healthz" else 401)

    found, _ = examined(handler, ReceiverCheck())
    assert found.state is State.FAILED
    assert "TRACER_READ_TOKEN" in found.text


def test_the_read_token_is_sent_for_them() -> None:
    async def handler(request: web.Request) -> web.Response:
        known = request.headers.get("Authorization") == f"Bearer {SECRET}" or request.path == "/healthz"
        return web.Response(status=200 if known else 401, text="tracer_webhooks_total 3.0\n")

    found, visit = examined(handler, ReceiverCheck(), read_token=SECRET)
    assert (found.state, visit.counters) == (State.OK, {"tracer_webhooks_total": 3})


@pytest.mark.parametrize(("status", "text"), [(200, "ok\n"), (404, "tracer_webhooks_total 3\n"), (200, "")])
def test_what_has_no_counters_of_ours_is_no_receiver(status: int, text: str) -> None:
    found, visit = examined(answer(status, text), ReceiverCheck())
    assert (found.state, visit.counters) == (State.FAILED, {})
