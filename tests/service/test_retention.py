from __future__ import annotations

import logging
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.moments import START, call
from tests.store.test_forgetting import elsewhere
from tracer.service import retention
from tracer.service.retention import RECENT, Limits, Retention
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 24 * 3600 * NS_PER_S


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStore]:
    """Rooms of the last ten days, the newest a few minutes old."""
    monkeypatch.setattr(retention, "PAUSE", 0)
    now = time.time_ns() - 300 * NS_PER_S - START
    with closing(SqliteStore(tmp_path / "tracer.db")) as opened:
        opened.add(Arrival(tuple(elsewhere(call(), f"RM_{days}", now - days * DAY))) for days in range(10))
        yield opened


def left(store: SqliteStore) -> list[str]:
    return [row.sid for row in store.rooms(99)]


def test_what_is_older_is_forgotten(store: SqliteStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tracer")
    assert Retention(store, Limits(age=3 * DAY + DAY // 2)).run_once() == 6
    assert left(store) == ["RM_0", "RM_1", "RM_2", "RM_3"]
    assert "6 rooms forgotten, older than --keep" in caplog.text
    assert store.size().free == 0
    assert Retention(store, Limits(age=3 * DAY + DAY // 2)).run_once() == 0


def test_without_a_limit_of_age_all_is_kept(store: SqliteStore) -> None:
    assert Retention(store, Limits()).run_once() == 0


def test_of_too_much_the_oldest_goes_and_what_is_recent_stays(
    store: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tracer")
    enough = store.size().used - 1
    assert Retention(store, Limits(size=enough)).run_once() == 1
    assert left(store)[-1] == "RM_8"
    assert "the store was larger than --max-size" in caplog.text
    assert Retention(store, Limits(size=0)).run_once() == 8
    assert left(store) == ["RM_0"]
    assert RECENT > 300 * NS_PER_S
