"""A receiver to talk to over HTTP."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from tests.signed import SERVER, body, token
from tracer.service import event_loop
from tracer.service.receiver import Receiver
from tracer.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

LIMIT = 10.0
"""Seconds that a test waits for what must happen, before it fails."""


class Client:
    """What sends to one receiver."""

    def __init__(self, session: aiohttp.ClientSession, receiver: Receiver, store: SqliteStore, port: int) -> None:
        self.session = session
        self.receiver = receiver
        self.store = store
        self.port = port

    async def post(self, path: str, data: bytes, **headers: str) -> tuple[int, str]:
        """Status and text of the answer; a header's dashes are written as underscores."""
        told = {key.replace("_", "-"): value for key, value in headers.items()}
        async with self.session.post(path, data=data, headers=told) as answer:
            return answer.status, await answer.text()

    async def webhook(self, what: dict[str, Any]) -> int:
        """Send a webhook as LiveKit does; status of the answer."""
        raw = body(what)
        return (await self.post("/webhook", raw, Authorization=token(raw), Content_Type="application/webhook+json"))[0]

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text of the answer."""
        async with self.session.get(path) as answer:
            return answer.status, await answer.text()

    async def metrics(self) -> dict[str, int]:
        """The counters and gauges without labels, by their names without ``tracer_`` and ``_total``."""
        families = text_string_to_metric_families((await self.get("/metrics"))[1])
        found = [sample for family in families for sample in family.samples if not sample.labels]
        return {one.name.removeprefix("tracer_").removesuffix("_total"): int(one.value) for one in found}


@asynccontextmanager
async def receiving(path: Path, **options: Any) -> AsyncIterator[Client]:
    """A receiver on a free port, keeping moments in this file."""
    with closing(SqliteStore(path, wait=options.pop("wait", 10.0))) as store:
        exporter = options.pop("exporter", None)
        receiver = Receiver(store, SERVER, exporter=exporter(store) if exporter else None, **options)
        port = await receiver.start("127.0.0.1", 0)
        timeout = aiohttp.ClientTimeout(total=LIMIT)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=timeout) as session:
            try:
                yield Client(session, receiver, store, port)
            finally:
                await receiver.stop()


def talk(path: Path, what: Callable[[Client], Awaitable[None]], **options: Any) -> None:
    """Run a test that talks to a receiver."""

    async def main() -> None:
        async with asyncio.timeout(3 * LIMIT), receiving(path, **options) as client:
            await what(client)

    event_loop.run(main())


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come true."""
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in another thread
            await asyncio.sleep(0.005)
