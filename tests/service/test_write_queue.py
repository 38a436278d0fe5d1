from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.moments import call
from tracer.errors import StoreError
from tracer.service import write_queue
from tracer.service.write_queue import WriteQueue
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path


def test_a_full_queue_asks_the_sender_to_retry_and_loses_nothing_it_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "CAPACITY", 1)

    async def main() -> None:
        with closing(SqliteStore(tmp_path / "t.db")) as store:
            queue = WriteQueue(store)
            first, second = (Arrival((moment,)) for moment in call()[:2])
            accepted = asyncio.create_task(queue.keep(first))
            await asyncio.sleep(0)  # nothing runs yet that would take it
            with pytest.raises(StoreError, match="write queue is full; retry later"):
                await queue.keep(second)
            writing = asyncio.create_task(queue.run())
            assert await accepted
            assert await queue.keep(second)
            writing.cancel()
            assert queue.moments == 2

    asyncio.run(main())
