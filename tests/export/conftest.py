"""A store on disk, and a backend on a port of its own."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.otlp_backend import OtlpBackend
from tracer.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tracer.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path)) as opened:
        yield opened


@pytest.fixture
def backend() -> Iterator[OtlpBackend]:
    with OtlpBackend() as running:
        yield running
