"""The only way into the store: what comes in, from whichever witness, is written through this queue."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.errors import StoreError
from tracer.service.seldom import Seldom

if TYPE_CHECKING:
    from tracer.store import Arrival, Writer

__all__ = ["WriteQueue"]

CAPACITY = 4096
"""Arrivals that may wait for the disk; the sender of one more is asked to retry."""


class WriteQueue:
    """Stores what arrives, many arrivals in one commit. ``run`` must be running."""

    def __init__(self, store: Writer, *, redact: bool = False) -> None:
        self.store = store
        self.redact = redact
        self.moments = 0
        """Moments stored since the start."""
        self._failures = Seldom()
        self._waiting: asyncio.Queue[tuple[Arrival, asyncio.Future[bool]]] = asyncio.Queue(CAPACITY)

    async def keep(self, arrival: Arrival) -> bool:
        """Wait until this is on disk; False when it was stored before. Raises StoreError when it cannot be stored."""
        if not (arrival.moments or arrival.outgoing or arrival.event_id or arrival.traces or arrival.unknown):
            return True
        if self.redact:
            arrival = replace(arrival, moments=tuple(moment.redacted() for moment in arrival.moments))
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((arrival, done))
        except asyncio.QueueFull:
            raise StoreError("write queue is full; retry later") from None
        fresh = await done
        if fresh:
            self.moments += len(arrival.moments)
        return fresh

    async def check(self) -> None:
        """Raises StoreError when the store cannot be written now."""
        await asyncio.to_thread(self.store.check)

    async def run(self) -> None:
        """Until cancelled. All that waits is one commit, however many arrivals there are."""
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty() and len(batch) < CAPACITY:
                batch.append(self._waiting.get_nowait())
            try:
                fresh = await asyncio.to_thread(self.store.add, [arrival for arrival, _ in batch])
            except Exception as error:  # noqa: BLE001  a queue that ends would block every later arrival
                failure = (
                    error if isinstance(error, StoreError) else StoreError(f"cannot write to the store: {error!r}")
                )
                self._failures.warn(str(failure), logging.ERROR)
                for _, done in batch:
                    if not done.done():
                        done.set_exception(failure)
            else:
                for (_, done), new in zip(batch, fresh, strict=True):
                    if not done.done():
                        done.set_result(new)
