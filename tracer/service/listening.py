"""That somebody listens is noted in the store every few seconds: what is not recorded after that was not heard."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from secrets import token_hex
from typing import TYPE_CHECKING

from tracer.errors import StoreError
from tracer.service.in_thread import InThread
from tracer.timeline.listened import NOTED_EVERY

if TYPE_CHECKING:
    from tracer.store import Writer

__all__ = ["Listening"]


class Listening:
    """One run of `tracer serve` or `tracer observe`. It begins when this is made."""

    def __init__(self, store: Writer) -> None:
        self._store = store
        self._run, self._since = token_hex(8), time.time_ns()
        self._thread = InThread("note that tracer listens")

    async def run(self) -> None:
        """Until cancelled; then the end is noted too. While the store is away nothing is noted, and nothing kept."""
        try:
            while True:
                await self._thread.run(self._note)
                await asyncio.sleep(NOTED_EVERY)
        finally:
            with suppress(StoreError):  # which whoever writes says
                await asyncio.to_thread(self._note)

    def _note(self) -> int:
        self._store.note_listened(self._run, self._since, time.time_ns())
        return 1
