"""A short round of `make chaos`: nothing that was acknowledged is lost, and nothing is exported twice."""

from __future__ import annotations

import asyncio
import os
from random import Random
from typing import TYPE_CHECKING

from tests.chaos import kills, shared
from tests.chaos.options import Options
from tests.chaos.running import Stop, waited
from tracer.export.room_spans import QUIET

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_stop_is_not_charged_with_the_time_that_others_had_the_cores() -> None:
    assert Stop(7.5, 5.0).own == 2.5
    assert str(Stop(7.5, 5.0)) == "7.5 s (in 5.0 s of them others had the cores)"
    assert str(Stop(1.5, 0.25)) == "1.5 s"
    assert waited(os.getpid()) > waited(None) == 0.0


def test_what_was_acknowledged_outlives_three_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "SETTLED", QUIET + 0.2)
    options = Options(3, Random(1), tmp_path, senders=3)  # noqa: S311  the same kills every time
    rows = asyncio.run(kills.run(options, ["ok_second_session"]))
    assert [row for row in rows if not row.right] == []


def test_receivers_that_share_a_database_leave_what_one_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "SETTLED", QUIET + 0.2)
    monkeypatch.setattr(shared, "SETTLED", QUIET + 0.2)
    monkeypatch.setattr(shared, "DATABASE_EVERY", 2)
    options = Options(2, Random(1), tmp_path, senders=3)  # noqa: S311  the same kills every time
    rows = asyncio.run(shared.run(options, ["ok_second_session"]))
    assert [row for row in rows if not row.right] == []
