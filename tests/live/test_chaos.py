"""A short round of `make chaos`: nothing that was acknowledged is lost, and nothing is exported twice."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from tests.chaos import kills, shared
from tests.chaos.options import Options
from tracer.export.room_spans import QUIET

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


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
