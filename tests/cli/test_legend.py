from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_cli import Tracer, store
from tracer.cli.legend import first_time
from tracer.settings import legend_marker

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["store"]  # fixtures

MEANING = "a participant is JOINING, JOINED, ACTIVE"


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CI", raising=False)


def test_in_a_pipe_it_is_shown_when_it_is_asked_for(tracer: Tracer, store: Path) -> None:
    ran = [tracer("timeline", "demo", "--store", store, *more) for more in ((), ("--legend",), ())]
    assert [MEANING in one.stdout for one in ran] == [False, True, False]
    assert not list(tracer.folder.rglob("legend-seen"))


def test_on_a_terminal_it_is_shown_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert [first_time() for _ in range(3)] == [True, False, False]


def test_not_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("CI", "true")
    assert not first_time()
    assert not legend_marker().exists()


def test_where_nothing_can_be_noted_it_is_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert not first_time()
