from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager, closing, suppress
from typing import TYPE_CHECKING

import pytest

from tests.moments import ROOM, call
from tests.otlp import job, request
from tests.receiving import LIMIT, talk, until
from tests.signed import EVENTS, body
from tracer.errors import StoreError
from tracer.service import hanging, write_queue
from tracer.service.write_queue import WriteQueue, read_some
from tracer.store import Arrival, Evidence, Form
from tracer.store.sqlite import SqliteStore
from tracer.witness import evidence, webhook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.receiving import Client

RAW = [body(event) for event in EVENTS]
PIECES = [evidence.of_webhook(raw, webhook.glance(raw), 2**62) for raw in RAW]
BROKEN = Evidence(Form.OTLP, b"\xff", 1, ROOM)


@asynccontextmanager
async def running(queue: WriteQueue) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run())
    try:
        async with asyncio.timeout(LIMIT):
            yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_a_few_are_read_before_they_are_acknowledged(store: SqliteStore) -> None:
    async def main() -> None:
        queue = WriteQueue(store)
        async with running(queue):
            for piece in PIECES:
                before = len(store.moments(ROOM))
                assert await queue.keep_evidence([piece])
                assert len(store.moments(ROOM)) > before

    asyncio.run(main())


def test_many_are_acknowledged_when_they_are_on_disk_and_read_soon_after(store: SqliteStore) -> None:
    told: list[Arrival] = []

    async def main() -> None:
        queue = WriteQueue(store, on_read=told.append)
        many = [asyncio.ensure_future(queue.keep_evidence([piece])) for piece in PIECES * write_queue.READ_AT_ONCE]
        await asyncio.sleep(0)  # all of them wait
        async with running(queue):
            assert sum(await asyncio.gather(*many)) == len(PIECES)
            assert len(store.evidence(ROOM)) == len(PIECES)
            await until(lambda: not store.unread())
            await until(lambda: len(told) == len(PIECES))
        assert queue.moments == sum(len(arrival.moments) for arrival in told) > 0

    asyncio.run(main())


def test_what_was_not_read_when_it_ended_is_read_by_the_next(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.add(PIECES)

    async def main() -> None:
        with closing(SqliteStore(path)) as store:
            async with running(WriteQueue(store)):
                await until(lambda: not store.unread())
            assert store.moments(ROOM)

    asyncio.run(main())


def test_while_more_and_more_comes_in_some_is_read(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_queue, "LONGEST_UNREAD", 0.0)
    store.add([Evidence(Form.WEBHOOK, raw, 2**62, ROOM) for raw in RAW] * 10)

    async def main() -> None:
        queue = WriteQueue(store)
        async with running(queue):
            while store.unread():
                await asyncio.gather(*(queue.keep(Arrival(unknown=("a",))) for _ in range(20)))

    asyncio.run(main())


def test_while_more_comes_in_a_bite_is_read_at_a_time(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_queue, "LONGEST_UNREAD", 0.0001)
    many = [Evidence(Form.WEBHOOK, raw, 2**62, ROOM) for raw in RAW] * 10
    read: list[bool] = []

    async def main() -> None:
        store.add(many)
        queue = WriteQueue(store, on_read=lambda arrival: read.append(arrival.evidence is not None))
        limits: list[int] = []
        to_read = store.to_read

        def noted(limit: int) -> list[Evidence]:
            limits.append(limit)
            return to_read(limit)

        monkeypatch.setattr(store, "to_read", noted)
        async with running(queue):
            while sum(read) < len(many) // 2:
                await queue.keep(Arrival(unknown=("a",)))
            assert set(limits) == {write_queue.BITE}
            monkeypatch.setattr(write_queue, "LONGEST_UNREAD", 60.0)
            await until(lambda: not store.unread())
            assert limits[-1] == write_queue.CHUNK

    asyncio.run(main())


def test_what_cannot_be_read_is_kept_and_holds_up_nothing(store: SqliteStore, caplog: pytest.LogCaptureFixture) -> None:
    store.add([BROKEN, PIECES[0]])
    while read_some(store):
        pass
    assert store.moments(ROOM)
    assert len(store.evidence(ROOM)) == 2
    assert "is kept and cannot be read" in caplog.text


def test_a_commit_waits_for_those_whom_the_last_one_answered(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []
    add = store.add

    def adds(items: list[Arrival | Evidence]) -> list[bool]:
        commits.append(len(items))
        return add(items)

    monkeypatch.setattr(store, "add", adds)
    monkeypatch.setattr(store, "to_read", lambda _: [])

    async def main() -> None:
        queue = WriteQueue(store)
        async with running(queue):
            await asyncio.gather(*(queue.keep_evidence([piece]) for piece in PIECES[:1] * 4))
            monkeypatch.setattr(write_queue, "TOGETHER", LIMIT)
            begun = [queue.keep_evidence([PIECES[1]]) for _ in range(3)]
            await asyncio.sleep(0.05)  # the time of several commits
            assert commits == [4]
            await asyncio.gather(*begun, queue.keep_evidence([PIECES[2]]))
            assert commits == [4, 4]
            monkeypatch.setattr(write_queue, "TOGETHER", 0.001)
            assert await queue.keep_evidence([PIECES[3]]), "nobody waits for those who do not come"
            assert commits == [4, 4, 1]

    asyncio.run(main())


def test_redacted_nothing_is_kept_as_it_came(path: Path) -> None:
    async def test(client: Client) -> None:
        await client.webhook(EVENTS[1])
        spans = request(*job()).SerializeToString()
        assert (await client.post("/v1/traces", spans, Content_Type="application/x-protobuf"))[0] == 200
        assert client.store.moments(ROOM)
        assert client.store.evidence(ROOM) == []

    talk(path, test, redact=True)


def test_a_full_queue_asks_the_sender_to_retry_and_loses_nothing_it_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_queue, "CAPACITY", 1)

    async def main() -> None:
        with closing(SqliteStore(tmp_path / "t.db")) as store:
            queue = WriteQueue(store)
            first, second = (Arrival((moment,)) for moment in call()[:2])
            accepted = asyncio.ensure_future(queue.keep(first))
            await asyncio.sleep(0)  # nothing runs yet that would take it
            with pytest.raises(StoreError, match="write queue is full; retry later"):
                await queue.keep(second)
            writing = asyncio.create_task(queue.run())
            assert await accepted
            assert await queue.keep(second)
            writing.cancel()
            assert queue.moments == 2

    asyncio.run(main())


def test_where_the_store_hangs_the_sender_is_asked_to_retry_and_nothing_piles_up(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hanging, "ANSWERED_WITHIN", 0.3)
    goes_on, add, check = threading.Event(), store.add, store.check

    def hangs(arrivals: list[Arrival | Evidence]) -> list[bool]:
        goes_on.wait(LIMIT)
        return add(arrivals)

    def hangs_too() -> None:
        goes_on.wait(LIMIT)
        check()

    monkeypatch.setattr(store, "add", hangs)
    monkeypatch.setattr(store, "check", hangs_too)

    async def main() -> None:
        queue = WriteQueue(store)
        async with running(queue):
            for piece in PIECES[:3]:
                with pytest.raises(StoreError, match="does not answer"):
                    await queue.keep_evidence([piece])
            with pytest.raises(StoreError, match="does not answer"):
                await queue.check()
            assert queue.waiting == 0
            goes_on.set()
            assert await queue.keep_evidence([PIECES[3]])
            await queue.check()
        assert len(store.evidence(ROOM)) == 2, "the first, with which it hung, and the last"

    asyncio.run(main())
