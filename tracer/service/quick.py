"""Small requests at the addresses that get many, answered without what aiohttp takes for each.

A connection begins here. A request that is as LiveKit's server and OpenTelemetry's exporters send them, at one of these
addresses, is answered here. With anything else - another address or method, no length or a large one, chunks,
``Expect``, a fault, a body that is slow to come, or a head that is refused - the connection is aiohttp's for good,
with all that has come of that request: so what aiohttp guards against is guarded against, and stands in one place.
"""

from __future__ import annotations

import asyncio
import logging
import time
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, cast

import httptools
from multidict import CIMultiDict

from tracer.errors import TracerError
from tracer.service.answer import Answer
from tracer.service.bodies import LARGE
from tracer.service.connections import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracer.service.answer import Route, Take
    from tracer.service.connections import Connections

__all__ = ["Heads", "Quick"]

log = logging.getLogger("tracer")

LONGEST_HEAD = 8 * 1024
"""Bytes of a head; a longer one is aiohttp's, whose bounds then hold."""
AHEAD = 64 * 1024
"""Bytes that may come before the answer to what came before them; with more, that answer is the last."""
HEADS_KEPT = 256
"""Heads that need not be read again, of at most ``LONGEST_HEAD`` each."""
PATIENCE = 1.0
"""Seconds in which the body must have come; a slower one is aiohttp's."""


class Quick(Connection):
    """A connection, until aiohttp has it."""

    def __init__(
        self,
        heads: Heads,
        answer_to: Callable[[BaseException], Answer | None],
        connections: Connections,
    ) -> None:
        """``answer_to`` turns what is raised into an answer; into None where that is a fault of tracer's own."""
        self._heads = heads
        self._answer_to = answer_to
        self._connections = connections
        self._came = b""
        """What has come and was not answered, from the beginning of a request."""
        self._begun: _Begun | None = None
        """The request whose head has come."""
        self._at = 0
        """When it had come, ns since the epoch."""
        self._on_disk = Answer()
        """The answer to the request that is being stored."""
        self._is_last = False
        """Whether the connection ends with the answer."""
        self._is_paused = False
        """Whether nothing more is read, until what has come is answered."""
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio: it is accepted."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is of no class of asyncio's

    def connection_lost(self, exc: Exception | None) -> None:
        """Of asyncio: it is closed."""
        self.transport = None
        self._forget()
        self._connections.closed(self)

    def pause_writing(self) -> None:
        """Of asyncio: hundreds of answers wait that nobody reads."""
        if self.transport:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Of asyncio: more has come."""
        self._came += data
        if self.answering is None:
            self._go_on()
        elif self.transport and not self._is_paused:  # a request before the answer to the one before
            self._is_paused = True
            self.transport.pause_reading()
        if self.answering and len(self._came) > AHEAD:
            self._came, self._is_last = b"", True

    def _go_on(self) -> None:
        begun = self._begun or self._begins()
        if begun is None:
            return
        if len(self._came) < begun.end:
            if self._late is None:
                self._late = asyncio.get_running_loop().call_later(PATIENCE, self._hand_over)
            return
        body, self._came = self._came[begun.body : begun.end], self._came[begun.end :]
        self._is_last = begun.is_last
        self._forget()
        try:
            self.answering, self._on_disk = begun.take(body, self._at)
        except Exception as error:  # noqa: BLE001  whatever it is, its sender is answered, and not before this returns
            self.answering = asyncio.get_running_loop().create_future()
            self.answering.set_exception(error)
        self.answering.add_done_callback(self._answer)

    def _begins(self) -> _Begun | None:
        """The request whose head has come and that is answered here."""
        end = self._came.find(b"\r\n\r\n") + 4
        if end < 4 and len(self._came) <= LONGEST_HEAD:
            return None
        self._begun = self._heads.begun(self._came[:end]) if 4 <= end <= LONGEST_HEAD else None
        if self._begun is None:
            self._hand_over()
            return None
        self._at = time.time_ns()
        self._connections.busy(self)
        return self._begun

    def _answer(self, kept: asyncio.Future[bool]) -> None:
        self.answering = None
        error = None if kept.cancelled() else kept.exception()
        if self.transport is None or kept.cancelled():
            return
        self._connections.idle(self)
        answer = self._refusal(error) if error else self._on_disk
        is_last = self._is_last or self._connections.closing
        self.transport.write(_packed(answer, int(time.time()), is_last=is_last))
        if is_last:
            self.transport.close()
            return
        if self._came:
            self._go_on()
        if self.answering is None:
            self._resume()

    def _refusal(self, error: BaseException) -> Answer:
        if answer := self._answer_to(error):
            return answer
        log.error("cannot answer a request", exc_info=error)
        return Answer(500, "an error of tracer's own, which its log has\n")

    def _resume(self) -> None:
        if self._is_paused and self.transport:
            self._is_paused = False
            self.transport.resume_reading()

    def _hand_over(self) -> None:
        assert self.transport  # noqa: S101  else nothing comes, and nothing is waited for
        self._forget()
        self._resume()
        transport, came, self.transport = self.transport, self._came, None
        other = self._connections.hand_over(self)
        transport.set_protocol(other)
        other.connection_made(transport)
        other.data_received(came)

    def _forget(self) -> None:
        """Of the request that began."""
        self._begun = None
        if self._late:
            self._late.cancel()
            self._late = None


class _Begun(NamedTuple):
    """A request whose head has come."""

    take: Take
    """Takes its body."""
    body: int
    """Where that begins, bytes after the request does."""
    end: int
    is_last: bool
    """Whether it is its connection's last."""


class Heads:
    """The heads of requests that are answered here. Those of one sender differ in the length, if at all."""

    def __init__(self, routes: Mapping[str, Route]) -> None:
        self._routes = routes
        self._before: dict[bytes, _Begun] = {}
        """Those that came before, and are admitted whenever they come."""

    def begun(self, head: bytes) -> _Begun | None:
        """The request that begins so; None where it is not answered here."""
        return self._before.get(head) or self._read(head)

    def _read(self, raw: bytes) -> _Begun | None:
        head = _Head(raw)
        route = self._routes.get(head.path)
        if not route or not 0 <= head.length <= LARGE:
            return None
        try:
            take = route.admit(head)
        except TracerError:
            return None  # aiohttp answers that, and reads what may still come
        begun = _Begun(take, len(raw), len(raw) + head.length, head.is_last)
        if route.always:
            if len(self._before) >= HEADS_KEPT:
                self._before.clear()
            self._before[raw] = begun
        return begun


class _Head:
    """A head, as far as it is one that is answered here: else it has no path."""

    def __init__(self, head: bytes) -> None:
        self.path, self.length, self.is_last = "", -1, False
        self.headers: CIMultiDict[str] = CIMultiDict()
        self._target, self._is_twice = b"", False
        self._parser = parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(head)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            return
        finally:
            del self._parser  # which holds this: as garbage, thousands of them are a long pause
        length = self.headers.get("Content-Length", "")
        self.length = int(length) if length.isdigit() else -1
        is_usual = parser.get_method() == b"POST" and parser.get_http_version() == "1.1" and "Host" in self.headers
        is_odd = self._is_twice or "Expect" in self.headers or "Transfer-Encoding" in self.headers
        if is_usual and not is_odd:
            self.path = self._target.decode("ascii", "replace")

    @property
    def host(self) -> str:
        """Its Host header."""
        return self.headers["Host"]

    def on_url(self, part: bytes) -> None:
        """More of the target has come."""
        self._target += part

    def on_headers_complete(self) -> None:
        """All have come. After a request without a body the parser would no longer know."""
        self.is_last = not self._parser.should_keep_alive()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header has come."""
        told = name.decode("ascii", "replace")
        self._is_twice = self._is_twice or told in self.headers
        self.headers.add(told, value.decode("utf-8", "surrogateescape"))


@lru_cache(maxsize=64)
def _packed(answer: Answer, now: int, *, is_last: bool) -> bytes:
    """An answer as it goes over the wire."""
    body = answer.text.encode()
    lines = [
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
        *(f"{name}: {value}" for name, value in answer.headers),
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(body)}",
        f"Date: {formatdate(now, usegmt=True)}",
        *(["Connection: close"] if is_last else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
