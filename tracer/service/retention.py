"""Forgetting: rooms that are older than is wanted, and the oldest where there is too much."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tracer.service.in_thread import InThread
from tracer.store import Task, is_database
from tracer.units import NS_PER_S, plural

if TYPE_CHECKING:
    from tracer.store import Writer

__all__ = ["Limits", "Retention"]

log = logging.getLogger("tracer")

EVERY = 60.0
"""Seconds between two passes."""
LAPTOP = 2 * 1000**3
"""How large a file becomes, bytes, where nothing was said."""
RECENT = 3600 * NS_PER_S
"""A room of which something came within this time, ns, is not forgotten, however large the store is."""
WORKERS_KEPT = 30 * 24 * 3600 * NS_PER_S
"""For how long, ns, what workers say of themselves is kept where rooms are kept for ever."""
PAGES_AT_ONCE = 64
"""Pages that are given back at one time, some 5 ms: others wait for it."""
PAUSE = 0.02
"""Seconds after each step, for whoever waits to write."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is kept."""

    age: int | None = None
    """For how long, ns; None: for ever."""
    size: int | None = None
    """How much, bytes; None: all."""

    @classmethod
    def of(cls, store: str, age: int | None, size: int | None) -> Limits:
        """As given; without a size, a file on somebody's laptop is kept to ``LAPTOP``."""
        return cls(age, LAPTOP if size is None and not is_database(store) else size)


class Retention:
    """Keeps a store within its limits, in the background."""

    def __init__(self, store: Writer, limits: Limits) -> None:
        self.store = store
        self.limits = limits
        self._thread = InThread("forget old rooms")

    async def run(self) -> None:
        """Until cancelled. An error is logged and the pass repeated."""
        while True:
            await self._thread.run(self.run_once)
            await asyncio.sleep(EVERY)

    def run_once(self) -> int:
        """One pass; returns how many rooms were forgotten."""
        if not self.store.may(Task.FORGET):
            return 0
        now = time.time_ns()
        before = now - self.limits.age if self.limits.age is not None else None
        old = self._forget(before) if before is not None else 0
        self.store.forget_old(before if before is not None else now - WORKERS_KEPT)
        much = self._forget(now - RECENT, down_to=self.limits.size) if self.limits.size is not None else 0
        while not self._thread.stopped and self.store.give_back(PAGES_AT_ONCE):
            time.sleep(PAUSE)
        if old:
            log.info("%d %s forgotten, older than --keep", old, plural(old, "room"))
        if much:
            log.info("%d %s forgotten, the oldest: the store was larger than --max-size", much, plural(much, "room"))
        return old + much

    def _forget(self, before: int, *, down_to: int = -1) -> int:
        """Forget the oldest rooms that were over before a time, while the store is larger than so many bytes."""
        count = 0
        while not self._thread.stopped and self.store.used() > down_to and (gone := self.store.forget_oldest(before)):
            count += gone
            time.sleep(PAUSE)
        return count
