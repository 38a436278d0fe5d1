"""What holds for all tests: which are live, which of those share a process, how many examples Hypothesis tries."""

from __future__ import annotations

import os
import signal
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tracer.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Iterator

CI = os.environ.get("CI") == "true"
"""Whether nobody watches. Calls there share two cores with the servers and workers of other tests: a live test that
fails is run once more, and the last line of the report counts those."""
LIVE = Path(__file__).parent / "live"
SHARING = {"test_call", "test_compose", "test_dashboards", "test_gaps", "test_prometheus"}
"""Live modules whose tests share what takes long to start: pytest-xdist runs them in one process."""

# A shell without job control lets what it starts with `&` ignore SIGINT, and programs that tests start inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: a busy machine is no fault. CI tries more, and of each commit the same each time.
settings.register_profile("fast", deadline=None, max_examples=10)
settings.register_profile("ci", deadline=None, max_examples=150, derandomize=True)
settings.load_profile("ci" if CI else "fast")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist writes a test's group into its name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(LIVE):
            item.add_marker(pytest.mark.live)
            if CI:
                item.add_marker(pytest.mark.flaky(reruns=1))
            if item.path.stem in SHARING:
                item.add_marker(pytest.mark.xdist_group(item.path.stem))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the pictures in tests/golden anew")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tracer.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path)) as opened:
        yield opened
