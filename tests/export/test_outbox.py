"""What becomes of spans, whatever the backend answers: on a real HTTP server each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # it has types, and no mark that says so
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from tests.otlp import TRACE, job, request
from tests.otlp_backend import ACCEPTED, PROTOBUF, OtlpBackend, Reply, send
from tests.receiving import LIMIT
from tracer.export import outbox
from tracer.export.answer import Verdict
from tracer.export.outbox import BATCH, FRUITLESS
from tracer.store import Outgoing
from tracer.witness import agent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.otlp_backend import Spans
    from tracer.store.sqlite import SqliteStore

pytestmark = pytest.mark.slow


def queue(store: SqliteStore, *numbers: int, size: int = 0) -> None:
    """Put spans with these ids into the outbox."""
    made = []
    for number in numbers:
        one = job()[1]
        one.span_id = number.to_bytes(8)
        one.name = "x" * size or one.name
        (outgoing,) = agent.arrival(request(one)).outgoing
        made.append(Outgoing(TRACE, one.span_id, outgoing.body))
    store.queue(made, [])


def got(backend: OtlpBackend) -> list[int]:
    return [int.from_bytes(span.span_id) for span in backend.got]


def refusing(bad: set[int], status: int = 400) -> Callable[[Spans], Reply]:
    """Refuses each request that has one of these spans."""
    reason = Status(message="invalid span").SerializeToString()

    def answer(spans: Spans) -> Reply:
        return Reply(status, reason) if {int.from_bytes(span.span_id) for span in spans} & bad else ACCEPTED

    return answer


def test_more_spans_than_one_request_holds_all_go(store: SqliteStore, backend: OtlpBackend) -> None:
    queue(store, *range(1, 2 * BATCH + 2))
    assert send(backend.exporter(store)) is None
    assert sorted(got(backend)) == list(range(1, 2 * BATCH + 2))
    assert len(backend.requests) == 3


def test_a_request_holds_no_more_than_a_backend_takes(store: SqliteStore, backend: OtlpBackend) -> None:
    queue(store, *range(1, 201), size=100_000)
    assert send(backend.exporter(store)) is None
    assert (len(backend.got), len(backend.requests)) == (200, 5)
    assert max(sent.ByteSize() for sent in backend.requests) <= outbox.LARGEST_BATCH


def test_a_backend_that_takes_less_gets_less(store: SqliteStore, backend: OtlpBackend) -> None:
    limit = 1_000_000
    backend.answer = lambda spans: Reply(413) if sum(span.ByteSize() for span in spans) > limit else ACCEPTED
    queue(store, *range(1, 201), size=100_000)
    assert send(backend.exporter(store)) is None
    assert (sorted(got(backend)), store.count_unsent()) == (list(range(1, 201)), 0)
    assert sum(sent.ByteSize() > limit for sent in backend.requests) <= 8, "it learns"


@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_is_not_followed_and_loses_nothing(store: SqliteStore, backend: OtlpBackend, status: int) -> None:
    with OtlpBackend() as elsewhere:
        backend.answer = lambda _: Reply(status, b"", {"Location": f"{elsewhere.endpoint}/v1/traces"})
        queue(store, *range(1, 27))
        answer = send(backend.exporter(store))
        assert answer
        assert (answer.verdict, answer.text) == (
            Verdict.NOT_HERE,
            f"HTTP {status}: it redirects to {elsewhere.endpoint}/v1/traces",
        )
        assert elsewhere.requests == []
    assert store.count_unsent() == 26


@pytest.mark.parametrize(
    "reply",
    [
        Reply(429),
        Reply(503),
        Reply(hangs_up=True),
        Reply(401),
        Reply(404),
        Reply(200, b"<html>Log in", {"Content-Type": "text/html; charset=utf-8"}),
    ],
    ids=lambda reply: f"{reply.status}{'-hangs-up' * reply.hangs_up}{'-html' * bool(reply.body)}",
)
def test_what_can_be_otherwise_later_is_sent_once_it_is(store: SqliteStore, backend: OtlpBackend, reply: Reply) -> None:
    backend.answer = lambda _: reply
    queue(store, *range(1, 27))
    exporter = backend.exporter(store)
    assert send(exporter)
    assert (store.count_unsent(), exporter.outbox.sent, exporter.outbox.failed) == (26, 0, 1)
    assert len(backend.requests) <= 2, "one, and one that asks whether it is the spans"
    backend.got.clear()
    backend.answer = lambda _: ACCEPTED
    assert send(exporter) is None
    assert sorted(got(backend)) == list(range(1, 27))


@pytest.mark.parametrize(
    ("status", "bad"),
    [
        (400, {1}),
        (413, {511}),
        (400, {100, 101, 102}),
        (500, {1, 100, 200, 300, 400, 500, 512}),
        (422, set(range(200, 220))),
        (403, set(range(1, 513, 50))),
    ],
    ids=lambda value: f"{len(value)} of {BATCH}" if isinstance(value, set) else str(value),
)
def test_refused_spans_are_set_aside_and_hold_up_no_other(
    store: SqliteStore, backend: OtlpBackend, caplog: pytest.LogCaptureFixture, bad: set[int], status: int
) -> None:
    backend.answer = refusing(bad, status)
    queue(store, *range(1, BATCH + 2))
    exporter = backend.exporter(store)
    assert send(exporter) is None
    assert sorted(got(backend)) == [number for number in range(1, BATCH + 2) if number not in bad]
    assert (exporter.outbox.sent, exporter.outbox.refused) == (BATCH + 1 - len(bad), len(bad))
    assert store.count_unsent() == 0
    [record] = caplog.records
    assert record.getMessage() == (
        f"{backend.endpoint} refused 1 span: HTTP {status}: invalid span; they are kept, and sent again when tracer is"
        " started anew"
    )
    assert send(exporter) is None
    assert len(backend.got) == BATCH + 1 - len(bad), "nothing is sent again"


def test_a_backend_that_refuses_everything_is_not_asked_for_ever(store: SqliteStore, backend: OtlpBackend) -> None:
    backend.answer = lambda _: Reply(400)
    queue(store, *range(1, BATCH + 1))
    exporter = backend.exporter(store)
    assert send(exporter), "it pauses"
    assert len(backend.requests) <= FRUITLESS + 10
    assert (exporter.outbox.refused, store.count_unsent()) == (BATCH, 0)
    backend.answer = lambda _: ACCEPTED
    queue(store, BATCH + 1)
    assert send(exporter) is None
    assert got(backend) == [BATCH + 1]
    store.offer_refused()  # as at the next start
    assert send(exporter) is None
    assert sorted(got(backend)) == list(range(1, BATCH + 2)), "nothing is lost"


@pytest.mark.parametrize(
    ("rejected", "message", "said"),
    [
        (3, "span too old", "rejected 3 spans of those it accepted: span too old"),
        (3, "", "rejected 3 spans of those it accepted: without a reason"),
        (-1, "use HTTPS", "accepted 26 spans and says: use HTTPS"),
        (0, "use HTTPS", "accepted 26 spans and says: use HTTPS"),
    ],
)
def test_a_partial_success_is_counted_said_and_not_sent_again(
    store: SqliteStore,
    backend: OtlpBackend,
    caplog: pytest.LogCaptureFixture,
    rejected: int,
    message: str,
    said: str,
) -> None:
    partial = ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
    body = ExportTraceServiceResponse(partial_success=partial).SerializeToString()
    backend.answer = lambda _: Reply(200, body, PROTOBUF)
    queue(store, *range(1, 27))
    exporter = backend.exporter(store)
    assert send(exporter) is None
    assert send(exporter) is None
    assert (len(backend.requests), store.count_unsent()) == (1, 0)
    assert (exporter.outbox.sent, exporter.outbox.refused) == (26 - max(rejected, 0), max(rejected, 0))
    assert [record.getMessage() for record in caplog.records] == [f"{backend.endpoint} {said}"]


def test_the_end_of_the_process_waits_for_an_answer_that_is_under_way(
    store: SqliteStore, backend: OtlpBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the next start would send the same spans again."""
    monkeypatch.setattr("tracer.export.exporter.LAST_ANSWER", LIMIT)
    backend.answer = lambda _: Reply(after=0.5)
    queue(store, *range(1, 27))
    exporter = backend.exporter(store)

    async def main() -> None:
        running = asyncio.create_task(exporter.run())
        async with asyncio.timeout(LIMIT):
            while not backend.requests:  # noqa: ASYNC110  what is waited for happens in another thread
                await asyncio.sleep(0.005)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await exporter.finish()

    asyncio.run(main())
    assert (len(backend.requests), store.count_unsent()) == (1, 0)
