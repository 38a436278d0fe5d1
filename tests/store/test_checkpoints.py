from __future__ import annotations

import os
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.moments import START
from tests.receiving import LIMIT
from tracer.errors import StoreError
from tracer.store import Evidence, Form
from tracer.store.sqlite import SqliteStore, checkpoints
from tracer.store.sqlite.opening import reopened

if TYPE_CHECKING:
    from pathlib import Path

PAGE = 4096


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "ROWS", 20)
    monkeypatch.setattr(checkpoints, "LONG", 100)


def write(store: SqliteStore, number: int) -> None:
    body = number.to_bytes(8) * (PAGE // 8)
    assert store.add([Evidence(Form.WEBHOOK, body, START + number, f"RM_{number:012}")]) == [True]


@pytest.mark.usefixtures("soon")
def test_the_log_is_copied_and_begun_anew_beside_one_who_does_not_stop_writing(path: Path) -> None:
    log = path.with_name(f"{path.name}-wal")
    before = {thread.name for thread in threading.enumerate()}
    with closing(SqliteStore(path)) as store:
        count, written, longest = 0, 0, 0
        while written < 4 * 1000 * PAGE:
            write(store, count)
            count, written, longest = count + 1, written + 4 * PAGE, max(longest, log.stat().st_size)
        assert longest < written / 4
        assert path.stat().st_size > count * PAGE / 2  # and nobody has closed it
        assert {thread.name for thread in threading.enumerate()} - before == {"checkpoints"}
        assert store.unread() == count
    assert {thread.name for thread in threading.enumerate()} == before
    assert not log.exists()


@pytest.mark.usefixtures("soon")
def test_who_cleans_waits_for_one_that_is_under_way(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        for number in range(100):
            write(store, number)
        secret = f"RM_{7:012}"
        store.forget(secret)
        with store._checkpoints.under_way:
            cleaning = threading.Thread(target=store.clean)
            cleaning.start()
            cleaning.join(0.05)
            assert cleaning.is_alive()
        cleaning.join(LIMIT)
        assert not cleaning.is_alive()
        assert path.with_name(f"{path.name}-wal").stat().st_size == 0
    assert secret.encode() not in path.read_bytes()


@pytest.mark.usefixtures("soon")
def test_a_file_that_cannot_be_copied_into_is_written_to_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = threading.Event()

    def refuse(*_: object) -> tuple[int, int]:
        tried.set()
        raise StoreError("no")

    monkeypatch.setattr(checkpoints.Checkpoints, "_checkpoint", refuse)
    with closing(SqliteStore(path)) as store:
        for number in range(100):
            write(store, number)
        assert tried.wait(LIMIT)
        write(store, 100)
    monkeypatch.undo()
    with closing(SqliteStore(path)) as store:
        assert store.unread() == 101
        assert store.evidence(f"RM_{100:012}")


@pytest.mark.usefixtures("soon")
def test_nothing_is_copied_into_a_file_that_was_cut_off(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        for number in range(100):
            write(store, number)
        with closing(reopened(path)) as other:
            store._checkpoints._checkpoint(other)
            write(store, 100)
            size = path.stat().st_size // 2
            os.truncate(path, size)
            with pytest.raises(StoreError, match="was truncated"):
                store._checkpoints._checkpoint(other)
            assert path.stat().st_size == size
        with pytest.raises(StoreError, match="was truncated"):
            write(store, 101)
