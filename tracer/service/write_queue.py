"""The one who writes: whatever comes in, from whichever witness, goes to the store through here."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from tracer.errors import StoreError

if TYPE_CHECKING:
    from tracer.store import Arrival
    from tracer.store.sqlite import SqliteStore

__all__ = ["WriteQueue"]

log = logging.getLogger("tracer")

LARGEST_QUEUE = 4096
"""Arrivals that may wait for the disk; one more is asked to come again."""


class WriteQueue:
    """Keeps what arrives, many arrivals in one commit. ``run`` must be running."""

    def __init__(self, store: SqliteStore, *, redact: bool = False) -> None:
        self.store = store
        self.redact = redact
        self.moments = 0
        """Moments kept since the start."""
        self._waiting: asyncio.Queue[tuple[Arrival, asyncio.Future[bool]]] = asyncio.Queue(LARGEST_QUEUE)

    async def keep(self, arrival: Arrival) -> bool:
        """Wait until this is on disk; False when it was there before. Raises StoreError when it cannot be kept."""
        if not (arrival.moments or arrival.outgoing or arrival.event_id):
            return True
        if self.redact:
            arrival = replace(arrival, moments=tuple(moment.redacted() for moment in arrival.moments))
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((arrival, done))
        except asyncio.QueueFull:
            raise StoreError("the store is slower than what comes in") from None
        fresh = await done
        if fresh:
            self.moments += len(arrival.moments)
        return fresh

    async def run(self) -> None:
        """Until cancelled. The disk is waited for once for all that waits, however many arrivals there are."""
        while True:
            batch = [await self._waiting.get()]
            while not self._waiting.empty() and len(batch) < LARGEST_QUEUE:
                batch.append(self._waiting.get_nowait())
            try:
                fresh = await asyncio.to_thread(self.store.add, [arrival for arrival, _ in batch])
            except Exception as error:  # noqa: BLE001  a writer that ends would hang every later arrival
                # Whatever it is, those who wait are told, and the next batch has its chance.
                told = error if isinstance(error, StoreError) else StoreError(f"the store failed: {error!r}")
                log.error("%s", told)
                for _, done in batch:
                    if not done.done():
                        done.set_exception(told)
            else:
                for (_, done), new in zip(batch, fresh, strict=True):
                    if not done.done():
                        done.set_result(new)
