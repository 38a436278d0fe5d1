"""Queues the spans of every room in the store's outbox, and has them sent from there.

A span is put into the outbox before it is sent and removed after the backend accepted it. So it outlives the backend's
absence and the receiver's restart.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from tracer import ids
from tracer.errors import MalformedError, StoreError, TooLargeError, UnreadableError
from tracer.export.answer import Verdict
from tracer.export.answered import answered
from tracer.export.otlp import closed_with_job, to_otlp
from tracer.export.outbox import BATCH, TURN, Outbox
from tracer.export.room_spans import QUIET, RoomSpans
from tracer.export.span_names import SpanNames
from tracer.export.spans import spans
from tracer.store import NEWEST, Task
from tracer.store.load import timeline_in
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.witness import evidence
from tracer.witness.outgoing import in_room

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from tracer.export.answer import Answer
    from tracer.export.backend import Backend
    from tracer.store import Outgoing, Writer

__all__ = ["Exporter"]

log = logging.getLogger("tracer")

INTERVAL = 0.25
"""Seconds between two checks for spans that are ready."""
LAST_TRY = 1.5
"""Seconds in which the end of the process may begin requests; what is not sent stays in the store."""
LAST_ANSWER = 1.0
"""Seconds for which it then waits for the answer to the last one: without it, its spans are sent again."""
ROOMS_AT_ONCE = 50
"""Rooms that one pass looks at because something came of them, and as many that have waited longer."""
LONGEST_PASS = 0.2
"""Seconds after which a pass begins no other room: what is new waits for its end."""
LISTED = 20
"""Times as many are listed: most of them have been looked at, and wait for their second to be over."""
MOST_OF_A_CORE = 0.05
"""Of the time a room may take: one of thousands of moments is looked at less often."""
BUSY_INTERVAL = 0.02
"""Seconds between two passes while there is more to do."""
ENOUGH = 2000
"""Spans that wait for the backend: beyond, no other rooms are added: a new call would wait behind them."""
OLD = 60 * NS_PER_S
"""A room of before, of which nothing came for this long, ns, changes no more: its spans need not wait."""
MOST_ROOMS = 2000
"""Rooms of which is remembered what was queued; beyond that the store's own memory serves, more slowly."""
SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between tries while the backend is away."""


LONGEST_WAIT = 600 * NS_PER_S
"""For how long, ns, a span that names no room waits for another of its trace to name it; then it goes as it came."""
MOST_WAITING = 20_000
"""Spans that wait so at most, a few hundred calls' worth: the oldest go first."""


class _Known(NamedTuple):
    """A room as it was when it was last looked at."""

    spans: RoomSpans
    newest: int
    """The number of its newest moment."""
    at: float
    """From when on it is looked at again if something came of it, s, monotonic."""
    due: float
    """When it has to be looked at again although nothing came of it."""
    may_change: bool
    """Whether time alone may change its spans: a job that is under way may be taken for lost."""


class Exporter:
    """Fills the outbox with spans that are ready and empties it into the backend, until cancelled."""

    def __init__(
        self, store: Writer, backend: Backend, names: SpanNames = SpanNames.FEW, *, redact: bool = False
    ) -> None:
        """``redact``: leave personal data out of what agents sent and the store kept, with it, before."""
        self.store = store
        self.names = names
        self.outbox = Outbox(store, backend, redact=redact)
        self._rooms: dict[str, _Known] = {}
        """The rooms of which spans may still come, by SID."""
        self._unreadable: dict[str, int] = {}
        """Rooms that cannot be exported, each with the number of the newest moment with which that was tried."""
        self._backlog = store.newest()
        """The number of the newest moment that was there before."""
        self._below = NEWEST
        """The number below which the next of the other rooms are looked up."""
        self._pause = INTERVAL
        """Seconds to the next try."""
        self._away = ""
        """The kind of answer with which the backend last accepted nothing, so that it is said once."""
        self._sending: asyncio.Future[Answer | None] | None = None
        """Outlives ``run`` when that is cancelled: see ``finish``."""
        self._offered = False
        """Whether what the backend refused in an earlier run was offered to it again."""

    async def run(self) -> None:
        """Until cancelled. A backend that is away is tried again for ever, at growing intervals, and logged once."""
        await asyncio.gather(self._repeated(self._fill), self._repeated(self._send))

    async def _repeated(self, step: Callable[[], Awaitable[float]]) -> None:
        """Do it for ever, each time after the pause that it returned, in s; what fails is logged, once."""
        failed = ""
        while True:
            try:
                may = await asyncio.to_thread(self.store.may, Task.EXPORT)
                pause = await step() if may else SHORTEST_PAUSE
                failed = ""
            except StoreError as error:
                if str(error) != failed:
                    log.error("cannot export: %s", error)
                failed, pause = str(error), SHORTEST_PAUSE
            except Exception:
                log.exception("cannot export")
                pause = LONGEST_PAUSE
            await asyncio.sleep(pause)

    async def _fill(self) -> float:
        began = time.monotonic()
        is_more = await asyncio.to_thread(self.fill, began)
        return max(BUSY_INTERVAL if is_more else INTERVAL, time.monotonic() - began)  # half of the time is others'

    async def _send(self) -> float:
        if not self._offered:
            await asyncio.to_thread(self.store.offer_refused)
            self._offered = True
        began = time.monotonic()
        self._sending = asyncio.ensure_future(self.outbox.send())
        answer = await asyncio.shield(self._sending)
        if answer is None:
            if self._away:
                log.info("exporting to %s again", self.outbox.backend.target.shown)
            self._away, self._pause = "", INTERVAL
            return INTERVAL if time.monotonic() < began + TURN else 0.0
        if answer.verdict is not Verdict.REFUSED:  # which the outbox says
            self._say(answer)
        self._pause = min(max(self._pause * 2, SHORTEST_PAUSE), LONGEST_PAUSE)
        if answer.retry_after is not None:
            return max(answer.retry_after, INTERVAL)
        return self._pause * random.uniform(0.5, 1.0)  # noqa: S311  so that not all come back at once

    def _say(self, answer: Answer) -> None:
        if answer.kind != self._away:
            advice = ""
            if answer.verdict is Verdict.NOT_HERE:
                advice = ": set OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_HEADERS to what it accepts"
            log.warning(
                "cannot export to %s: %s; spans are kept and sent later%s",
                self.outbox.backend.target.shown,
                answer.text,
                advice,
            )
        self._away = answer.kind

    async def finish(self) -> None:
        """Send what is ready now, whatever may still change; one try, for at most ``LAST_TRY`` and ``LAST_ANSWER``."""
        trying = {asyncio.ensure_future(self._finish())} | ({self._sending} if self._sending else set())
        await asyncio.wait(trying, timeout=LAST_TRY)
        self.outbox.stop()
        _, unanswered = await asyncio.wait(trying, timeout=LAST_ANSWER)
        for one in unanswered:
            one.cancel()
        for result in await asyncio.gather(*trying, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("cannot export: %s", result)
        await self.outbox.backend.close()

    async def _finish(self) -> Answer | None:
        if not await asyncio.to_thread(self.store.may, Task.EXPORT):
            return None
        await asyncio.to_thread(self.fill, float("inf"))
        return await self.outbox.send()  # after the one that is under way

    def fill(self, now: float) -> bool:
        """Queue the spans of changed rooms that have not changed for a while; ``now`` in s, monotonic.

        Whether there may be more to do at once.
        """
        placed = self.store.placed(BATCH)
        ready: list[Outgoing] = [in_room(one.body, one.room) for one in placed]
        exported: list[tuple[str, int]] = []
        updated: dict[str, _Known] = {}
        end = time.perf_counter() + LONGEST_PASS
        for room, newest in self._next_rooms(now):
            if looked := self._look_at(room, newest, now):
                outgoing, updated[room], complete = looked
                ready += outgoing
                exported += [(room, newest)] * complete
            if time.perf_counter() > end:
                break
        if ready or exported:
            self.store.queue(ready, exported, [one.number for one in placed])
        self.store.release(time.time_ns() - LONGEST_WAIT, MOST_WAITING)
        # Only what is safely in the outbox counts as queued.
        self._rooms |= updated
        self._forget(room for room, _ in exported if ids.span_id("room", room) in updated[room].spans.queued)
        return len(updated) >= ROOMS_AT_ONCE or time.perf_counter() > end

    def _next_rooms(self, now: float) -> Iterator[tuple[str, int]]:
        """Those of which something came last and, while the backend keeps up, some of the others, by turns."""
        listed = self.store.rooms_to_export(LISTED * ROOMS_AT_ONCE)
        rooms = self._due(listed, now)
        yield from rooms
        if len(listed) <= len(rooms) < ROOMS_AT_ONCE or self.store.has_unsent(ENOUGH):
            return
        below = min(self._below, (rooms or listed)[-1][1]) if listed else NEWEST
        listed = self.store.rooms_to_export(LISTED * ROOMS_AT_ONCE, below)
        others = self._due(listed, now)
        for room, newest in others:
            self._below = newest
            yield room, newest
        if len(others) < ROOMS_AT_ONCE:
            self._below = listed[-1][1] if len(listed) == LISTED * ROOMS_AT_ONCE else NEWEST

    def _due(self, rooms: list[tuple[str, int]], now: float) -> list[tuple[str, int]]:
        """The first of these that have to be looked at."""
        return list(islice((room for room in rooms if self._is_due(*room, now)), ROOMS_AT_ONCE))

    def _is_due(self, room: str, newest: int, now: float) -> bool:
        if self._unreadable.get(room) == newest:
            return False
        known = self._rooms.get(room)
        return known is None or now >= known.due or (newest > known.newest and now >= known.at)

    def _look_at(self, room: str, newest: int, now: float) -> tuple[list[Outgoing], _Known, bool] | None:
        """As ``_of_room``; None for a room that cannot be read, which is said."""
        try:
            return self._of_room(room, newest, now)
        except StoreError as error:
            if not isinstance(error, UnreadableError):
                raise
            log.error("cannot export room %s: %s", room, error)
        except Exception:
            log.exception("cannot export room %s", room)
        self._unreadable[room] = newest
        return None

    def _of_room(self, room: str, newest: int, now: float) -> tuple[list[Outgoing], _Known, bool]:
        """What of a room to queue now, the room then, and whether all it has was queued."""
        known, began, as_of = self._rooms.get(room), time.perf_counter(), now
        state = known.spans if known else RoomSpans()
        if known and known.newest == newest and not known.may_change:
            found, open_jobs, jobs_may_end = [one.span for one in state.waiting.values()], False, False
        else:
            timeline = fold(room, self.store.moments(room), now=time.time_ns())
            if newest <= self._backlog and all(timeline.now - step.time > OLD for step in timeline.steps):
                as_of = float("inf")
            found, open_jobs = spans(timeline, self.names), bool(timeline.open_jobs())
            jobs_may_end = open_jobs and timeline.room.finished is not None  # or are taken for lost
        state, ready = state.updated(found, as_of)
        outgoing: list[Outgoing] = []
        for span in ready:
            if span.parent_id is None:  # with the workers and the rooms of this name beside it, for this only
                span = answered(span, timeline_in(self.store, room), self.names)  # noqa: PLW2901
            outgoing.append(to_otlp(span))
            if span.closes:
                outgoing += [closed_with_job(open_span, span) for open_span in self._open_spans(room, span.closes)]
        at = now + max(QUIET / 2, (time.perf_counter() - began) / MOST_OF_A_CORE)
        due = min((one.since for one in state.waiting.values()), default=now) + QUIET
        return outgoing, _Known(state, newest, at, max(at, due), open_jobs), not state.waiting and not jobs_may_end

    def _open_spans(self, room: str, job: str) -> list[Outgoing]:
        """The spans that a job of this room began and did not end, as far as is known, and that were not sent.

        What cannot be read was said to be so when it was stored.
        """
        found = {(one.trace_id, one.span_id): one for one in self.store.open_spans(job)}
        ended = set()
        for piece in self.store.evidence(room):
            with suppress(MalformedError, TooLargeError):
                for one in evidence.outgoing(piece):
                    if not one.open_job:
                        ended.add((one.trace_id, one.span_id))
                    elif one.open_job == job:
                        found[one.trace_id, one.span_id] = one
        sent = self.store.sent_spans({trace for trace, _ in found})
        return [one for key, one in found.items() if key not in ended and one.span_id not in sent.get(one.trace_id, ())]

    def _forget(self, finished: Iterable[str]) -> None:
        """Drop the rooms of which no span is to come, and the oldest where there are too many."""
        for room in finished:
            del self._rooms[room]
        while len(self._rooms) > MOST_ROOMS:
            del self._rooms[next(iter(self._rooms))]  # spans that still wait there wait a little longer
