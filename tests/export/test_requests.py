"""Agents' requests go on to the backend from the evidence: whole, each span once, in its room's trace."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.moments import JOB, ROOM, call, moment, ms
from tests.otlp import CONNECT, OURS, ROOT, TRACE, as_json, job, node_job, node_request, registered, request, span
from tests.otlp_backend import ACCEPTED, OtlpBackend, Reply, send, spans_in
from tests.store.conftest import database, location
from tests.store.conftest import store as either
from tracer import ids, keys
from tracer.errors import StoreError
from tracer.export import exporter as export
from tracer.export.exporter import Exporter
from tracer.moment import Kind
from tracer.store import Arrival, Outgoing, Writer, open_writer
from tracer.witness.evidence import of_spans

if TYPE_CHECKING:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

__all__ = ["database", "either", "location"]

PROTOBUF, JSON = "application/x-protobuf", "application/json"
ROOMS_TRACE = ids.trace_id(ROOM).to_bytes(16)


def came(store: Writer, *requests: ExportTraceServiceRequest, kind: str = PROTOBUF) -> None:
    """These requests are stored, and not read."""
    for made in requests:
        raw = made.SerializeToString() if kind == PROTOBUF else as_json(made)
        assert all(store.add(of_spans(made, raw, kind, ms(0))))


def got(backend: OtlpBackend) -> list[bytes]:
    return [one.span_id for one in backend.got]


ALL = sorted(one.span_id for one in job())


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_requests_go_as_they_came_but_in_the_rooms_trace_and_under_the_job(
    either: Writer, backend: OtlpBackend, kind: str
) -> None:
    came(either, request(*job()), kind=kind)
    assert either.count_unsent() == len(ALL)
    assert either.size().unsent == 0, "no backend was ever set"
    exporter = backend.exporter(either)
    assert send(exporter) is None
    (sent,) = backend.requests
    expected = request(*job())
    for one in expected.resource_spans[0].scope_spans[0].spans:
        one.trace_id = ROOMS_TRACE
        if one.span_id == ROOT:
            one.parent_span_id = ids.span_id("job", JOB).to_bytes(8)
    assert sent == expected
    assert (exporter.outbox.sent, either.count_unsent()) == (len(ALL), 0)


def test_many_requests_are_one_and_the_newest_is_first(either: Writer, backend: OtlpBackend) -> None:
    came(either, *(request(one) for one in job()))
    send(backend.exporter(either))
    assert len(backend.requests) == 1
    assert got(backend) == [one.span_id for one in reversed(job())]


def test_a_span_that_comes_again_in_whatever_request_goes_once(location: str, backend: OtlpBackend) -> None:
    with closing(open_writer(location)) as store:
        came(store, request(*job()), request(*job()))
        send(backend.exporter(store))
    with closing(open_writer(location)) as store:  # the receiver is started anew
        came(store, request(*job()), request(*job()[3:5], *job()[:2]))
        assert send(backend.exporter(store)) is None
        assert store.count_unsent() == 0
    assert sorted(got(backend)) == ALL


def test_what_was_not_answered_waits_and_goes_when_the_backend_is_back(either: Writer, backend: OtlpBackend) -> None:
    came(either, request(*job()))
    backend.answer = lambda _: Reply(503)
    exporter = backend.exporter(either)
    assert send(exporter)
    assert (either.count_unsent(), exporter.outbox.failed) == (len(ALL), 1)
    either.queue([Outgoing(TRACE, b"a span's", b"")], [])  # as the exporter does with its own
    assert either.size().unsent == len(ALL) + 1
    either.sent(number for number, _ in either.unsent(1))
    backend.answer = lambda _: ACCEPTED
    assert send(backend.exporter(either)) is None
    assert sorted(got(backend)) == ALL


def test_what_was_accepted_while_the_store_was_away_is_not_sent_again(
    either: Writer, backend: OtlpBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    came(either, request(*job()))
    exporter = backend.exporter(either)

    def away(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(either, "evidence_sent", away)
        with pytest.raises(StoreError):
            send(exporter)
    assert send(exporter) is None
    assert sorted(got(backend)) == ALL


def test_of_refused_requests_only_the_bad_span_is_set_aside(either: Writer, backend: OtlpBackend) -> None:
    backend.answer = lambda spans: Reply(400) if CONNECT in {one.span_id for one in spans} else ACCEPTED
    came(either, request(*job()), request(span("something", b"later on", 1, 2, lk__room_sid=ROOM)))
    exporter = backend.exporter(either)
    assert send(exporter) is None
    assert sorted(got(backend)) == sorted({*ALL, b"later on"} - {CONNECT})
    assert (exporter.outbox.refused, either.count_unsent()) == (1, 0)
    either.offer_refused()  # as at the next start
    backend.answer = lambda _: ACCEPTED
    assert send(backend.exporter(either)) is None
    assert sorted(got(backend)) == sorted([*ALL, b"later on"])


def test_sending_is_by_turns_and_loses_nothing(
    either: Writer, backend: OtlpBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a process that is no longer the one that exports would go on for as long as something comes."""
    monkeypatch.setattr("tracer.export.requests.AT_ONCE", 1)
    came(either, *(request(one) for one in job()))
    exporter = backend.exporter(either)
    with monkeypatch.context() as patch:
        patch.setattr("tracer.export.outbox.TURN", -1.0)
        assert send(exporter) is None
        assert got(backend) == []
    assert send(exporter) is None
    assert sorted(got(backend)) == ALL
    assert len(backend.requests) == len(ALL)


def test_what_is_a_moment_only_or_of_a_worker_does_not_go(either: Writer, backend: OtlpBackend) -> None:
    came(either, request(registered(), scope=OURS))
    assert send(backend.exporter(either)) is None
    assert (backend.requests, either.count_unsent()) == ([], 0)


def test_what_cannot_be_read_stands_in_nobodys_way(either: Writer, backend: OtlpBackend) -> None:
    came(either, request(*job()))
    (piece,) = either.evidence_to_send(9, 10_000)
    either.add([type(piece)(piece.form, b"\xff", piece.at, ROOM)])
    assert send(backend.exporter(either)) is None
    assert sorted(got(backend)) == ALL
    assert either.evidence_to_send(9, 10_000) == []


def test_spans_of_a_trace_go_when_its_room_is_known(
    either: Writer, backend: OtlpBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    early = [one for one in node_job() if one.name in ("on_enter", "llm_node")]
    came(either, node_request(*early))
    exporter = backend.exporter(either)
    assert send(exporter) is None
    assert got(backend) == []
    either.add([Arrival(traces=((f"trace:{TRACE.hex()}", ROOM),))])
    exporter.fill(0.0)
    assert send(exporter) is None
    assert {one.trace_id for one in backend.got} == {ROOMS_TRACE}
    assert sorted(got(backend)) == sorted(one.span_id for one in early)
    monkeypatch.setattr(export, "LONGEST_WAIT", -1)
    exporter.fill(9.0)
    assert send(exporter) is None
    assert len(backend.got) == len(early)


def opened() -> list[Span]:
    made = [one for one in job() if one.name in ("job_entrypoint", "agent_session")]
    for one in made:
        one.end_time_unix_nano = 0
    return made


def test_an_open_span_waits_for_its_end(either: Writer, backend: OtlpBackend) -> None:
    came(either, request(*opened()))
    exporter = backend.exporter(either)
    assert send(exporter) is None
    assert got(backend) == []
    came(either, request(*job()))
    assert send(exporter) is None
    assert sorted(got(backend)) == ALL
    assert all(one.end_time_unix_nano for one in backend.got)


def test_a_lost_jobs_open_spans_end_with_it_unless_their_end_came(either: Writer, backend: OtlpBackend) -> None:
    killed = moment(
        Kind.PROCESS_FAILED, JOB, ms(2000), witness="agent", clock="agent", told={keys.EXIT_CODE: -9, keys.JOB_ID: JOB}
    )
    others = [m for m in call() if m.subject != JOB or m.kind is Kind.JOB_OFFERED]
    came(either, request(*opened()))
    session = [one for one in job() if one.name == "agent_session"]
    came(either, request(*session))  # and has not gone yet
    either.add([Arrival((*others, killed))])
    exporter = backend.exporter(either)
    exporter.fill(float("inf"))
    assert send(exporter) is None
    came(either, request(*job()[:1]))  # it was not killed after all: too late, a span goes out once
    assert send(exporter) is None
    sent = {one.name: one for one in backend.got if one.name in ("job_entrypoint", "agent_session")}
    assert sent["job_entrypoint"].status.code == Status.STATUS_CODE_ERROR
    assert sent["agent_session"].status.code == Status.STATUS_CODE_UNSET
    assert len(got(backend)) == len(set(got(backend)))


def test_what_was_kept_with_personal_data_goes_without_it_once_that_is_wanted(
    either: Writer, backend: OtlpBackend
) -> None:
    came(either, request(*job()))
    exporter = Exporter(either, backend.backend(), redact=True)
    assert send(exporter) is None
    assert sorted(got(backend)) == ALL
    assert not [item.key for one in backend.got for item in one.attributes if keys.is_personal(item.key)]


def test_ids_of_a_wrong_length_do_not_spoil_the_request(either: Writer, backend: OtlpBackend) -> None:
    made = request(*job())
    spans = made.resource_spans[0].scope_spans[0].spans
    spans[1].parent_span_id = b"short"
    spans[2].span_id = b"short"
    spans[3].links.add(trace_id=b"short", span_id=b"short")
    came(either, made)
    assert send(backend.exporter(either)) is None
    for one in [one for group in backend.groups for one in spans_in(group)]:
        assert (len(one.span_id), len(one.parent_span_id) in (0, 8), len(one.links)) == (8, True, 0)
    assert len(backend.got) == len(ALL) - 1


def test_of_a_room_that_is_forgotten_nothing_goes_and_no_key_stays(either: Writer, backend: OtlpBackend) -> None:
    came(either, request(*job()))
    send(backend.exporter(either))
    came(either, request(span("something", b"later on", 1, 2, lk__room_sid=ROOM)))
    either.add([Arrival(tuple(call()))])
    either.forget(ROOM)
    assert either.evidence_to_send(9, 10_000) == []
    assert either.sent_spans([ROOMS_TRACE]) == {}


def test_a_store_that_an_older_tracer_wrote_sends_what_was_not_sent(path: object, backend: OtlpBackend) -> None:
    """Of before there were such keys: what was sent is in the outbox."""
    from tracer.store.sqlite import SqliteStore

    with closing(open_writer(str(path))) as store, store._using() as db:  # type: ignore[attr-defined]
        assert isinstance(store, SqliteStore)
        came_before = request(*job())
        (piece,) = of_spans(came_before, came_before.SerializeToString(), PROTOBUF, time.time_ns())
        db.executescript(
            "DROP TABLE sent; DROP TABLE unsent; DROP TABLE listened; DROP TABLE evidence_of_room;"
            "ALTER TABLE unread DROP COLUMN room; CREATE INDEX evidence_by_room ON evidence (room, at);"
            "PRAGMA user_version = 8"
        )
        db.execute(
            "INSERT INTO evidence (room, form, at, body) VALUES (?, ?, ?, ?)",
            (piece.room, piece.form, piece.at, piece.body),
        )
        db.execute(
            "INSERT INTO outbox (trace_id, span_id, body, since) VALUES (?, ?, NULL, ?)", (ROOMS_TRACE, ROOT, piece.at)
        )
    with closing(open_writer(str(path))) as store:
        assert send(backend.exporter(store)) is None
    assert sorted(got(backend)) == sorted(set(ALL) - {ROOT})


def test_the_end_of_the_process_sends_what_waits(either: Writer, backend: OtlpBackend) -> None:
    came(either, request(*job()))
    asyncio.run(backend.exporter(either).finish())
    assert sorted(got(backend)) == ALL
