"""What strangers can do to a receiver: too much, too slowly, or from where nothing should come."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from livekit.api import AccessToken

from tests.otlp import job, request
from tests.receiving import Client, receiving, talk
from tests.signed import EVENTS, KEY, SECRET, body, token
from tracer.errors import OverloadedError
from tracer.service import bodies, connections
from tracer.service.bodies import LARGE, LARGEST_WEBHOOK, Bodies
from tracer.service.serve import LOCKED
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

PROTOBUF = "application/x-protobuf"
SPANS = request(*job()).SerializeToString()


async def head(
    client: Client, *lines: str, length: int = 1_000_000
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection that has sent the head of a request, and no body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    text = "\r\n".join([*lines, "Host: 127.0.0.1", f"Content-Length: {length}", "", ""])
    writer.write(text.encode())
    await writer.drain()
    return reader, writer


@pytest.mark.slow
def test_a_stranger_is_refused_before_the_body(path: Path) -> None:
    async def test(client: Client) -> None:
        for authorization in ("", "Authorization: Bearer nonsense"):
            reader, writer = await head(client, "POST /webhook HTTP/1.1", *filter(None, [authorization]))
            assert b" 401 " in await reader.readline()
            writer.close()

    talk(path, test)


def test_a_webhook_may_be_so_large_and_no_larger(path: Path) -> None:
    async def test(client: Client) -> None:
        large = body(EVENTS[0] | {"more": "x" * (LARGEST_WEBHOOK - 2000)})
        assert len(large) < LARGEST_WEBHOOK
        assert (await client.post("/webhook", large, Authorization=token(large)))[0] == 200
        for larger in (large + b" " * 3000, gzip.compress(large + b" " * 3000)):
            headers = {"Content_Encoding": "gzip"} if larger[:1] == b"\x1f" else {}
            assert (await client.post("/webhook", larger, Authorization=token(larger), **headers))[0] == 413

    talk(path, test)


@pytest.mark.parametrize("digest", [5, None, True, [], "no base64"])
def test_a_token_with_another_digest_is_a_bad_signature(path: Path, digest: object) -> None:
    async def test(client: Client) -> None:
        signed = AccessToken(KEY, SECRET)
        signed.claims.sha256 = digest  # type: ignore[assignment]
        status, text = await client.post("/webhook", body(EVENTS[0]), Authorization=signed.to_jwt())
        assert (status, text.count("\n")) == (401, 1)

    talk(path, test)


@pytest.mark.slow
def test_a_body_that_does_not_come_is_not_waited_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "WITHIN", 0.2)

    async def test(client: Client) -> None:
        reader, writer = await head(client, "POST /v1/traces HTTP/1.1", f"Content-Type: {PROTOBUF}")
        assert b" 408 " in await reader.readline()
        writer.close()

    talk(path, test)


def test_large_bodies_are_taken_a_few_at_a_time() -> None:
    held = Bodies()
    large = bodies.MOST_TOGETHER // 2 + 1
    with held.hold(large):
        with pytest.raises(OverloadedError), held.hold(large):
            pass
        with held.hold(LARGE):  # a small one always
            pass
    with held.hold(large):
        pass


@pytest.mark.slow
def test_half_sent_bodies_do_not_keep_webhooks_and_spans_out(path: Path) -> None:
    async def test(client: Client) -> None:
        lines = "POST /v1/traces HTTP/1.1", f"Content-Type: {PROTOBUF}"
        opened = [await head(client, *lines, length=bodies.LARGEST_BODY) for _ in range(20)]
        waiting = [reader for reader, _ in opened]
        answered = [line for reader in waiting if (line := await _line(reader))]
        assert len(answered) >= 20 - bodies.MOST_TOGETHER // bodies.LARGEST_BODY
        assert all(b" 503 " in line for line in answered)
        assert await client.webhook(EVENTS[0]) == 200
        assert (await client.post("/v1/traces", SPANS, Content_Type=PROTOBUF))[0] == 200
        for _, writer in opened:
            writer.close()

    talk(path, test)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The first line of an answer; empty when none comes soon."""
    try:
        return await asyncio.wait_for(reader.readline(), 1)
    except TimeoutError:
        return b""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Host": "evil.example:7890"}, 403),
        ({"Host": "localhost:7890"}, 200),
        ({"Host": "[::1]:7890"}, 200),
        ({"Host": "tracer:7890"}, 200),
        ({"Host": "10.0.0.7"}, 200),
    ],
    ids=str,
)
def test_spans_come_from_programs_and_not_from_web_pages(path: Path, headers: dict[str, str], status: int) -> None:
    async def test(client: Client) -> None:
        told, text = await client.post("/v1/traces", SPANS, **{"Content_Type": PROTOBUF, **headers})
        assert told == status
        assert status == 200 or text.count("\n") == 1
        assert bool(client.store.rooms(9)) is (status == 200)

    talk(path, test)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": "hush"}, 401),
        ({"Authorization": "Bearer hus"}, 401),
        ({"Authorization": "Bearer hush!"}, 401),
        ({"Authorization": "Bearer h\xfcsh"}, 401),
        ({"Authorization": "Bearer hush"}, 200),
    ],
    ids=str,
)
def test_with_a_token_only_who_has_it_reports(path: Path, headers: dict[str, str], status: int) -> None:
    async def test(client: Client) -> None:
        answered, text = await client.post("/v1/traces", SPANS, **{"Content_Type": PROTOBUF, **headers})
        assert answered == status
        assert "hush" not in text
        assert bool(client.store.rooms(9)) is (status == 200)
        assert await client.webhook(EVENTS[0]) == 200  # it is signed, and needs no other

    talk(path, test, ingest_token="hush")  # noqa: S106  a test's


@pytest.mark.parametrize(("ahead", "kept"), [(timedelta(hours=23), True), (timedelta(hours=25), False)])
def test_what_an_agent_says_of_times_to_come_is_not_stored(
    path: Path, caplog: pytest.LogCaptureFixture, ahead: timedelta, kept: bool
) -> None:
    async def test(client: Client) -> None:
        at = time.time_ns() + round(ahead.total_seconds() * NS_PER_S)
        connect = job()[1]
        connect.start_time_unix_nano = connect.end_time_unix_nano = at
        sent = request(connect).SerializeToString()
        assert (await client.post("/v1/traces", sent, Content_Type=PROTOBUF))[0] == 200
        assert bool(client.store.rooms(9)) is kept
        assert ("more than a day ahead" in caplog.text) is not kept

    talk(path, test)


def test_a_webhook_through_a_proxy_keeps_its_name(path: Path) -> None:
    async def test(client: Client) -> None:
        raw = body(EVENTS[0])
        assert (await client.post("/webhook", raw, Authorization=token(raw), Host="hooks.example.com"))[0] == 200

    talk(path, test)


@pytest.mark.slow
def test_silent_connections_keep_nobody_out_and_are_closed(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connections, "MOST", 40)
    monkeypatch.setattr(connections, "FIRST_WITHIN", 1.5)
    monkeypatch.setattr(connections, "EVERY", 0.1)

    async def main() -> None:
        async with receiving(path) as client:
            silent = [await asyncio.open_connection("127.0.0.1", client.port) for _ in range(150)]
            assert await client.webhook(EVENTS[0]) == 200
            server = client.receiver._runner and client.receiver._runner.server
            assert server
            assert len(server.connections) <= 41
            await asyncio.wait_for(asyncio.gather(*(reader.read() for reader, _ in silent), return_exceptions=True), 10)
            assert len(server.connections) <= 1  # the test's own
            assert await client.webhook(EVENTS[1]) == 200
            for _, writer in silent:
                writer.close()

    asyncio.run(main())
    assert sum("connections are open" in text for text in caplog.messages) == 1


def test_what_is_no_http_is_logged_now_and_then_and_in_a_line(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def test(client: Client) -> None:
        for sent in (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\0b\r\n\r\n", b"GET * HTTP/1.1\r\n\r\n") * 20:
            reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
            writer.write(sent)
            assert b" 400 " in await reader.readline()
            writer.close()

    talk(path, test)
    refused = [one for one in caplog.records if one.levelname != "INFO"]
    assert [(one.getMessage(), one.exc_info) for one in refused] == [
        ("request refused: Invalid header value char", None),
    ]


def test_seven_million_empty_elements_in_14_kb_are_refused_at_once(path: Path) -> None:
    packed = gzip.compress(b"\x0a\x00" * 7_000_000)

    async def test(client: Client) -> None:
        began = time.process_time()
        headers = {"Content_Type": PROTOBUF, "Content_Encoding": "gzip"}
        assert (await client.post("/v1/traces", packed, **headers))[0] == 413
        assert time.process_time() - began < 10

    talk(path, test)


def remove(path: Path, how: str) -> None:
    """Take the store away."""
    if how == "deleted":
        path.unlink()
    else:
        path.rename(path.with_suffix(".old"))
    if how == "replaced":
        path.write_bytes(b"")


@pytest.mark.parametrize("what", ["deleted", "renamed", "replaced"])
def test_a_store_that_is_gone_is_noticed(path: Path, what: str, caplog: pytest.LogCaptureFixture) -> None:
    async def test(client: Client) -> None:
        assert await client.webhook(EVENTS[0]) == 200
        assert (await client.get("/healthz"))[0] == 200
        remove(path, what)
        assert await client.webhook(EVENTS[1]) == 503
        assert (await client.post("/v1/traces", SPANS, Content_Type=PROTOBUF))[0] == 503
        status, text = await client.get("/healthz")
        assert status == 503
        assert str(path) in text

    talk(path, test)
    assert sum(str(path) in text for text in caplog.messages) == 1


@pytest.mark.slow
def test_a_store_that_is_locked_is_503_soon_and_taken_up_again(path: Path) -> None:
    async def test(client: Client) -> None:
        assert await client.webhook(EVENTS[0]) == 200
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await client.webhook(EVENTS[1]) == 503
            assert (await client.get("/healthz"))[0] == 503
            other.execute("ROLLBACK")
        assert await client.webhook(EVENTS[1]) == 200
        assert (await client.get("/healthz"))[0] == 200

    talk(path, test, wait=LOCKED)
