"""The page at ``/``: its files, the rooms and what is known of one as JSON, and a word when that changes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from aiohttp import web

from tracer.errors import OverloadedError, StoreError, UnknownRoomError
from tracer.latency.summary import VERSION, Summary
from tracer.moment import Moment
from tracer.service.hanging import in_time
from tracer.service.senders import refuse_other_sites, refuse_unknown_readers
from tracer.store import open_reader
from tracer.store.load import timeline_in
from tracer.view.link import trace_link
from tracer.view.page.files import CONTENT_TYPES, static
from tracer.view.page.room import as_json
from tracer.view.rooms import as_json as rooms_as_json
from tracer.view.text import plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from tracer.store import Reader

__all__ = ["Page", "PageOptions"]

_T = TypeVar("_T")

AT_ONCE = 2
"""Rooms and lists that are read at one time: each takes a thread."""
MOST_WAITING = 32
"""Requests that may wait for that."""
MOST_LISTENERS = 64
"""Pages that are told of changes; one more is asked to come again."""
LOOKS_EVERY = 0.08
"""Seconds between two looks into the store while somebody listens: one small query, whoever wrote into it."""
LOOKS_AT_MOST_EVERY = 0.02
"""Seconds between two looks where this process itself stores one thing after the other."""
BEATS_EVERY = 15.0
"""Seconds after which a listener is sent an empty line: a connection that is gone is noticed."""
SMALL = 16_384
"""Bytes of an answer that is sent as it is."""
ROOMS = 50
"""Rooms of a list, for the beginning and for more."""
LONGEST_SEARCH = 200
"""Characters of what is searched for."""
MOST_ROOMS = 1_000_000
"""Rooms behind which nothing is listed."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""Of every answer: nothing but the page's own files runs, and nobody else shows it or reads from it."""


@dataclass(frozen=True, slots=True)
class PageOptions:
    """What was set for the page."""

    token: str = ""
    """What readers have to send; empty: nothing."""
    redact: bool = False
    """Whether personal data that is in the store is left out."""
    jaeger_url: str = ""
    """Where traces are looked at; empty: nowhere."""


class Page:
    """The routes, and who listens. ``run`` must be running for those who do."""

    def __init__(self, store: str, options: PageOptions) -> None:
        self.options = options
        self.host = ""
        """What the receiver listens on."""
        self._reads = _Reads(store, AT_ONCE)
        self._looks = _Reads(store, 1)
        self._waiting = 0
        self._listeners: Counter[str] = Counter()
        """How many listen to each room; the empty one is the list."""
        self._changes = asyncio.Condition()
        self._seen: dict[str, int] = {}
        """The number of the newest moment of each that is listened to."""
        self._somebody = asyncio.Event()
        self._news = asyncio.Event()
        self._stopping = False

    def add_to(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/", self._file)
        app.router.add_get("/page/{name}", self._file)
        app.router.add_get("/api/rooms", self._rooms)
        app.router.add_get("/api/rooms/{sid}", self._room)
        app.router.add_get("/api/changes", self._told)

    async def run(self) -> None:
        """Look for changes while somebody listens, until cancelled or stopped."""
        while True:
            await self._somebody.wait()
            if self._stopping:
                return
            self._news.clear()
            with suppress(StoreError):  # which whoever writes says
                await self._look()
            await asyncio.sleep(LOOKS_AT_MOST_EVERY)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOKS_EVERY - LOOKS_AT_MOST_EVERY)

    def heed(self) -> None:
        """Something was stored by this process: look at once."""
        self._news.set()

    async def stop(self) -> None:
        """Let those who listen go."""
        self._stopping = True
        async with self._changes:
            self._changes.notify_all()
        self._reads.close()
        self._looks.close()

    async def _look(self) -> None:
        asked = list(self._listeners)
        newest = await self._looks.run(lambda reader: _newest(reader, asked))
        async with self._changes:
            if any(self._seen.get(room) != number for room, number in newest.items()):
                self._seen = newest
                self._changes.notify_all()

    def _admit(self, request: web.Request) -> None:
        refuse_other_sites(request, self.host)
        refuse_unknown_readers(request, self.options.token, self.host)

    async def _file(self, request: web.Request) -> web.Response:
        refuse_other_sites(request, self.host)
        name = request.match_info.get("name", "index.html")
        if name != "index.html" and name not in CONTENT_TYPES:
            return web.Response(status=404, text="not found\n")
        kind = CONTENT_TYPES.get(name, "text/html")
        return web.Response(body=static(name), content_type=kind, charset="utf-8", headers=HEADERS)

    async def _rooms(self, request: web.Request) -> web.Response:
        self._admit(request)
        text = request.query.get("search", "")[:LONGEST_SEARCH].strip()
        after = _number(request.query.get("after", ""))
        found = await self._read(lambda reader: _listed(reader, text, after, redact=self.options.redact))
        return _json(found, request)

    async def _room(self, request: web.Request) -> web.Response:
        self._admit(request)
        sid, everything = request.match_info["sid"], "all" in request.query
        try:
            found = await self._read(lambda reader: self._shown(reader, sid, everything=everything))
        except UnknownRoomError:
            return web.Response(status=404, text="there is no such room\n", headers=HEADERS)
        return _json(found, request)

    def _shown(self, reader: Reader, sid: str, *, everything: bool) -> dict[str, Any]:
        tell = Moment.redacted if self.options.redact else None
        timeline = timeline_in(reader, reader.find(sid), tell=tell)
        link = trace_link(timeline.trace_id, self.options.jaeger_url) if self.options.jaeger_url else ""
        return as_json(timeline, everything=everything, trace_url=link)

    async def _read(self, what: Callable[[Reader], dict[str, Any]]) -> str:
        if self._waiting >= MOST_WAITING:
            raise OverloadedError("too many pages ask at once; retry later")
        self._waiting += 1
        try:
            return await in_time(self._reads.run(lambda reader: json.dumps(what(reader), separators=(",", ":"))))
        finally:
            self._waiting -= 1

    async def _told(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: a word for each change of the rooms that are named, or of any."""
        self._admit(request)
        rooms = request.query.getall("room", [])[:2] or [""]
        if self._stopping or self._listeners.total() >= MOST_LISTENERS:
            raise OverloadedError("too many pages listen; retry later")
        answer = web.StreamResponse(headers={**HEADERS, "X-Accel-Buffering": "no"})
        answer.content_type = "text/event-stream"
        with self._listening(rooms):
            await answer.prepare(request)
            await answer.write(b": listening\n\n")
            with suppress(ConnectionError):
                await self._tell(answer, rooms)
        return answer

    async def _tell(self, answer: web.StreamResponse, rooms: list[str]) -> None:
        told: dict[str, int | None] = {}
        while not self._stopping:
            changed = [room for room in rooms if room in self._seen and told.get(room) != self._seen[room]]
            for room in changed:
                told[room] = self._seen[room]
                data = json.dumps({"room": room or None, "newest": self._seen[room]})
                await answer.write(f"event: changed\ndata: {data}\n\n".encode())
            if changed:
                continue
            try:
                async with asyncio.timeout(BEATS_EVERY), self._changes:
                    if not self._stopping:
                        await self._changes.wait()
            except TimeoutError:
                await answer.write(b":\n\n")

    @contextmanager
    def _listening(self, rooms: list[str]) -> Iterator[None]:
        self._listeners.update(rooms)
        self._somebody.set()
        try:
            yield
        finally:
            self._listeners.subtract(rooms)
            self._listeners += Counter()  # drops those to which nobody listens
            if not self._listeners:
                self._somebody.clear()


class _Reads:
    """Reads in threads of its own, each with a reader of its own that is opened when it is needed."""

    def __init__(self, store: str, threads: int) -> None:
        self._store = store
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="page")
        self._mine = threading.local()

    def run(self, what: Callable[[Reader], _T]) -> Awaitable[_T]:
        """What it returns. Raises StoreError."""
        return asyncio.get_running_loop().run_in_executor(self._threads, self._with_reader, what)

    def _with_reader(self, what: Callable[[Reader], _T]) -> _T:
        reader: Reader | None = getattr(self._mine, "reader", None)
        if reader is None:
            reader = self._mine.reader = open_reader(self._store)
        try:
            return what(reader)
        except UnknownRoomError:
            raise
        except StoreError:
            self._mine.reader = None  # the store may be another by now
            with suppress(StoreError):
                reader.close()
            raise

    def close(self) -> None:
        """Start nothing more; what is under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _newest(reader: Reader, rooms: list[str]) -> dict[str, int]:
    return {room: reader.changed(room) if room else reader.newest() for room in rooms}


def _listed(reader: Reader, text: str, after: int, *, redact: bool) -> dict[str, Any]:
    # Without names nobody may ask for one either.
    rows = [] if redact and text else reader.search(text, ROOMS + 1, after=after)
    shown = [replace(row, name=None if redact or row.name is None else plain(row.name)) for row in rows[:ROOMS]]
    summaries: dict[str, Summary] = {}
    for stored in reader.summaries_of([row.sid for row in shown], version=VERSION):
        with suppress(ValueError, TypeError):  # damaged: it is made again
            if stored.body:
                summaries[stored.room] = Summary.from_json(stored.body)
    found = rooms_as_json(shown, summaries)
    return {**found, "more": after + ROOMS if len(rows) > ROOMS else None}


def _number(text: str) -> int:
    return min(int(text), MOST_ROOMS) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _json(body: str, request: web.Request) -> web.Response:
    answer = web.Response(text=body, content_type="application/json", headers=HEADERS)
    if len(body) > SMALL and "gzip" in request.headers.get("Accept-Encoding", ""):
        answer.enable_compression(web.ContentCoding.gzip)  # a tenth of it: rows are much alike
    return answer
