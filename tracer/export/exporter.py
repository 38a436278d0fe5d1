"""Queues the spans of every room in the store's outbox, and has them sent from there.

A span is put into the outbox before it is sent and removed after the backend accepted it. So it outlives the backend's
absence and the receiver's restart. A retry after a lost answer sends the same span under the same ids, which Jaeger
treats as one.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from tracer import ids
from tracer.errors import StoreError, UnreadableError
from tracer.export.otlp import closed_with_job, to_otlp
from tracer.export.outbox import BATCH, Outbox
from tracer.export.room_spans import RoomSpans
from tracer.export.spans import spans
from tracer.settings import address, otlp_endpoint
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.witness.outgoing import in_room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from opentelemetry.sdk.trace.export import SpanExporter

    from tracer.store import Outgoing, Writer

__all__ = ["Exporter"]

log = logging.getLogger("tracer")
T = TypeVar("T")

INTERVAL = 0.25
"""Seconds between two checks for spans that are ready."""
LAST_TRY = 3.0
"""Seconds that the end of the process may wait for the backend; what is not sent stays in the store."""
MOST_ROOMS = 2000
"""Rooms of which is remembered what was queued; beyond that the store's own memory serves, more slowly."""
LONGEST_PAUSE = 30.0
"""Seconds between tries while the backend is away."""


LONGEST_WAIT = 600 * NS_PER_S
"""For how long, ns, a span that names no room waits for another of its trace to name it; then it goes as it came."""
MOST_WAITING = 20_000
"""Spans that wait so at most, a few hundred calls' worth: the oldest go first."""


class Exporter:
    """Fills the outbox with spans that are ready and empties it into the backend, until cancelled."""

    def __init__(self, store: Writer, exporter: SpanExporter | None = None) -> None:
        self.store = store
        self.outbox = Outbox(store, exporter or OTLPSpanExporter())
        self._rooms: dict[str, RoomSpans] = {}
        """The rooms of which spans may still come, by SID."""
        self._unreadable: dict[str, int] = {}
        """Rooms that cannot be exported, each with the number of the newest moment with which that was tried."""

    async def run(self) -> None:
        """Until cancelled. A backend that is away is tried again for ever, at growing intervals, and logged once."""
        pause = INTERVAL
        while True:
            try:
                if not self.store.may_export():
                    await asyncio.sleep(1)
                    continue
                await _in_daemon_thread(self.fill, time.monotonic())
                if await _in_daemon_thread(self.outbox.send):
                    if pause > INTERVAL:
                        log.info("exporting to %s again", _target())
                    pause = INTERVAL
                else:
                    if pause == INTERVAL:
                        log.warning("cannot export to %s; spans are queued and will be retried", _target())
                    pause = min(max(pause * 2, 1.0), LONGEST_PAUSE)
            except Exception as error:
                log.error("cannot export: %s", error, exc_info=not isinstance(error, StoreError))
                pause = LONGEST_PAUSE
            await asyncio.sleep(pause)

    async def finish(self) -> None:
        """Send what is ready now, whatever may still change; one try, for at most ``LAST_TRY``."""
        trying = asyncio.ensure_future(_in_daemon_thread(self._finish))
        await asyncio.wait([trying], timeout=LAST_TRY)
        if trying.done() and (error := trying.exception()):
            log.error("cannot export: %s", error)

    def _finish(self) -> None:
        if not self.store.may_export():
            return
        self.fill(float("inf"))
        self.outbox.send()

    def fill(self, now: float) -> None:
        """Queue the spans of changed rooms that have not changed for a while; ``now`` in s, monotonic."""
        placed = self.store.placed(BATCH)
        ready: list[Outgoing] = [in_room(one.body, one.room) for one in placed]
        exported: list[tuple[str, int]] = []
        updated: dict[str, RoomSpans] = {}
        for room, newest in self.store.rooms_to_export():
            if self._unreadable.get(room) == newest:
                continue
            try:
                outgoing, updated[room], complete = self._of_room(room, now)
            except StoreError as error:
                if not isinstance(error, UnreadableError):
                    raise
                log.error("cannot export room %s: %s", room, error)
                self._unreadable[room] = newest
                continue
            except Exception:
                log.exception("cannot export room %s", room)
                self._unreadable[room] = newest
                continue
            ready += outgoing
            if complete:
                exported.append((room, newest))
        if ready or exported:
            self.store.queue(ready, exported, [one.number for one in placed])
        self.store.release(time.time_ns() - LONGEST_WAIT, MOST_WAITING)
        # Only what is safely in the outbox counts as queued.
        self._rooms |= {room: state for room, state in updated.items() if state.waiting or state.queued}
        self._forget(room for room, _ in exported if ids.span_id("room", room) in updated[room].queued)

    def _of_room(self, room: str, now: float) -> tuple[list[Outgoing], RoomSpans, bool]:
        """What of a room to queue now, the state of its spans then, and whether all it has was queued."""
        timeline = fold(room, self.store.moments(room), now=time.time_ns())
        state, ready = self._rooms.get(room, RoomSpans()).updated(spans(timeline), now)
        outgoing: list[Outgoing] = []
        for span in ready:
            outgoing.append(to_otlp(span))
            if span.closes:
                outgoing += [closed_with_job(open_span, span) for open_span in self.store.open_spans(span.closes)]
        jobs_may_end = timeline.room.finished and timeline.open_jobs()  # or are taken for lost
        return outgoing, state, not state.waiting and not jobs_may_end

    def _forget(self, finished: Iterable[str]) -> None:
        """Drop the rooms of which no span is to come, and the oldest where there are too many."""
        for room in finished:
            del self._rooms[room]
        while len(self._rooms) > MOST_ROOMS:
            del self._rooms[next(iter(self._rooms))]  # spans that still wait there wait a little longer


def _target() -> str:
    endpoint = otlp_endpoint()
    return address(endpoint) if endpoint else "the backend"


async def _in_daemon_thread(function: Callable[..., T], *arguments: object) -> T:
    """Run it in a thread of its own that the end of the process does not wait for, as it would for a pool's."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # there is one, where there is no error

    def run() -> None:
        result, error = None, None
        try:
            result = function(*arguments)
        except BaseException as raised:  # noqa: BLE001  it is raised where it is waited for
            error = raised
        with suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            loop.call_soon_threadsafe(finish, result, error)

    threading.Thread(target=run, name="export", daemon=True).start()
    return await done
