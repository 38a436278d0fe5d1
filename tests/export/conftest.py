"""A backend on a port of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.otlp_backend import OtlpBackend

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def backend() -> Iterator[OtlpBackend]:
    with OtlpBackend() as running:
        yield running
