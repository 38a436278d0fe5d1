"""Makes the summary of each room that is over, beside whoever stores its moments."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from tracer.errors import StoreError
from tracer.latency.summary import VERSION, Counted
from tracer.service.in_thread import InThread
from tracer.store import SCRATCH, Task
from tracer.store.load import WORKERS_LATER
from tracer.store.summaries import summarize_room

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.latency.summary import Summary
    from tracer.service.announcer import Announcer
    from tracer.service.fleet import Fleet
    from tracer.store import Writer
    from tracer.timeline.timeline import Timeline

__all__ = ["Summarizer"]

log = logging.getLogger("tracer")

INTERVAL = 2.0
"""Seconds between passes; a room in which nothing was learnt from one pass to the next is summarized."""
SHORT_INTERVAL = 0.5
"""Seconds between passes while there is much to do."""
ROOMS_PER_PASS = 20
"""Rooms in one pass: what is received must not wait for them."""


class Summarizer:
    """Finds rooms that are over, stores a summary of each and has it announced and counted, until cancelled.

    The rooms of `tracer doctor` are no calls: they are neither announced nor counted.
    """

    def __init__(self, store: Writer, announcer: Announcer | None = None, fleet: Fleet | None = None) -> None:
        self.store = store
        self.announcer = announcer
        self.fleet = fleet
        self._settled = 0
        """Number of the newest moment at an earlier pass: nothing was learnt since of a room whose newest is older."""
        self._after = 0
        """Up to which number the rooms were examined. A room that has to wait is skipped, and comes again."""
        self._thread = InThread("make summaries")

    async def run(self) -> None:
        """Until cancelled. An error is logged and the pass repeated."""
        await self._thread.run(self._forget)
        while True:
            made = await self._thread.run(self.run_once)
            await asyncio.sleep(SHORT_INTERVAL if made >= ROOMS_PER_PASS // 2 else INTERVAL)

    def _forget(self) -> int:
        self.store.forget_summaries(VERSION)
        return 0

    def run_once(self) -> int:
        """Summarize rooms that have not changed since an earlier pass; returns how many summaries were made."""
        if not self.store.may(Task.SUMMARIZE):
            return 0
        rooms = self.store.to_summarize(self._after, self._settled, ROOMS_PER_PASS)
        if len(rooms) < ROOMS_PER_PASS:
            self._after, self._settled = 0, self.store.newest()
        else:
            self._after = rooms[-1][1]
        made = [summary for room, _ in rooms if not self._thread.stopped for summary in self._of(room)]
        if made:
            self.store.summarized(made, VERSION)
        if self.announcer:
            self.announcer.passed()
        return len(made)

    def _of(self, room: str) -> Iterator[tuple[str, int, str]]:
        """The summary of a room; nothing while something can still be learnt."""
        try:
            newest = self.store.changed(room)
            summary, timeline = summarize_room(self.store, room)
            if timeline is not None and not timeline.steps:
                return  # it was forgotten meanwhile
            if not _must_wait(summary, timeline):
                yield room, newest, summary.to_json()
                if timeline is None or (timeline.room.name or "").startswith(SCRATCH):
                    return
                if self.announcer:
                    self.announcer.ended(timeline, summary, newest)
                if self.fleet:
                    self.fleet.over(timeline, summary, newest)
        except StoreError as error:
            log.error("cannot summarize room %s: %s", room, error)


def _must_wait(summary: Summary, timeline: Timeline | None) -> bool:
    """Whether something can still be learnt from elsewhere, or from the passing of time alone."""
    if timeline is None or timeline.stopped is not None:
        return False  # nobody listens any more: what comes all the same makes a new summary
    if timeline.open_jobs():
        return True  # they end, or are taken for lost
    last = max(step.time for step in timeline.steps)
    # Without an agent, a worker that came too late is worth knowing.
    return summary.counted == Counted.NO_AGENT and timeline.now < last + WORKERS_LATER
