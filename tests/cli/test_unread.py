from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.moments import ROOM
from tests.signed import EVENTS, body
from tracer.cli import unread
from tracer.store.sqlite import SqliteStore
from tracer.witness import evidence, webhook

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.test_cli import Tracer


@pytest.fixture
def unread_store(path: Path) -> Path:
    """A store of a service that was killed before it had read what came in."""
    with closing(SqliteStore(path)) as store:
        for what in EVENTS:
            raw = body(what)
            store.add([evidence.of_webhook(raw, webhook.glance(raw), 2**62)])
    return path


@pytest.mark.parametrize("command", [["timeline", ROOM], ["why", "demo"], ["check", "demo"], ["rooms"]])
def test_what_was_not_read_is_read_first(tracer: Tracer, unread_store: Path, command: list[str]) -> None:
    result = tracer(*command, "--store", str(unread_store))
    assert "demo" in result.stdout
    assert "not read yet" not in result.stderr


def test_what_there_is_no_time_for_is_said(
    tracer: Tracer,
    unread_store: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unread, "WITHIN", 0.0)
    result = tracer("rooms", "--store", str(unread_store))
    assert f"{len(EVENTS)} requests that came in are not read yet" in result.stderr
