"""Logs and metrics: what a real exporter of OpenTelemetry's makes of our answer, and what reaches the backend."""

from __future__ import annotations

import asyncio
import gzip
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource

from tests.receiving import Client, receiving, talk
from tracer.errors import ConfigurationError
from tracer.service import passing
from tracer.service.serve import ServeOptions, serve
from tracer.settings import LiveKit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

PROTOBUF = "application/x-protobuf"


@pytest.fixture(autouse=True)
def _no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ENDPOINT", "LOGS_ENDPOINT", "METRICS_ENDPOINT", "HEADERS", "LOGS_HEADERS"):
        monkeypatch.delenv(f"OTEL_EXPORTER_OTLP_{name}", raising=False)


@asynccontextmanager
async def backend(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """A backend that answers everything with this handler; its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def passed(
    path: Path,
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    patch: pytest.MonkeyPatch,
    body: bytes = b"told",
    **headers: str,
) -> tuple[int, str]:
    """Status and text of the answer to logs, with such a backend."""
    answers = []

    async def main() -> None:
        async with backend(handler) as url:
            patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
            async with receiving(path) as client:
                answers.append(await client.post("/v1/logs", body, Content_Type=PROTOBUF, **headers))

    asyncio.run(main())
    return answers[0]


@pytest.mark.parametrize("signal", ["logs", "metrics"])
def test_without_a_backend_the_answer_says_what_to_do(path: Path, signal: str) -> None:
    async def test(client: Client) -> None:
        status, text = await client.post(f"/v1/{signal}", b"", Content_Type=PROTOBUF)
        assert status == 404
        assert f"OTEL_{signal.upper()}_EXPORTER=none" in text
        assert text.count("\n") == 1

    talk(path, test)


def test_opentelemetrys_exporter_does_not_repeat_it_and_shows_it(
    path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    # Else it says once a minute what it has said before, in another test.
    monkeypatch.setattr(logging.getLogger(OTLPLogExporter.__module__), "filters", [])

    async def test(client: Client) -> None:
        original = client.receiver._passing.reason_not_to
        client.receiver._passing.reason_not_to = lambda signal: asked.append(signal) or original(signal)  # type: ignore[method-assign, func-returns-value]
        exporter = OTLPLogExporter(f"http://127.0.0.1:{client.port}/v1/logs")
        record = ReadableLogRecord(LogRecord(body="hello"), Resource({}))
        await asyncio.to_thread(exporter.export, [record])
        await asyncio.to_thread(exporter.shutdown)

    with caplog.at_level(logging.ERROR, OTLPLogExporter.__module__):  # another test may have silenced it
        talk(path, test)
    assert asked == ["logs"]
    assert "404" in caplog.text


def test_a_backend_gets_what_came_with_the_users_headers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    came = []

    async def handler(request: web.Request) -> web.Response:
        came.append((request.path, dict(request.headers), await request.read()))
        return web.Response(body=b"\x0a\x00", content_type=PROTOBUF)

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=a%20b,x-scope=c")
    packed = gzip.compress(ExportLogsServiceRequest().SerializeToString())
    assert passed(path, handler, monkeypatch, packed, Content_Encoding="gzip") == (200, "\n\x00")
    [(where, headers, body)] = came
    assert (where, body) == ("/v1/logs", packed)
    assert {"x-api-key": "a b", "x-scope": "c", "Content-Encoding": "gzip"}.items() <= headers.items()
    assert headers["Content-Type"] == PROTOBUF


@pytest.mark.parametrize(("answered", "status"), [(404, 404), (400, 400), (429, 429), (503, 503), (302, 404)])
def test_a_refusal_is_passed_back_with_its_reason(
    path: Path, monkeypatch: pytest.MonkeyPatch, answered: int, status: int
) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=answered, text="no logs here", headers={"Retry-After": "9", "Location": "/other"})

    told, text = passed(path, handler, monkeypatch)
    assert told == status
    assert f"answered HTTP {answered} to logs: no logs here" in text


def test_an_answer_without_end_is_not_read_to_its_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(status=500)
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"x" * 65536)
        except ConnectionError:
            return answer

    _, text = passed(path, handler, monkeypatch)
    assert len(text) < 400


def test_while_the_backend_is_away_or_slow_the_sender_may_come_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "LIMIT", 0.2)
    asked = []

    async def silent(_: web.Request) -> web.Response:
        asked.append(1)
        await asyncio.sleep(30)
        return web.Response()

    async def main() -> None:
        async with backend(silent) as url:
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
            async with receiving(path) as client:
                answers = await asyncio.gather(*(client.post("/v1/logs", b"", Content_Type=PROTOBUF) for _ in range(9)))
                assert {status for status, _ in answers} == {503}
        assert len(asked) <= passing.AT_ONCE
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        async with receiving(path) as client:
            assert (await client.post("/v1/logs", b"", Content_Type=PROTOBUF))[0] == 503

    asyncio.run(main())


def test_with_redaction_nothing_is_passed_on(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")

    async def test(client: Client) -> None:
        status, text = await client.post("/v1/logs", b"ada", Content_Type=PROTOBUF)
        assert (status, "--redact" in text) == (404, True)

    talk(path, test, redact=True)


def test_logs_do_not_go_round_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://localhost:7890/v1/logs")
    with pytest.raises(ConfigurationError, match="tracer itself"):
        asyncio.run(serve(LiveKit("", "key", "s" * 32), ServeOptions(str(tmp_path / "t.db"))))
