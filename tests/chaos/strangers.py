"""What anyone can do who reaches the port: too much, too slowly, too often, or from a web page."""

from __future__ import annotations

import asyncio
import gzip
import resource
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

from tests.chaos.ledger import Acknowledged
from tests.chaos.load import Load
from tests.chaos.options import Row
from tests.chaos.running import Receiver

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.chaos.options import Options

__all__ = ["run"]

MEMORY = 200.0
"""MiB that a receiver may take, whatever comes."""
PROTOBUF = "application/x-protobuf"
BOMBS = 8
HALF_SENT, LARGEST = 60, 16 * 1024 * 1024
SILENT, FILES = 1100, 1024
"""Connections that say nothing, and how many files the receiver may have open."""
AT_ONCE = 5.0
"""Seconds until a webhook has to be answered meanwhile."""
LONGEST_LOG = 64 * 1024
"""Bytes."""


async def run(options: Options, names: Sequence[str] = ("ok_handoff",)) -> list[Row]:
    """Each with a receiver of its own."""
    return [await one(options, names) for one in (_bombs, _half_sent, _silent, _web_pages)]


@asynccontextmanager
async def _receiving(options: Options, name: str, names: Sequence[str], files: int = 0) -> AsyncIterator[Fire]:
    folder = options.folder / name
    folder.mkdir()
    receiver = Receiver(folder, folder / "tracer.db", files=files)
    try:
        receiver.start()
        await receiver.ready()
        async with Load(receiver.address, Acknowledged(folder / "acknowledged.txt"), names).connected() as load:
            yield Fire(receiver, load)
    finally:
        receiver.kill()


class Fire:
    """A receiver, and webhooks that have to get in meanwhile."""

    def __init__(self, receiver: Receiver, load: Load) -> None:
        self.receiver, self.load = receiver, load
        self.slowest = 0.0
        """Seconds of the slowest answer to a webhook."""
        self.refused = 0
        """Webhooks that were not acknowledged."""

    async def webhooks(self, over: asyncio.Event) -> None:
        """One after the other, until ``over``, and at least one."""
        while True:
            for request in self.load.call().requests:
                if request.event:
                    began = time.monotonic()
                    self.refused += await self.load.post(request) != 200
                    self.slowest = max(self.slowest, time.monotonic() - began)
                if over.is_set() and self.slowest:
                    return

    def row(self, what: str, often: str, more: str, *, right: bool) -> Row:
        largest = self.receiver.largest()
        outcome = (
            f"{more}; at most {largest:.0f} MiB; webhooks meanwhile: {self.refused or 'none'} refused, the slowest"
            f" answered after {self.slowest:.2f} s"
        )
        return Row(what, often, outcome, right and largest <= MEMORY and not self.refused and self.slowest <= AT_ONCE)


async def _bombs(options: Options, names: Sequence[str]) -> Row:
    """Seven million empty elements in 14 kB, and 300 MiB of zeros."""
    elements, zeros = gzip.compress(b"\x0a\x00" * 7_000_000), gzip.compress(bytes(300 * 1024 * 1024), 9)
    headers = {"Content-Type": PROTOBUF, "Content-Encoding": "gzip"}
    async with _receiving(options, "bombs", names) as fire:
        over = asyncio.Event()
        meanwhile = asyncio.create_task(fire.webhooks(over))
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(fire.receiver.address, timeout=timeout) as session:

            async def send(packed: bytes) -> int:
                async with session.post("/v1/traces", data=packed, headers=headers) as answer:
                    return answer.status

            began = time.monotonic()
            statuses = set(await asyncio.gather(*(send(packed) for packed in [elements, zeros] * BOMBS)))
            took = time.monotonic() - began
        over.set()
        await meanwhile
        what = (
            f"Bodies of {len(elements) // 1000} kB that hold seven million elements, and of {len(zeros) // 1000} kB"
            " that hold 300 MiB"
        )
        more = f"answered {_all(statuses)} within {took:.1f} s"
        return fire.row(what, f"{2 * BOMBS} at one time", more, right=statuses <= {413, 503} and 413 in statuses)


async def _half_sent(options: Options, names: Sequence[str]) -> Row:
    """All but the last bytes of a body of 16 MiB, to both addresses, as fast as they are taken."""
    async with _receiving(options, "half-sent", names) as fire:
        over = asyncio.Event()
        meanwhile = asyncio.create_task(fire.webhooks(over))
        most = bytes(LARGEST - 1000)

        async def send(number: int) -> bytes:
            path = "/webhook" if number % 2 else "/v1/traces"
            reader, writer = await asyncio.open_connection("127.0.0.1", fire.receiver.port)
            head = f"POST {path} HTTP/1.1\r\nHost: t\r\nContent-Type: {PROTOBUF}\r\nContent-Length: {LARGEST}\r\n\r\n"
            try:
                writer.write(head.encode() + most)
                line = await asyncio.wait_for(reader.readline(), 40)
            except (OSError, TimeoutError):
                line = b""
            writer.close()
            return line.partition(b" ")[2][:3]

        began = time.monotonic()
        answered = await asyncio.gather(*map(send, range(HALF_SENT)))
        took = time.monotonic() - began
        over.set()
        await meanwhile
        statuses = {int(status) if status else 0 for status in answered}
        more = f"answered {_all(statuses)} or closed, the last after {took:.0f} s"
        return fire.row(
            "Bodies of 16 MiB of which the end never comes", f"{HALF_SENT} at one time", more, right=200 not in statuses
        )


async def _silent(options: Options, names: Sequence[str]) -> Row:
    """Connections that are opened and left alone."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4 * SILENT), hard), hard))
    try:
        async with _receiving(options, "silent", names, FILES) as fire:
            over = asyncio.Event()
            meanwhile = asyncio.create_task(fire.webhooks(over))
            opened = [await asyncio.open_connection("127.0.0.1", fire.receiver.port) for _ in range(SILENT)]
            ended = asyncio.gather(*(reader.read() for reader, _ in opened), return_exceptions=True)
            began = time.monotonic()
            await asyncio.wait_for(ended, 60)
            took = time.monotonic() - began
            over.set()
            await meanwhile
            for _, writer in opened:
                writer.close()
            size = fire.receiver.log.stat().st_size
            more = f"all closed within {took:.0f} s, {size / 1000:.0f} kB of log"
            what = f"Silent connections to a receiver that may open {FILES:,} files"
            return fire.row(what, f"{SILENT:,} at one time", more, right=size <= LONGEST_LOG)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


FOREIGN: tuple[tuple[dict[str, str], int], ...] = (
    ({"Origin": "https://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Host": "evil.example"}, 403),
    ({"Host": "evil.example", "Origin": "https://evil.example"}, 403),
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
)
"""What a web page sends, whatever it does, and the answer."""
UNSIGNED = ("", "Bearer nonsense", "e30.e30.e30")
"""What stands in place of a token."""


async def _web_pages(options: Options, names: Sequence[str]) -> Row:
    """A recorded request with what a browser adds, and a webhook that somebody else has signed."""
    async with _receiving(options, "web-pages", names) as fire:
        spans = next(request for request in fire.load.call().requests if request.spans)
        answered = [(await fire.load.post(spans, **headers), right) for headers, right in FOREIGN]
        webhook = next(request for request in fire.load.call().requests if request.event)
        answered += [(await fire.load.post(webhook, Authorization=token), 401) for token in UNSIGNED]
        kept = fire.receiver.gauge("moments")
        over = asyncio.Event()
        over.set()
        await fire.webhooks(over)
        right = kept == 0 and all(status == wanted for status, wanted in answered)
        more = f"answered {_all({status for status, _ in answered})}; {kept or 'none'} of their moments kept"
        what = "Requests of web pages (foreign Origin, foreign Host, content types of forms), and webhooks not signed"
        return fire.row(what, f"{len(answered)} requests", more, right=right)


def _all(statuses: set[int]) -> str:
    return ", ".join(map(str, sorted(statuses)))
