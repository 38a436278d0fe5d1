"""Makes the summary of each room that is over, beside whoever keeps its moments."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tracer.errors import StoreError
from tracer.reading import timeline_in
from tracer.summary import VERSION, summarize

if TYPE_CHECKING:
    from tracer.store.sqlite import SqliteStore

__all__ = ["Summarizer"]

log = logging.getLogger("tracer")

INTERVAL = 2.0
"""Seconds between looks; a room in which nothing was learnt from one look to the next is summed up."""
AT_ONCE = 20
"""Rooms in one go: what is received must not wait for it."""


class Summarizer:
    """Looks for rooms that are over, and keeps a summary of each, until cancelled."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self._seen: dict[str, int] = {}

    async def run(self) -> None:
        """Until cancelled. What fails is logged, and tried again when something new is learnt of that room."""
        try:
            await asyncio.to_thread(self.store.forget_summaries, VERSION)
        except StoreError as error:
            log.error("summaries: %s", error)
        while True:
            try:
                await asyncio.to_thread(self.look)
            except StoreError as error:
                log.error("summaries: %s", error)
            await asyncio.sleep(INTERVAL)

    def look(self) -> int:
        """Sum up the rooms that have been quiet since the last look; how many they were."""
        waiting = dict(self.store.to_summarize(500))
        quiet = [room for room, newest in waiting.items() if self._seen.get(room) == newest][:AT_ONCE]
        self._seen = waiting
        return sum(self._sum_up(room) for room in quiet)

    def _sum_up(self, room: str) -> bool:
        newest = self.store.changed(room)
        timeline = timeline_in(self.store, room)
        if timeline.open_jobs():
            return False  # they end, or are taken for lost
        self.store.summarized(room, newest, VERSION, summarize(timeline).to_json())
        if timeline.earlier:
            # That a caller came back is seen in the next room only.
            before = timeline.earlier.room.sid
            newest = self.store.changed(before)
            self.store.summarized(before, newest, VERSION, summarize(timeline_in(self.store, before)).to_json())
        return True
