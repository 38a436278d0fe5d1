"""The only way into the store: what comes in, from whichever witness, is written through this queue.

Evidence is logged first, many requests in one commit, and then read into moments: at once while that keeps up with what
comes in, before the sender is answered; and later, when there is time, where it does not.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from tracer.errors import MalformedError, StoreError, TooLargeError
from tracer.service import hanging
from tracer.service.seldom import Seldom
from tracer.store import Arrival, Evidence
from tracer.witness import evidence as witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tracer.store import Writer

_T = TypeVar("_T")

__all__ = ["WriteQueue", "read_some", "stored_already"]

log = logging.getLogger("tracer")

CAPACITY = 4096
"""Requests that may wait for the disk; the sender of one more is asked to retry."""
TOGETHER = 0.001
"""Seconds for which a commit waits at most, until as many requests wait for it as the one before had."""
READ_AT_ONCE = 8
"""Pieces of evidence that are read before their senders are answered: where more wait, there is no time for it."""
LARGE = 128 * 1024
"""Bytes of them above which that is so too: some 100 spans, which take 20 ms."""
CHUNK = 32
"""Pieces of evidence that are read in one commit when nothing else comes."""
QUIET = 0.05
"""Seconds without a request after which there is time to read: whoever waits for an answer sends the next one then."""
BITE = 2
"""The same while more comes in: those who send meanwhile wait for it, some 3 ms where each has 17 spans."""
LONGEST_UNREAD = 1 / 32
"""Seconds after which a bite is read even while more comes in."""
AFTER_FAILURE = 0.5
"""Seconds until what could not be read is tried again."""


class _Waiting(NamedTuple):
    """What waits for the disk: moments, or evidence of which they are to be made."""

    arrival: Arrival | None
    evidence: Sequence[Evidence]
    done: asyncio.Future[bool]


class WriteQueue:
    """Stores what arrives, many requests in one commit. ``run`` must be running."""

    def __init__(
        self,
        store: Writer,
        *,
        redact: bool = False,
        on_read: Callable[[Arrival], None] = lambda _: None,
    ) -> None:
        """``on_read`` is called with what is on disk."""
        self.store = store
        self.redact = redact
        self.moments = 0
        """Moments stored since the start."""
        self._on_read = on_read
        self._failures = Seldom()
        self._unread = bool(store.to_read(1))
        self._read = time.monotonic()
        """When evidence that had to wait was last read."""
        self._came = asyncio.Event()
        self._enough = 1
        """How many must wait for ``_came`` to be set."""
        self._last = 0
        """Requests of the last commit."""
        self._is_quiet = False
        self._waiting: list[_Waiting] = []

    @property
    def waiting(self) -> int:
        """How many requests wait for the disk."""
        return len(self._waiting)

    def keep(self, arrival: Arrival) -> asyncio.Future[bool]:
        """Done when this is on disk; False when it was stored before. Raises StoreError when it cannot be stored."""
        if not (arrival.moments or arrival.outgoing or arrival.traces or arrival.unknown):
            return stored_already()
        if self.redact:
            arrival = replace(arrival, moments=tuple(moment.redacted() for moment in arrival.moments))
        return self._put(arrival, ())

    def keep_evidence(self, evidence: Sequence[Evidence]) -> asyncio.Future[bool]:
        """The same for evidence; False when it is of a webhook that was stored before."""
        return self._put(None, evidence) if evidence else stored_already()

    def _put(self, arrival: Arrival | None, evidence: Sequence[Evidence]) -> asyncio.Future[bool]:
        if len(self._waiting) >= CAPACITY:
            raise StoreError("write queue is full; retry later")
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(arrival, evidence, done))
        if len(self._waiting) >= self._enough:
            self._came.set()
        return done

    async def check(self) -> None:
        """Raises StoreError when the store cannot be written now."""
        await hanging.in_time(asyncio.to_thread(self.store.check))

    async def run(self) -> None:
        """Until cancelled. All that waits is one commit, however many requests there are."""
        while True:
            if self._unread and (time.monotonic() > self._read + LONGEST_UNREAD or not await self._something_comes()):
                await self._read_some()
                continue
            while not self._waiting:
                self._came.clear()
                await self._came.wait()
            await self._gather()
            batch, self._waiting = self._waiting, []
            await self._store(batch)
            self._is_quiet = False

    async def _gather(self) -> None:
        """Let those whom the last commit answered send what comes next.

        Else the first of them have a commit for which the others wait.
        """
        if len(self._waiting) < self._last:
            self._enough = self._last
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(TOGETHER):
                    await self._came.wait()
            self._enough = 1
        self._last = len(self._waiting)

    async def _something_comes(self) -> bool:
        """Whether something waits, or comes within ``QUIET``; once it is quiet, whether something waits."""
        if not self._waiting and not self._is_quiet:
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(QUIET):
                    await self._came.wait()
        self._is_quiet = not self._waiting
        return not self._is_quiet

    async def _store(self, batch: list[_Waiting]) -> None:
        try:
            fresh, told = await self._in_thread(lambda: self._stored(batch), batch)
        except Exception as error:  # noqa: BLE001  a queue that ends would block every later request
            failure = error if isinstance(error, StoreError) else StoreError(f"cannot write to the store: {error!r}")
            self._failures.warn(str(failure), logging.ERROR)
            for one in batch:
                if not one.done.done():
                    one.done.set_exception(failure)
            return
        self._tell(told)
        for one, new in zip(batch, fresh, strict=True):
            if not one.done.done():
                one.done.set_result(new)

    async def _in_thread(self, work: Callable[[], _T], batch: Iterable[_Waiting] = ()) -> _T:
        """What ``work`` comes to; while a database or a disk hangs, whoever waits is asked to retry."""
        running = asyncio.get_running_loop().run_in_executor(None, work)  # a task would begin it a turn later
        try:
            while not (await asyncio.wait({running}, timeout=hanging.ANSWERED_WITHIN))[0]:
                waiting, self._waiting = self._waiting, []
                for one in (*batch, *waiting):
                    if not one.done.done():
                        one.done.set_exception(StoreError(hanging.NO_ANSWER))
        finally:
            running.cancel()
        return running.result()

    def _stored(self, batch: list[_Waiting]) -> tuple[list[bool], list[Arrival]]:
        """Write a batch in one commit. Of each whether it is new, and what was read of it already."""
        sizes = [len(piece.body) for one in batch for piece in one.evidence]
        later = self._unread or len(sizes) > READ_AT_ONCE or sum(sizes) > LARGE
        items: list[Arrival | Evidence] = []
        for one in batch:
            if one.arrival:
                items.append(one.arrival)
            items += one.evidence if later else [arrival_of(piece) for piece in one.evidence]
        new = self.store.add(items)
        self._unread = self._unread or (later and bool(sizes))
        told = [item for item, is_new in zip(items, new, strict=True) if is_new and isinstance(item, Arrival)]
        of_each = iter(new)
        fresh = [all(list(islice(of_each, bool(one.arrival) + len(one.evidence)))) for one in batch]
        return fresh, told

    async def _read_some(self) -> None:
        try:
            self._tell(await self._in_thread(self._next))
        except StoreError as error:
            self._failures.warn(str(error), logging.ERROR)
            await asyncio.sleep(AFTER_FAILURE)
        self._read = time.monotonic()

    def _next(self) -> list[Arrival]:
        evidence = self.store.to_read(CHUNK if self._is_quiet else BITE)
        told = read(self.store, evidence)
        self._unread = bool(evidence)
        return told

    def _tell(self, told: Iterable[Arrival]) -> None:
        for arrival in told:
            self.moments += len(arrival.moments)
            self._on_read(arrival)


def stored_already() -> asyncio.Future[bool]:
    """As of what is on disk, where there is nothing to store."""
    done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    done.set_result(True)
    return done


def arrival_of(piece: Evidence) -> Arrival:
    """What a piece of evidence reports. What cannot be read is kept, for a version that can."""
    try:
        return witness.arrival(piece)
    except (MalformedError, TooLargeError) as error:
        log.warning("what came in of room %r is kept and cannot be read: %s", piece.room, error)
    except Exception:
        log.exception("what came in of room %r is kept and cannot be read", piece.room)
    return Arrival(evidence=piece)


def read(store: Writer, evidence: Iterable[Evidence]) -> list[Arrival]:
    """Read evidence that is in the store; what was new. Raises StoreError."""
    arrivals = [arrival_of(piece) for piece in evidence]
    new = store.add(arrivals) if arrivals else []
    return [arrival for arrival, is_new in zip(arrivals, new, strict=True) if is_new]


def read_some(store: Writer) -> int:
    """Read some of the evidence that was not, the oldest; how many pieces. Raises StoreError."""
    evidence = store.to_read(CHUNK)
    read(store, evidence)
    return len(evidence)
