from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has types, and no mark that says so

from tests.otlp_backend import PROTOBUF, OtlpBackend, Reply
from tracer.doctor.backend import BackendCheck
from tracer.doctor.diagnosis import State
from tracer.doctor.visit import Setup, Visit
from tracer.settings import LiveKit

if TYPE_CHECKING:
    from tracer.doctor.diagnosis import Diagnosis


JSON = {"Content-Type": "application/json"}


def examined(backend: OtlpBackend) -> Diagnosis:
    async def main() -> list[Diagnosis]:
        async with aiohttp.ClientSession() as session:
            server = LiveKit("ws://127.0.0.1:9", "key", "s" * 32)
            setup = Setup(server, "http://127.0.0.1:9", "none.db", backend=backend.target())
            return await BackendCheck().examine(Visit(setup, session))

    (found,) = asyncio.run(main())
    return found


@pytest.mark.parametrize(
    ("name", "value"), [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_SAMPLER", "always_off"), ("UNUSED", "")]
)
def test_a_span_is_sent_whatever_opentelemetrys_variables_say(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with OtlpBackend() as backend:
        assert examined(backend).state is State.OK
        assert [span.name for span in backend.got] == ["doctor"]


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(401, Status(message="unknown API key").SerializeToString(), PROTOBUF), "HTTP 401: unknown API key"),
        (Reply(503, b"overloaded", {"Content-Type": "text/plain"}), "HTTP 503: overloaded"),
        (Reply(307, b"", {"Location": "https://elsewhere.example/v1/traces?key=SECRET"}), "https://elsewhere.example"),
        (
            Reply(200, b'{"partialSuccess": {"rejectedSpans": "1", "errorMessage": "no quota"}}', JSON),
            "rejected: no quota",
        ),
        (Reply(200, b"<p>Log in", {"Content-Type": "text/html"}), "web page"),
    ],
)
def test_a_backend_that_takes_no_span_is_told_with_its_own_reason(reply: Reply, said: str) -> None:
    with OtlpBackend(lambda _: reply) as backend:
        found = examined(backend)
        assert found.state is State.FAILED
        assert found.text.startswith(f"{backend.endpoint} accepts no spans: ")
        assert said in found.text
        assert "SECRET" not in found.text
    assert "OTEL_EXPORTER_OTLP_HEADERS" in found.fix


def test_a_backend_that_is_off() -> None:
    with OtlpBackend() as backend:
        pass
    assert examined(backend).text == f"no OpenTelemetry backend at {backend.endpoint}: nothing listens there"
