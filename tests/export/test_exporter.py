from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span, Status
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.moments import ADA, GHOST, JOB, ROOM, call, moment, ms
from tests.otlp import CONNECT, ROOT, TRACE, attributes, job, request
from tests.receiving import until
from tracer import ids, keys
from tracer.errors import StoreError, UnreadableError
from tracer.export import exporter as export
from tracer.export import outbox, room_spans
from tracer.export.exporter import Exporter
from tracer.export.outbox import FEW
from tracer.export.room_spans import QUIET
from tracer.export.spans import spans
from tracer.moment import Kind
from tracer.store import Arrival, Outgoing
from tracer.store.sqlite import SqliteStore
from tracer.timeline.fold import fold
from tracer.witness import agent

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.sdk.trace import ReadableSpan

    from tracer.moment import Moment


def id_of(span: ReadableSpan) -> int:
    context = span.get_span_context()
    assert context
    return context.span_id


WHOLE = {span.span_id for span in spans(fold(ROOM, call()))}


class Backend(InMemorySpanExporter):
    """A backend that can be away."""

    away = False
    tries = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.tries += 1
        if self.away:
            return SpanExportResult.FAILURE
        return super().export(spans)

    @property
    def got(self) -> list[int]:
        """Ids of all spans that came, in order."""
        return [id_of(span) for span in self.get_finished_spans()]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(tmp_path / "tracer.db")) as opened:
        yield opened


@pytest.fixture
def backend() -> Backend:
    return Backend()


def add(store: SqliteStore, *kinds: Kind) -> None:
    """Add the call's moments of these kinds; all without any."""
    store.add([Arrival(tuple(m for m in call() if not kinds or m.kind in kinds))])


def test_a_span_waits_until_nothing_new_was_learnt_of_it(store: SqliteStore, backend: Backend) -> None:
    exporter = Exporter(store, backend)
    add(store)
    exporter.fill(0.0)
    exporter.fill(QUIET - 0.01)
    exporter.outbox.send()
    assert backend.got == []
    exporter.fill(QUIET)
    exporter.outbox.send()
    assert set(backend.got) == WHOLE
    assert exporter.outbox.sent == len(WHOLE)


def test_news_of_a_span_makes_it_wait_again(store: SqliteStore, backend: Backend) -> None:
    exporter = Exporter(store, backend)
    add(store, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)
    exporter.fill(0.0)
    earlier = moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(91), ms(92))
    store.add([Arrival((earlier,))])
    exporter.fill(0.9)
    exporter.fill(1.0)
    exporter.outbox.send()
    joining = ids.span_id("JOINING", ADA)
    assert joining not in backend.got
    exporter.fill(2.0)
    exporter.outbox.send()
    (sent,) = (span for span in backend.get_finished_spans() if id_of(span) == joining)
    assert sent.end_time == ms(92)


def test_each_span_goes_out_once_whatever_is_learnt_later(store: SqliteStore, backend: Backend) -> None:
    exporter = Exporter(store, backend)
    now = 0.0
    for m in (*call(), *reversed(call())):
        store.add([Arrival((m,))])
        exporter.fill(now)
        exporter.outbox.send()
        now += QUIET
    store.add([Arrival((moment(Kind.ROOM_FINISHED, ROOM, ms(6400), ms(6450)),))])
    for _ in range(3):
        exporter.fill(now)
        exporter.outbox.send()
        now += QUIET
    assert sorted(backend.got) == sorted(WHOLE)
    assert store.rooms_to_export() == []


def test_short_spans_go_out_while_the_long_ones_that_hold_them_are_open(store: SqliteStore, backend: Backend) -> None:
    exporter = Exporter(store, backend)
    add(store, Kind.ROOM_CREATED, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)
    exporter.fill(0.0)
    exporter.fill(QUIET)
    exporter.outbox.send()
    assert {span.name for span in backend.get_finished_spans()} == {"room_started", "JOINING"}
    assert store.rooms_to_export() == []


def test_a_settled_room_is_not_folded_again(
    store: SqliteStore, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = Exporter(store, backend)
    add(store)
    exporter.fill(0.0)
    exporter.fill(QUIET)
    assert exporter._rooms == {}
    monkeypatch.setattr(export, "spans", lambda *_: pytest.fail("folded again"))
    exporter.fill(2 * QUIET)


def test_while_the_backend_is_away_spans_wait_and_then_come(store: SqliteStore, backend: Backend) -> None:
    exporter = Exporter(store, backend)
    backend.away = True
    add(store)
    exporter.fill(0.0)
    exporter.fill(QUIET)
    assert exporter.outbox.send() is False
    assert exporter.outbox.send() is False
    assert (exporter.outbox.sent, exporter.outbox.failed, store.count_unsent()) == (0, 2, len(WHOLE))
    backend.away = False
    assert exporter.outbox.send() is True
    assert sorted(backend.got) == sorted(WHOLE)
    assert (exporter.outbox.sent, store.count_unsent()) == (len(WHOLE), 0)
    assert exporter.outbox.send() is True
    assert sorted(backend.got) == sorted(WHOLE)


@pytest.mark.parametrize("killed_after", ["fill", "wait", "queue", "send"])
def test_a_restart_sends_nothing_twice_and_loses_nothing(
    store: SqliteStore, backend: Backend, killed_after: str
) -> None:
    first = Exporter(store, backend)
    add(store)
    first.fill(0.0)
    if killed_after != "fill":
        first.fill(0.5)
    if killed_after in ("queue", "send"):
        first.fill(QUIET)
    if killed_after == "send":
        first.outbox.send()
    second = Exporter(store, backend)
    for now in (100.0, 100.0 + QUIET):
        second.fill(now)
        second.outbox.send()
    assert sorted(backend.got) == sorted(WHOLE)
    assert store.rooms_to_export() == []


def test_a_restarted_receiver_goes_on_with_a_room_that_is_open(store: SqliteStore, backend: Backend) -> None:
    first = Exporter(store, backend)
    add(store, Kind.ROOM_CREATED, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)
    first.fill(0.0)
    first.fill(QUIET)
    first.outbox.send()
    early = set(backend.got)
    second = Exporter(store, backend)
    add(store)
    second.fill(0.0)
    second.fill(QUIET)
    second.outbox.send()
    assert early
    assert len(backend.got) == len(set(backend.got))
    assert set(backend.got) == WHOLE


def test_finishing_waits_for_no_news(store: SqliteStore, backend: Backend) -> None:
    add(store)
    asyncio.run(Exporter(store, backend).finish())
    assert set(backend.got) == WHOLE


def test_finishing_gives_an_absent_backend_one_try(store: SqliteStore, backend: Backend) -> None:
    add(store)
    backend.away = True
    asyncio.run(Exporter(store, backend).finish())
    assert backend.tries <= 1 + FEW, "one batch, and a few spans alone to see whether it is them"
    assert store.count_unsent() == len(WHOLE)


def test_more_spans_than_one_request_holds_all_go(store: SqliteStore, backend: Backend) -> None:
    count = 2 * outbox.BATCH + 1
    body = agent.arrival(request(*job())).outgoing[0].body
    store.queue([Outgoing(TRACE, number.to_bytes(8), body) for number in range(1, count + 1)], [])
    assert Exporter(store, backend).outbox.send() is True
    assert len(backend.got) == count
    assert backend.tries == 3


def test_a_request_holds_no_more_than_a_backend_takes(store: SqliteStore) -> None:
    class Narrow(Backend):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            self.away = encode_spans(spans).ByteSize() > 2 * outbox.LARGEST_BATCH
            return super().export(spans)

    backend = Narrow()
    chat = Span(name="llm_node", trace_id=TRACE, span_id=b"12345678", start_time_unix_nano=1, end_time_unix_nano=2)
    attributes(chat, {"chat": "x" * 100_000})
    body = ResourceSpans()
    body.scope_spans.add().spans.append(chat)
    outgoing = [Outgoing(TRACE, number.to_bytes(8), body.SerializeToString()) for number in range(1, 201)]
    store.queue(outgoing, [])
    assert Exporter(store, backend).outbox.send() is True
    assert (len(backend.got), backend.tries) == (200, 5)


@pytest.mark.parametrize("error", [ValueError("damaged"), UnreadableError("damaged")])
def test_a_room_that_cannot_be_read_stands_in_nobodys_way(
    store: SqliteStore,
    backend: Backend,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    read = store.moments

    def damaged(room: str) -> list[Moment]:
        if room == "RM_ghost":
            raise error
        return read(room)

    monkeypatch.setattr(store, "moments", damaged)
    add(store)
    store.add([Arrival((moment(Kind.ROOM_CREATED, "RM_ghost", ms(0), room="RM_ghost"),))])
    exporter = Exporter(store, backend)
    for now in (0.0, QUIET, 2 * QUIET):
        exporter.fill(now)
        exporter.outbox.send()
    assert set(backend.got) == WHOLE
    [record] = caplog.records
    assert record.getMessage().startswith("cannot export room RM_ghost")


def test_it_runs_until_it_is_cancelled_and_outlives_the_backends_absence(
    store: SqliteStore, backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def told() -> list[str]:
        return [record.message for record in caplog.records if record.name == "tracer"]

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    monkeypatch.setattr(room_spans, "QUIET", 0.02)
    monkeypatch.setattr(export, "INTERVAL", 0.01)
    monkeypatch.setattr(export, "LONGEST_PAUSE", 0.05)
    backend.away = True

    async def main() -> None:
        running = asyncio.create_task(Exporter(store, backend).run())
        add(store)
        await until(lambda: backend.tries >= 3)
        backend.away = False
        await until(lambda: set(backend.got) == WHOLE and len(told()) > 1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    with caplog.at_level("INFO", "tracer"):
        asyncio.run(main())
    # Said once each, however often it was tried.
    assert told() == [
        "cannot export to http://127.0.0.1:4318; spans are queued and will be retried",
        "exporting to http://127.0.0.1:4318 again",
    ]


def test_our_spans_as_a_backend_gets_them(store: SqliteStore, backend: Backend) -> None:
    exporter = Exporter(store, backend)
    add(store)
    exporter.fill(0.0)
    exporter.fill(QUIET)
    exporter.outbox.send()
    got = {id_of(span): span for span in backend.get_finished_spans()}
    for span in spans(fold(ROOM, call())):
        sent = got[span.span_id]
        assert (sent.name, sent.start_time, sent.end_time) == (span.name, span.start, span.end)
        assert sent.resource.attributes["service.name"] == span.service
        assert dict(sent.attributes or {}) == dict(span.attributes)
        assert (sent.parent.span_id if sent.parent else None) == span.parent_id
        assert [(e.name, e.timestamp, dict(e.attributes or {})) for e in sent.events] == [
            (e.name, e.time, dict(e.attributes)) for e in span.events
        ]
    ghost = got[ids.span_id("dispatch", GHOST)].status
    assert (ghost.status_code, ghost.description) == (StatusCode.ERROR, "no worker took the job before the room closed")
    assert got[ids.span_id("job", JOB)].status.status_code is StatusCode.UNSET


def hostile() -> Iterator[Span]:
    """Spans that OpenTelemetry's own API could not have made."""
    for change in (
        {"kind": 0},
        {"kind": 6},
        {"kind": -1},
        {"trace_state": "garbage;;=,"},
        {"parent_span_id": b"longer than eight"},
        {"parent_span_id": b"short"},
        {"start_time_unix_nano": 2**64 - 1, "end_time_unix_nano": 2**64 - 1},
        {"start_time_unix_nano": 2**64 - 1, "end_time_unix_nano": 1},
        {"links": [Span.Link()]},
        {"links": [Span.Link(trace_id=TRACE * 2, span_id=ROOT * 2)]},
        {"events": [Span.Event()]},
        {"events": [Span.Event(time_unix_nano=2**64 - 1)]},
        {"status": Status(code=9)},  # type: ignore[arg-type]
        {"name": ""},
    ):
        made = Span(trace_id=TRACE, span_id=CONNECT, name="GET /", start_time_unix_nano=ms(1), end_time_unix_nano=ms(2))
        made.MergeFrom(Span(**change))
        yield made


@pytest.mark.parametrize("span", [*hostile()], ids=lambda span: str(span)[-60:])
def test_no_span_holds_up_those_behind_it(store: SqliteStore, span: Span) -> None:
    encoded: list[ExportTraceServiceRequest] = []

    class Encoding(SpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            encoded.append(encode_spans(spans))
            return SpanExportResult.SUCCESS

    store.add([agent.arrival(request(span, scope="someone")), agent.arrival(request(*job()))])
    assert Exporter(store, Encoding()).outbox.send() is True
    sent = [one for r in encoded for group in r.resource_spans for scope in group.scope_spans for one in scope.spans]
    assert {one.span_id for one in sent} == {one.span_id for one in job()}
    assert store.count_unsent() == 0


def test_a_redacted_room_is_exported_without_anything_personal(store: SqliteStore, backend: Backend) -> None:
    store.add([Arrival(tuple(m.redacted() for m in call()))])
    asyncio.run(Exporter(store, backend).finish())
    for span in backend.get_finished_spans():
        assert not [key for key in span.attributes or {} if keys.is_personal(key)]


def test_a_span_the_backend_refuses_does_not_hold_up_the_others(store: SqliteStore) -> None:
    class Picky(InMemorySpanExporter):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            if any(span.name == "JOINING" for span in spans):
                return SpanExportResult.FAILURE
            return super().export(spans)

    backend = Picky()
    add(store)
    exporter = Exporter(store, backend)
    exporter.fill(float("inf"))
    waiting = store.count_unsent()
    assert exporter.outbox.send() is True
    names = [span.name for span in backend.get_finished_spans()]
    assert "JOINING" not in names
    assert {"room", "dispatch", "job"} <= set(names)
    assert store.count_unsent() == 0
    assert len(names) < waiting


def test_a_failing_store_loses_no_span(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store)
    exporter = Exporter(store, InMemorySpanExporter())

    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "queue", full)
        exporter.fill(0.0)
        with pytest.raises(StoreError):
            exporter.fill(QUIET)
    exporter.fill(2 * QUIET)
    assert store.count_unsent() == len(spans(fold(ROOM, store.moments(ROOM))))


def test_of_two_processes_on_one_store_one_exports(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "t.db")) as first:
        assert first.may_export()
        assert first.may_export()
        with closing(SqliteStore(tmp_path / "t.db")) as second:
            assert not second.may_export()
            first.close()
            assert second.may_export()


def test_a_lost_jobs_open_spans_end_with_it_once(tmp_path: Path) -> None:
    """Killed with -9: what it had begun goes out under the same ids, as errors, when the job is known to be lost."""
    opened = [span for span in job() if span.name in ("job_entrypoint", "agent_session")]
    for span in opened:
        span.end_time_unix_nano = 0
    ended = [span for span in job() if span.name == "room_connect"]
    killed = moment(
        Kind.PROCESS_FAILED, JOB, ms(2000), witness="agent", clock="agent", told={keys.EXIT_CODE: -9, keys.JOB_ID: JOB}
    )
    others = [m for m in call() if m.subject != JOB or m.kind is Kind.JOB_OFFERED]
    with closing(SqliteStore(tmp_path / "t.db")) as store:
        backend = InMemorySpanExporter()
        exporter = Exporter(store, backend)
        store.add([Arrival(tuple(others)), agent.arrival(request(*opened)), agent.arrival(request(*ended))])
        exporter.fill(0.0)
        exporter.outbox.send()
        assert "job_entrypoint" not in {span.name for span in backend.get_finished_spans()}
        store.add([Arrival((killed,))])
        exporter.fill(5.0)
        exporter.fill(10.0)
        exporter.outbox.send()
        late = job()[0]  # it was not killed after all: too late, a span goes out once
        store.add([agent.arrival(request(late))])
        exporter.fill(float("inf"))
        exporter.outbox.send()
        lost = ("job", "job_entrypoint", "agent_session")
        sent = [span for span in backend.get_finished_spans() if span.name in lost]
        assert sorted(span.name for span in sent) == ["agent_session", "job", "job_entrypoint"]
        by_name = {span.name: span for span in sent}
        assert all(span.status.status_code is StatusCode.ERROR for span in sent)
        assert all("lost" in str(span.status.description) for span in sent)
        assert all(span.end_time == ms(2000) for span in sent)
        root = by_name["job_entrypoint"]
        assert root.parent
        assert root.context
        assert root.parent.span_id == ids.span_id("job", JOB)
        (connect,) = [span for span in backend.get_finished_spans() if span.name == "room_connect"]
        assert connect.parent
        assert connect.parent.span_id == root.context.span_id
