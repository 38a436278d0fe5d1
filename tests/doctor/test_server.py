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


@pytest.mark.parametrize(("status", "text"), [(200, "ok\n"), (404, "tracer_webhooks_total 3\n"), (200, "")])
def test_what_has_no_counters_of_ours_is_no_receiver(status: int, text: str) -> None:
    found, visit = examined(answer(status, text), ReceiverCheck())
    assert (found.state, visit.counters) == (State.FAILED, {})
