from __future__ import annotations

import asyncio
import time
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from tests.receiving import LIMIT
from tracer.service.listening import Listening
from tracer.store import open_writer

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.store import Writer
    from tracer.timeline.listened import Listened


async def one_run(store: Writer) -> list[Listened]:
    """What is noted while tracer listens; then it is stopped, as by SIGTERM."""
    before = len(store.listened())
    listening = asyncio.create_task(Listening(store).run())
    async with asyncio.timeout(LIMIT):
        while len(store.listened()) == before:  # noqa: ASYNC110  a store tells nobody
            await asyncio.sleep(0.005)
    noted = store.listened()
    listening.cancel()
    with suppress(asyncio.CancelledError):
        await listening
    return noted


def test_a_run_is_noted_at_its_start_and_at_its_end(tmp_path: Path) -> None:
    with closing(open_writer(str(tmp_path / "t.db"))) as store:
        before = time.time_ns()
        [(since, noted)] = asyncio.run(one_run(store))
        [(again, until)] = store.listened()
        assert before <= since == again <= noted < until <= time.time_ns()


def test_each_run_is_noted_by_itself(tmp_path: Path) -> None:
    with closing(open_writer(str(tmp_path / "t.db"))) as store:
        asyncio.run(one_run(store))
        asyncio.run(one_run(store))
        (first, ended), (second, _) = sorted(store.listened())
        assert first <= ended <= second
