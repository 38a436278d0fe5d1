"""What holds for all tests: which are live, and how many examples Hypothesis tries."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

LIVE = Path(__file__).parent / "live"

# No deadline: a busy machine is no fault. CI, where nobody waits, tries more.
settings.register_profile("fast", deadline=None, max_examples=40)
settings.register_profile("ci", deadline=None, max_examples=150)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "fast")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(LIVE):
            item.add_marker(pytest.mark.live)
