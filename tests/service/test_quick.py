"""Requests by the short way: answered as aiohttp answers them, whole or in pieces; what is odd is handed over."""

from __future__ import annotations

import asyncio
import gc
import gzip
import socket
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.otlp import as_json, job, request
from tests.receiving import Client, talk, until
from tests.signed import EVENTS, body, token
from tracer.errors import BadTokenError, StoreError
from tracer.service import connections, quick
from tracer.service.answer import Answer, Route, Taken
from tracer.service.write_queue import stored_already

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tracer.service.answer import Take
    from tracer.service.senders import Asked

PROTOBUF = "application/x-protobuf"
SPANS = request(*job()).SerializeToString()
WEBHOOK = body(EVENTS[0])
SIGNED = token(WEBHOOK, ttl=timedelta(days=1))


def raw(path: str, data: bytes, *, line: str = "POST {} HTTP/1.1", length: str | None = "", **headers: str) -> bytes:
    """A request as it goes over the wire; a header's dashes are written as underscores."""
    told = {"Host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    if length is not None:
        told["Content-Length"] = length or str(len(data))
    lines = [line.format(path), *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode() + data


traces = partial(raw, "/v1/traces", Content_Type=PROTOBUF)
webhook = partial(raw, "/webhook", WEBHOOK, Authorization=SIGNED)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Wire:
    """A connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()
            await asyncio.sleep(0.01)  # so that each comes alone

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body of the next answer."""
        status, *lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(status.split()[1]), headers, await self.reader.readexactly(int(headers.get("content-length", "0")))


@asynccontextmanager
async def wire(client: Client) -> AsyncIterator[Wire]:
    one = Wire(*await asyncio.open_connection("127.0.0.1", client.port))
    try:
        yield one
    finally:
        one.writer.transport.abort()


def taken(_body: bytes, _at: int) -> Taken:
    return Taken(stored_already(), Answer())


def quick_ones(client: Client) -> int:
    """How many connections aiohttp does not have."""
    assert client.receiver._connections
    return len(client.receiver._connections._quick)


SENT = {
    "protobuf": traces(SPANS),
    "gzip": traces(gzip.compress(SPANS), Content_Encoding="gzip"),
    "json": raw("/v1/traces", as_json(request(*job())), Content_Type="application/json; charset=utf-8"),
    "last one": traces(SPANS, Connection="close"),
    "empty": traces(b""),
    "empty and last": traces(b"", Connection="close"),
    "no protobuf": traces(b"\xff"),
    "no gzip": traces(b"not gzip", Content_Encoding="gzip"),
    "other encoding": traces(SPANS, Content_Encoding="br"),
    "bomb": traces(gzip.compress(b"\x0a\x00" * 7_000_000), Content_Encoding="gzip"),
    "web page": traces(SPANS, Origin="https://evil.example"),
    "other host": traces(SPANS, Host="evil.example"),
    "form": raw("/v1/traces", SPANS, Content_Type="text/plain"),
    "no type": raw("/v1/traces", SPANS),
    "webhook": webhook(),
    "unsigned": raw("/webhook", WEBHOOK),
    "badly signed": raw("/webhook", WEBHOOK, Authorization="Bearer nonsense"),
    "other body": raw("/webhook", b"{}", Authorization=SIGNED),
    "no webhook": raw("/webhook", b"{", Authorization=token(b"{", ttl=timedelta(days=1))),
    "query": raw("/v1/traces?x=1", SPANS, Content_Type=PROTOBUF),
    "escaped": raw("/v1/trac%65s", SPANS, Content_Type=PROTOBUF),
    "slash": raw("/v1/traces/", SPANS, Content_Type=PROTOBUF),
    "GET": raw("/webhook", b"", line="GET {} HTTP/1.1"),
    "PUT": raw("/webhook", b"", line="PUT {} HTTP/1.1"),
    "metrics": raw("/metrics", b"", line="GET {} HTTP/1.1"),
    "HTTP/1.0": traces(SPANS, line="POST {} HTTP/1.0"),
    "Expect": traces(SPANS, Expect="100-continue"),
    "chunks": traces(b"5\r\nabcde\r\n0\r\n\r\n", length=None, Transfer_Encoding="chunked"),
    "chunks and length": traces(SPANS, Transfer_Encoding="chunked"),
    "no number": traces(SPANS, length="x"),
    "too large": traces(SPANS, length="99999999999"),
    "NUL": traces(SPANS, X="a\0b"),
    "two hosts": traces(SPANS).replace(b"\r\n", b"\r\nHost: other\r\n", 1),
    "two lengths": traces(SPANS).replace(b"Content-Length", b"Content-Length: 3\r\nContent-Length"),
    "no host": traces(SPANS).replace(b"Host: 127.0.0.1\r\n", b""),
    "empty lines": b"\r\n\r\n" + traces(SPANS),
    "nonsense": b"nonsense\r\n\r\n",
    "long head": traces(SPANS, X="x" * 20_000),
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_what_is_answered_is_what_aiohttp_answers(path: Path, sent: bytes) -> None:
    """A connection that asked for something else before is aiohttp's."""
    answers = []

    async def test(client: Client) -> None:
        for before in (b"", HEALTH):
            async with wire(client) as one:
                if before:
                    await one.send(before)
                    assert (await one.answer())[0] == 200
                    assert quick_ones(client) == 0
                await one.send(sent)
                status, headers, text = await one.answer()
                if status == 100:
                    status, headers, text = await one.answer()
                told = {name: headers.get(name) for name in ("content-type", "retry-after", "www-authenticate")}
                is_last = not await one.reader.read() if headers.get("connection") == "close" else False
                answers.append((status, told, b"" if "/metrics" in sent.decode("latin-1") else text, is_last))

    talk(path, test)
    assert answers[0] == answers[1]


def test_the_short_way_is_the_usual_one(path: Path) -> None:
    """For LiveKit's webhooks, OpenTelemetry's exporter, and a head that comes before its body."""

    async def test(client: Client) -> None:
        assert await client.webhook(EVENTS[0]) == 200
        assert (await client.post("/v1/traces", SPANS, Content_Type=PROTOBUF))[0] == 200
        assert quick_ones(client) == 1
        provider = TracerProvider()
        exporter = OTLPSpanExporter(f"http://127.0.0.1:{client.port}/v1/traces")
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        await asyncio.to_thread(lambda: provider.get_tracer("livekit-agents").start_span("agent_session").end())
        assert quick_ones(client) == 2
        assert client.receiver.counts.otlp_requests == 2
        await asyncio.to_thread(provider.shutdown)

    talk(path, test)


@pytest.mark.parametrize("step", [1, 7, 100])
def test_a_request_may_come_in_pieces(path: Path, step: int) -> None:
    async def test(client: Client) -> None:
        async with wire(client) as one:
            for sent in (webhook(), traces(SPANS)):
                for at in range(0, len(sent), step):
                    one.writer.write(sent[at : at + step])
                    await asyncio.sleep(0)
                assert (await one.answer())[0] == 200
            assert quick_ones(client) == 1

    talk(path, test)


def test_requests_may_come_before_the_answers_to_those_before(path: Path) -> None:
    async def test(client: Client) -> None:
        async with wire(client) as one:
            sent = webhook() + traces(SPANS) * 3 + raw("/webhook", b"{}", Authorization=SIGNED) + traces(SPANS) + HEALTH
            one.writer.write(sent + traces(SPANS))
            told = [(await one.answer())[0] for _ in range(8)]
            assert told == [200, 200, 200, 200, 401, 200, 200, 200]
            counts = client.receiver.counts
            assert (counts.webhooks, counts.otlp_requests, counts.webhooks_refused) == (1, 5, 1)

    talk(path, test)


def test_who_sends_far_ahead_of_the_answers_gets_one_and_has_to_come_again(path: Path) -> None:
    async def test(client: Client) -> None:
        async with wire(client) as one:
            one.writer.write(webhook() * (2 * quick.AHEAD // len(webhook())))
            status, headers, _ = await one.answer()
            assert (status, headers["connection"]) == (200, "close")
            with suppress(ConnectionResetError):
                assert await one.reader.read() == b""
        assert client.receiver.counts.webhooks == 1
        assert await client.webhook(EVENTS[1]) == 200

    talk(path, test)


def test_a_body_that_is_slow_to_come_is_waited_for_by_aiohttp(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "PATIENCE", 0.05)

    async def test(client: Client) -> None:
        async with wire(client) as one:
            sent = webhook()
            await one.send(sent[:-10])
            assert quick_ones(client) == 1
            await asyncio.sleep(0.1)
            assert quick_ones(client) == 0
            await one.send(sent[-10:])
            assert (await one.answer())[0] == 200
            assert client.receiver.counts.webhooks == 1

    talk(path, test)


def test_who_leaves_before_the_answer_harms_nobody(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test(client: Client) -> None:
        for sent in (webhook(), webhook()[:-5], webhook()[:30], webhook() + b"POST"):
            async with wire(client) as one:
                one.writer.write(sent)
                await one.writer.drain()
        assert await client.webhook(EVENTS[1]) == 200
        await until(lambda: quick_ones(client) == 1)  # the test's own

    talk(path, test)
    assert not [record for record in caplog.records if record.exc_info]


def test_who_never_reads_an_answer_is_let_go(path: Path) -> None:
    async def test(client: Client) -> None:
        async with wire(client) as one:
            await one.send(webhook())
            assert client.receiver._connections
            ours = next(one for one in client.receiver._connections._quick if one.transport)
            assert isinstance(ours, quick.Quick)
            assert ours.transport
            ours.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            ours.transport.set_write_buffer_limits(high=1000)
            one.writer.transport.pause_reading()  # type: ignore[attr-defined]
            one.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            largest = 0
            with suppress(ConnectionError):
                while not one.writer.transport.is_closing():
                    one.writer.write(webhook() * 50)
                    await one.writer.drain()
                    await asyncio.sleep(0)
                    largest = max(largest, len(ours._came))
            assert ours.transport is None
            assert largest < 1024 * 1024

    talk(path, test)


def test_an_error_of_our_own_is_500_and_in_the_log(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(client: Client) -> None:
        def fail(*_: object) -> Answer:
            raise KeyError("oh")

        monkeypatch.setattr(client.receiver, "_keep_evidence", fail)
        async with wire(client) as one:
            await one.send(webhook())
            assert (await one.answer())[0] == 500
            monkeypatch.undo()
            await one.send(webhook())
            assert (await one.answer())[0] == 200

    talk(path, test)
    assert sum("cannot answer" in text for text in caplog.messages) == 1


def test_a_store_that_fails_is_503(path: Path) -> None:
    async def test(client: Client) -> None:
        def fail(*_: object) -> asyncio.Future[bool]:
            raise StoreError("the disk is full")

        client.receiver._queue.keep_evidence = fail  # type: ignore[method-assign,assignment]
        async with wire(client) as one:
            await one.send(traces(SPANS))
            status, headers, text = await one.answer()
            assert (status, headers["retry-after"], text) == (503, "1", b"the disk is full\n")

    talk(path, test)


def test_where_all_are_busy_one_more_is_closed_at_once(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "MOST", 2)

    async def test(client: Client) -> None:
        on_disk = asyncio.Event()
        monkeypatch.setattr(client.receiver._queue, "keep_evidence", lambda _: asyncio.ensure_future(on_disk.wait()))
        async with wire(client) as one, wire(client) as other:
            await one.send(webhook())
            await other.send(webhook()[:-1])
            async with wire(client) as late:
                with suppress(ConnectionResetError):
                    assert await late.reader.read() == b""
            on_disk.set()
            await other.send(webhook()[-1:])
            assert [(await each.answer())[0] for each in (one, other)] == [200, 200]

    talk(path, test)
    assert [text for text in caplog.messages if "connections are open" in text] == caplog.messages


def test_those_idle_longest_make_room(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST", 4)

    async def test(client: Client) -> None:
        async with AsyncExitStack() as stack:
            answered = await stack.enter_async_context(wire(client))
            await answered.send(webhook())
            assert (await answered.answer())[0] == 200
            silent = [await stack.enter_async_context(wire(client)) for _ in range(10)]
            assert await client.webhook(EVENTS[1]) == 200
            assert client.receiver._connections
            assert len(client.receiver._connections) <= 5
            for one in [answered, *silent[:3]]:
                with suppress(ConnectionResetError):
                    assert await one.reader.read() == b""

    talk(path, test)


def test_of_a_request_nothing_is_left_for_the_garbage_collector(path: Path) -> None:
    """It would stop everything for a tenth of a second, now and then."""

    async def test(client: Client) -> None:
        async with wire(client) as one:
            for number in range(20):
                one.writer.write(webhook(X_Number=str(number)) + traces(SPANS, X_Number=str(number)))
                assert [(await one.answer())[0] for _ in range(2)] == [200, 200]
            gc.collect()  # while the receiver is there, which knows the heads that came before
            left.update(type(one).__module__ + "." + type(one).__qualname__ for one in gc.garbage)

    left: Counter[str] = Counter()
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        talk(path, test)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert not [name for name, count in left.items() if name.startswith(("tracer.", "httptools.")) and count > 5]


@pytest.mark.parametrize("always", [True, False])
def test_a_head_that_came_before_is_looked_at_again_where_that_can_come_out_otherwise(always: bool) -> None:
    """A webhook's token ends; of agents' spans nothing does."""
    asked: list[str] = []

    def admit(request: Asked) -> Take:
        asked.append(request.headers["X-Number"])
        if "refused" in asked:
            raise BadTokenError("no more")
        return taken

    heads = quick.Heads({"/v1/traces": Route(admit, 100, always=always)})
    numbers = ["one", "one", "two", "refused", "one"]
    begun = [heads.begun(traces(b"", X_Number=number)) is not None for number in numbers]
    assert begun == [True, True, True, False, always]
    assert asked == (["one", "two", "refused"] if always else numbers)


def test_of_heads_that_came_before_no_more_are_kept_than_a_receiver_has_senders() -> None:
    heads = quick.Heads({"/v1/traces": Route(lambda _: taken, 100, always=True)})
    for number in range(2 * quick.HEADS_KEPT):
        assert heads.begun(traces(b"", X_Number=str(number)))
        assert len(heads._before) <= quick.HEADS_KEPT
