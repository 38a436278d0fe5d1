"""A load of real calls: what an agent and a LiveKit server sent of one, with fresh ids each time.

One process sends, on as many connections as asked for, each with one request under way. Bodies are made before, so that
what is measured is the receiver.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import time
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.signed import KEY, SECRET, token
from tracer.witness import agent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Figures", "send", "spans_of", "webhooks"]

CALL = Path(__file__).parents[2] / "tracer" / "demo" / "call.jsonl"
ID_CHARACTERS = re.compile(rb"(RM|PA|AJ|AD|TR|AW)_[A-Za-z0-9]{12}")


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of a load."""

    requests: int
    """Requests that were acknowledged."""
    seconds: float
    p50: float
    """Half of them were acknowledged within this, ms."""
    p99: float
    refused: int
    """Requests that were answered with anything but 200."""


def _recorded(what: str) -> Iterator[dict[str, object]]:
    for line in CALL.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        if what in item:
            yield item


def spans_of(count: int) -> Iterator[bytes]:
    """Bodies of requests with so many spans of the recorded call's agent, for ever: no id is in two of them."""
    job = ExportTraceServiceRequest()
    for item in _recorded("traces"):
        request = agent.read(b64decode(str(item["traces"])), str(item["type"]))
        if all(scope.scope.name == "livekit-agents" for group in request.resource_spans for scope in group.scope_spans):
            job.MergeFrom(request)
    spans = list(agent.spans(job))[:17]
    first = job.resource_spans[0]
    one = ExportTraceServiceRequest()
    holder = one.resource_spans.add(resource=first.resource).scope_spans.add(scope=first.scope_spans[0].scope)
    holder.spans.extend(spans if count >= len(spans) else spans[:count])
    template = one.SerializeToString()
    trace = spans[0].trace_id
    ids = [span.span_id for span in holder.spans]
    named = {found.group() for found in ID_CHARACTERS.finditer(template)}
    for _ in itertools.count():
        yield b"".join(_fresh(template, trace, ids, named) for _ in range(max(count // len(spans), 1)))


def _fresh(template: bytes, trace: bytes, spans: Sequence[bytes], named: set[bytes]) -> bytes:
    # Requests one after the other are one request: that is how protobuf merges.
    body = template.replace(trace, os.urandom(16))
    random = os.urandom(8)
    for number, span in enumerate(spans):
        body = body.replace(span, (int.from_bytes(random) ^ number).to_bytes(8))
    for name in named:
        body = body.replace(name, name[:3] + os.urandom(6).hex().encode())
    return body


def webhooks() -> Iterator[tuple[bytes, str]]:
    """Bodies of webhooks of the recorded call, with their Authorization, for ever: no id is in two calls."""
    events = [json.dumps(item["webhook"], separators=(",", ":")).encode() for item in _recorded("webhook")]
    named = {found.group() for event in events for found in ID_CHARACTERS.finditer(event)}
    ids = re.compile(rb"EV_[A-Za-z0-9]{12}")
    while True:
        fresh = {name: name[:3] + os.urandom(6).hex().encode() for name in named}
        for event in events:
            body = ids.sub(lambda _: b"EV_" + os.urandom(6).hex().encode(), event)
            for name, other in fresh.items():
                body = body.replace(name, other)
            yield body, token(body, KEY, SECRET)


def post(path: str, body: bytes, **headers: str) -> bytes:
    """A request, as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _Connection(asyncio.Protocol):
    """Sends one request after the other, each when the one before was answered; or at a given rate, ``after`` s."""

    def __init__(self, requests: Iterator[bytes], ends: asyncio.Future[None], pause: float, after: float) -> None:
        self.requests = requests
        self.ends = ends
        self.pause = pause
        self.after = after
        self.times: list[float] = []
        self.refused = 0
        self.stopped = False
        self._sent = 0.0
        self._due = 0.0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._due = time.perf_counter() + self.after
        asyncio.get_running_loop().call_later(self.after, self._next)

    def _next(self) -> None:
        request = None if self.stopped else next(self.requests, None)
        if request is None:
            self._transport.close()
            return
        self._sent = self._due if self.pause else time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, found, rest = self._answer.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        if not found or len(rest) < (int(length[1]) if length else 0):
            return
        now = time.perf_counter()
        self._answer = b""
        if head.startswith(b"HTTP/1.1 200"):
            self.times.append(now - self._sent)
        else:
            self.refused += 1
        self._due += self.pause
        if self.pause and self._due > now:
            asyncio.get_running_loop().call_at(asyncio.get_running_loop().time() + self._due - now, self._next)
        else:
            self._next()

    def connection_lost(self, _: Exception | None) -> None:
        if not self.ends.done():
            self.ends.set_result(None)


async def send(port: int, requests: list[bytes], *, connections: int, seconds: float, rate: float = 0.0) -> Figures:
    """Send requests until there are no more, or for so long; ``rate``: how many a second, all together.

    At a rate the connections take turns: one that is answered late sends the next at once, and what was late counts.
    """
    loop = asyncio.get_running_loop()
    all_of_them = iter(requests)
    made: list[_Connection] = []
    began = time.perf_counter()
    pause = connections / rate if rate else 0.0
    for number in range(connections):
        one = _Connection(all_of_them, loop.create_future(), pause, pause * number / connections)
        made.append(one)
        await loop.create_connection(lambda one=one: one, "127.0.0.1", port)  # type: ignore[misc]
    ended = asyncio.gather(*(one.ends for one in made))
    _, unfinished = await asyncio.wait({ended}, timeout=seconds)
    for one in made:
        one.stopped = True
    if unfinished:
        await asyncio.wait_for(ended, 30)
    took = time.perf_counter() - began
    times = sorted(time for one in made for time in one.times)
    return Figures(
        len(times),
        took,
        1000 * times[len(times) // 2] if times else 0.0,
        1000 * times[len(times) * 99 // 100] if times else 0.0,
        sum(one.refused for one in made),
    )
