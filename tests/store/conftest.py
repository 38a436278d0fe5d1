"""What a store promises is tried on each of them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.postgresql import Postgres, emptied
from tracer.store import open_writer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tracer.store import Writer


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """A database that the tests of this process use one after the other."""
    with Postgres() as server:
        yield server.location


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgresql"))])
def location(request: pytest.FixtureRequest, path: Path) -> str:
    """Where an empty store can be, of either kind."""
    if request.param == "sqlite":
        return str(path)
    return emptied(request.getfixturevalue("database"))


@pytest.fixture
def store(location: str) -> Iterator[Writer]:
    """An empty store of either kind."""
    with closing(open_writer(location)) as opened:
        yield opened
