from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.cli.test_cli import Tracer
from tests.moments import call
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tracer(tmp_path: Path) -> Tracer:
    """`tracer` in an empty folder."""
    folder = tmp_path / "folder"
    folder.mkdir()
    return Tracer(folder)


@pytest.fixture
def call_stored(tracer: Tracer) -> None:
    """A call in ``tracer.db`` of that folder."""
    with closing(SqliteStore(tracer.folder / "tracer.db")) as store:
        store.add([Arrival(tuple(call()))])
