"""One request and its answer, on a real HTTP server that behaves badly."""

from __future__ import annotations

import asyncio
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tests.otlp import job, request
from tests.otlp_backend import PROTOBUF, OtlpBackend, Reply
from tests.receiving import LIMIT
from tracer.export import backend as module
from tracer.export.answer import Answer, Verdict
from tracer.export.target import Target
from tracer.witness import agent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracer.export.backend import Backend

BODIES = [item.body for item in agent.arrival(request(*job())).outgoing]


def sent(to: Backend, times: int = 1) -> list[Answer]:
    async def main() -> list[Answer]:
        try:
            async with asyncio.timeout(3 * LIMIT):
                return [await to.send(BODIES) for _ in range(times)]
        finally:
            await to.close()

    return asyncio.run(main())


def endless(backend: OtlpBackend, part: bytes, pause: float = 0.0) -> Iterator[bytes]:
    while True:
        yield part
        backend.stopped.wait(pause)


@pytest.mark.parametrize("compression", ["none", "gzip", "deflate", "unheard-of"])
def test_a_backend_gets_the_spans_over_one_connection(compression: str) -> None:
    with OtlpBackend() as backend:
        to = backend.backend(compression=compression, headers={"x-key": "value"})
        assert [answer.verdict for answer in sent(to, 3)] == [Verdict.ACCEPTED] * 3
        assert len(backend.got) == 3 * len(job())
        told = {name.lower(): value for name, value in backend.headers[0].items()}
        assert backend.connections == 1
    assert (told["x-key"], told["content-type"]) == ("value", "application/x-protobuf")
    assert told.get("content-encoding", "none") == (compression if compression != "unheard-of" else "none")


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_without_end_is_not_read_to_its_end(status: int) -> None:
    with OtlpBackend() as backend:
        backend.answer = lambda _: Reply(status, endless(backend, b"x" * 100_000))
        tracemalloc.start()
        (answer,) = sent(backend.backend())
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert answer.verdict is (Verdict.ACCEPTED if status == 200 else Verdict.REFUSED), "and not sent again"
    assert peak < 8 * module.LARGEST_ANSWER


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_that_trickles_is_not_waited_for(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TO_READ", 0.3)
    with OtlpBackend() as backend:
        backend.answer = lambda _: Reply(status, endless(backend, b"x", 0.02))
        (answer,) = sent(backend.backend())
    assert answer.verdict is (Verdict.ACCEPTED if status == 200 else Verdict.REFUSED)


@pytest.mark.slow
def test_a_slow_backend_gets_few_copies_and_then_one_each() -> None:
    """It answers after a second; at first it is given a tenth."""
    with OtlpBackend(lambda _: Reply(after=1.0)) as backend:
        to = backend.backend(patience=0.1)
        tries = 1
        while (answer := sent(to)[0]).verdict is not Verdict.ACCEPTED:
            assert answer.verdict is Verdict.LATER
            assert answer.text.startswith("no answer within ")
            tries += 1
            assert tries <= 3
        assert to.patience > 1, "so long it waits from now on"
        assert sent(to)[0].verdict is Verdict.ACCEPTED
    assert backend.copies() == tries + 1


def test_by_default_a_backend_may_be_slow() -> None:
    with OtlpBackend() as backend:
        assert backend.backend().patience >= 60


def test_a_connection_that_is_refused_or_cut_is_said_in_words() -> None:
    with OtlpBackend(lambda _: Reply(hangs_up=True)) as backend:
        (cut,) = sent(backend.backend())
    (off,) = sent(backend.backend())
    assert (cut.verdict, cut.text) == (Verdict.LATER, "it closed the connection without an answer")
    assert (off.verdict, off.text) == (Verdict.LATER, "nothing listens there")


def test_a_key_that_the_backend_repeats_is_not_shown() -> None:
    with OtlpBackend(lambda _: Reply(401, b"unknown key s3cr3t-key", {"Content-Type": "text/plain"})) as backend:
        (answer,) = sent(backend.backend(headers={"authorization": "Bearer s3cr3t-key"}))
    assert answer.text == "HTTP 401: unknown key …"


def test_name_and_password_of_the_address_are_sent() -> None:
    with OtlpBackend() as backend:
        at = f"http://ada:s3cret@127.0.0.1:{backend.port}/v1/traces"
        to = module.Backend(Target(at, backend.endpoint, {"authorization": "Bearer other"}))
        assert sent(to)[0].verdict is Verdict.ACCEPTED
        assert [told["Authorization"] for told in backend.headers] == ["Basic YWRhOnMzY3JldA=="]


def test_a_wait_that_is_asked_for_is_told() -> None:
    with OtlpBackend(lambda _: Reply(429, b"", {**PROTOBUF, "Retry-After": "7"})) as backend:
        begun = time.monotonic()
        (answer,) = sent(backend.backend())
        assert (answer.verdict, answer.retry_after) == (Verdict.LATER, 7.0)
        assert time.monotonic() - begun < 7, "whoever called it waits"
