"""Makes the summary of each room that is over, beside whoever keeps its moments."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tracer.errors import StoreError
from tracer.latency.summary import VERSION, Counted
from tracer.store.load import WORKERS_LATER, sum_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tracer.latency.summary import Summary
    from tracer.store.sqlite import SqliteStore
    from tracer.timeline.timeline import Timeline

__all__ = ["Summarizer"]

log = logging.getLogger("tracer")

INTERVAL = 2.0
"""Seconds between looks; a room in which nothing was learnt from one look to the next is summed up."""
BREATH = 0.5
"""Seconds between looks while there is much to do."""
AT_ONCE = 20
"""Rooms in one look: what is received must not wait for them."""


class Summarizer:
    """Looks for rooms that are over, and keeps a summary of each, until cancelled."""

    def __init__(self, store: SqliteStore) -> None:
        self.store = store
        self._settled = 0
        """Number of the moment that was the newest at an earlier look: a room whose newest is older is quiet."""
        self._after = 0
        """Up to which number the rooms were looked at. One that has to wait is passed by, and comes again."""
        self._stopped = False

    async def run(self) -> None:
        """Until cancelled. What fails is logged, and tried again."""
        await self._in_thread(self._forget)
        while True:
            made = await self._in_thread(self.look)
            await asyncio.sleep(BREATH if made >= AT_ONCE // 2 else INTERVAL)

    async def _in_thread(self, work: Callable[[], int]) -> int:
        """Do it beside what is received. When cancelled it stops soon, and is waited for: the store is closed next."""
        working = asyncio.create_task(asyncio.to_thread(work))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            self._stopped = True
            await asyncio.gather(working, return_exceptions=True)
            raise
        except Exception as error:
            log.error("summaries: %s", error, exc_info=not isinstance(error, StoreError))
            return 0

    def _forget(self) -> int:
        self.store.forget_summaries(VERSION)
        return 0

    def look(self) -> int:
        """Sum up rooms that have been quiet since an earlier look; how many summaries were made."""
        rooms = self.store.to_summarize(self._after, self._settled, AT_ONCE)
        if len(rooms) < AT_ONCE:
            self._after, self._settled = 0, self.store.newest()
        else:
            self._after = rooms[-1][1]
        made = [summary for room, _ in rooms if not self._stopped for summary in self._of(room)]
        if made:
            self.store.summarized(made, VERSION)
        return len(made)

    def _of(self, room: str) -> Iterator[tuple[str, int, str]]:
        """The summary of a room; nothing while something can still be learnt."""
        try:
            newest = self.store.changed(room)
            summary, timeline = sum_up(self.store, room)
            if not _waits(summary, timeline):
                yield room, newest, summary.to_json()
        except StoreError as error:
            log.error("summaries: %s", error)


def _waits(summary: Summary, timeline: Timeline | None) -> bool:
    """Whether something can still be learnt that comes from elsewhere, or only from time."""
    if timeline is None:
        return False
    if timeline.open_jobs():
        return True  # they end, or are taken for lost
    last = max(step.time for step in timeline.steps)
    # Without an agent, a worker that came too late is worth knowing of.
    return summary.counted == Counted.NO_AGENT and timeline.now < last + WORKERS_LATER
