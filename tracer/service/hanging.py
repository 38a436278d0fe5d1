"""How long a store may hang, as its database or its disk does, until whoever waits for it is asked to retry."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from tracer.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable

__all__ = ["ANSWERED_WITHIN", "NO_ANSWER", "in_time"]

_T = TypeVar("_T")

ANSWERED_WITHIN = 8.0
"""Seconds that anybody waits for it: OpenTelemetry's exporters give up after ten, as Prometheus does."""
NO_ANSWER = "the store does not answer; retry later"
"""What they are told."""


async def in_time(work: Awaitable[_T]) -> _T:
    """What the work comes to. Raises StoreError where that takes longer than ANSWERED_WITHIN."""
    try:
        async with asyncio.timeout(ANSWERED_WITHIN):
            return await work
    except TimeoutError:
        raise StoreError(NO_ANSWER) from None
