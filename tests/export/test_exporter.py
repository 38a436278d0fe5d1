from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.moments import ADA, GHOST, JOB, ROOM, call, moment, ms
from tests.otlp import job, request
from tests.otlp_backend import ACCEPTED, OtlpBackend, Reply, facts_of, send, spans_in
from tests.receiving import LIMIT, until
from tests.store.test_forgetting import elsewhere
from tracer import ids, keys
from tracer.errors import StoreError, UnreadableError
from tracer.export import exporter as export
from tracer.export import room_spans
from tracer.export.room_spans import QUIET
from tracer.export.spans import spans
from tracer.moment import Kind
from tracer.store import Arrival, Task
from tracer.store.sqlite import SqliteStore
from tracer.timeline.fold import fold
from tracer.witness import agent, evidence
from tracer.witness.evidence import of_spans

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.moment import Moment


WHOLE = {span.span_id for span in spans(fold(ROOM, call()))}


AWAY = Reply(503)


def got(backend: OtlpBackend) -> list[int]:
    """Ids of all spans that it accepted, in order."""
    return [int.from_bytes(span.span_id) for span in backend.got]


def names(backend: OtlpBackend) -> list[str]:
    return [span.name for span in backend.got]


def add(store: SqliteStore, *kinds: Kind) -> None:
    """Add the call's moments of these kinds; all without any."""
    store.add([Arrival(tuple(m for m in call() if not kinds or m.kind in kinds))])


@pytest.fixture(autouse=True)
def _a_machine_that_is_never_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "LONGEST_PASS", LIMIT)
    monkeypatch.setattr(export, "MOST_OF_A_CORE", float("inf"))


def test_a_span_waits_until_nothing_new_was_learnt_of_it(store: SqliteStore, backend: OtlpBackend) -> None:
    exporter = backend.exporter(store)
    add(store)
    exporter.fill(0.0)
    exporter.fill(QUIET - 0.01)
    send(exporter)
    assert got(backend) == []
    exporter.fill(QUIET)
    send(exporter)
    assert set(got(backend)) == WHOLE
    assert exporter.outbox.sent == len(WHOLE)


def test_news_of_a_span_makes_it_wait_again(store: SqliteStore, backend: OtlpBackend) -> None:
    exporter = backend.exporter(store)
    add(store, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)
    exporter.fill(0.0)
    earlier = moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(91), ms(92))
    store.add([Arrival((earlier,))])
    exporter.fill(0.9)
    exporter.fill(1.0)
    send(exporter)
    joining = ids.span_id("JOINING", ADA)
    assert joining not in got(backend)
    exporter.fill(2.0)
    send(exporter)
    (sent,) = (span for span in backend.got if int.from_bytes(span.span_id) == joining)
    assert sent.end_time_unix_nano == ms(92)


def test_each_span_goes_out_once_whatever_is_learnt_later(store: SqliteStore, backend: OtlpBackend) -> None:
    exporter = backend.exporter(store)
    now = 0.0
    for m in (*call(), *reversed(call())):
        store.add([Arrival((m,))])
        exporter.fill(now)
        send(exporter)
        now += QUIET
    store.add([Arrival((moment(Kind.ROOM_FINISHED, ROOM, ms(6400), ms(6450)),))])
    for _ in range(3):
        exporter.fill(now)
        send(exporter)
        now += QUIET
    assert sorted(got(backend)) == sorted(WHOLE)
    assert store.rooms_to_export(9) == []


def test_short_spans_go_out_while_the_long_ones_that_hold_them_are_open(
    store: SqliteStore, backend: OtlpBackend
) -> None:
    exporter = backend.exporter(store)
    add(store, Kind.ROOM_CREATED, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)
    exporter.fill(0.0)
    exporter.fill(QUIET)
    send(exporter)
    assert set(names(backend)) == {"room_started", "JOINING"}
    assert store.rooms_to_export(9) == []


def test_a_settled_room_is_not_folded_again(
    store: SqliteStore, backend: OtlpBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = backend.exporter(store)
    add(store)
    exporter.fill(0.0)
    exporter.fill(QUIET)
    assert exporter._rooms == {}
    monkeypatch.setattr(export, "spans", lambda *_: pytest.fail("folded again"))
    exporter.fill(2 * QUIET)


def test_while_the_backend_is_away_spans_wait_and_then_come(store: SqliteStore, backend: OtlpBackend) -> None:
    exporter = backend.exporter(store)
    backend.answer = lambda _: AWAY
    add(store)
    exporter.fill(0.0)
    exporter.fill(QUIET)
    assert send(exporter)
    assert send(exporter)
    assert (exporter.outbox.sent, exporter.outbox.failed, store.count_unsent()) == (0, 2, len(WHOLE))
    backend.answer = lambda _: ACCEPTED
    assert send(exporter) is None
    assert sorted(got(backend)) == sorted(WHOLE)
    assert (exporter.outbox.sent, store.count_unsent()) == (len(WHOLE), 0)
    assert send(exporter) is None
    assert sorted(got(backend)) == sorted(WHOLE)


@pytest.mark.parametrize("killed_after", ["fill", "wait", "queue", "send"])
def test_a_restart_sends_nothing_twice_and_loses_nothing(
    store: SqliteStore, backend: OtlpBackend, killed_after: str
) -> None:
    first = backend.exporter(store)
    add(store)
    first.fill(0.0)
    if killed_after != "fill":
        first.fill(0.5)
    if killed_after in ("queue", "send"):
        first.fill(QUIET)
    if killed_after == "send":
        send(first)
    second = backend.exporter(store)
    for now in (100.0, 100.0 + QUIET):
        second.fill(now)
        send(second)
    assert sorted(got(backend)) == sorted(WHOLE)
    assert store.rooms_to_export(9) == []


def test_a_restarted_receiver_goes_on_with_a_room_that_is_open(store: SqliteStore, backend: OtlpBackend) -> None:
    first = backend.exporter(store)
    add(store, Kind.ROOM_CREATED, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)
    first.fill(0.0)
    first.fill(QUIET)
    send(first)
    early = set(got(backend))
    second = backend.exporter(store)
    add(store)
    second.fill(0.0)
    second.fill(QUIET)
    send(second)
    assert early
    assert len(got(backend)) == len(set(got(backend)))
    assert set(got(backend)) == WHOLE


def test_a_room_that_was_quiet_when_the_receiver_was_started_goes_on(store: SqliteStore, backend: OtlpBackend) -> None:
    add(store, Kind.ROOM_CREATED, Kind.PARTICIPANT_JOINING, Kind.PARTICIPANT_ACTIVE)
    exporter = backend.exporter(store)
    exporter.fill(0.0)
    send(exporter)
    assert set(names(backend)) == {"room_started", "JOINING"}, "of before: nothing is waited for"
    add(store)
    for now in (1.0, 1.0 + QUIET):
        exporter.fill(now)
    send(exporter)
    assert sorted(got(backend)) == sorted(WHOLE)


def test_a_backend_that_is_switched_on_later_gets_the_agents_spans_too_and_each_once(
    store: SqliteStore, backend: OtlpBackend
) -> None:
    made = request(*job())
    pieces = of_spans(made, made.SerializeToString(), "application/x-protobuf", ms(0))
    store.add([evidence.arrival(piece) for piece in pieces])
    add(store)
    for _ in range(2):  # and again after a restart
        exporter = backend.exporter(store)
        exporter.fill(float("inf"))
        send(exporter)
    assert {span.span_id for span in job()} < {span.span_id for span in backend.got}
    assert len(got(backend)) == len(set(got(backend)))


def test_finishing_waits_for_no_news(store: SqliteStore, backend: OtlpBackend) -> None:
    add(store)
    asyncio.run(backend.exporter(store).finish())
    assert set(got(backend)) == WHOLE


def test_finishing_gives_an_absent_backend_one_try(store: SqliteStore, backend: OtlpBackend) -> None:
    add(store)
    backend.answer = lambda _: AWAY
    asyncio.run(backend.exporter(store).finish())
    assert len(backend.requests) == 1
    assert store.count_unsent() == len(WHOLE)


@pytest.mark.parametrize("error", [ValueError("damaged"), UnreadableError("damaged")])
def test_a_room_that_cannot_be_read_stands_in_nobodys_way(
    store: SqliteStore,
    backend: OtlpBackend,
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
    exporter = backend.exporter(store)
    for now in (0.0, QUIET, 2 * QUIET):
        exporter.fill(now)
        send(exporter)
    assert set(got(backend)) == WHOLE
    [record] = caplog.records
    assert record.getMessage().startswith("cannot export room RM_ghost")


def test_it_runs_until_it_is_cancelled_and_outlives_the_backends_absence(
    store: SqliteStore, backend: OtlpBackend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def told() -> list[str]:
        return [record.message for record in caplog.records if record.name == "tracer"]

    monkeypatch.setattr(room_spans, "QUIET", 0.02)
    monkeypatch.setattr(export, "INTERVAL", 0.01)
    monkeypatch.setattr(export, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(export, "SHORTEST_PAUSE", 0.05)
    backend.answer = lambda _: Reply(503, b"not yet", {"Content-Type": "text/plain"})
    exporter = backend.exporter(store)

    async def main() -> None:
        running = asyncio.create_task(exporter.run())
        add(store)
        await until(lambda: len(backend.requests) >= 3)
        backend.answer = lambda _: ACCEPTED
        await until(lambda: set(got(backend)) == WHOLE and len(told()) > 1)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await exporter.finish()

    with caplog.at_level("INFO", "tracer"):
        asyncio.run(main())
    # Said once each, however often it was tried.
    assert told() == [
        f"cannot export to {backend.endpoint}: HTTP 503: not yet; spans are kept and sent later",
        f"exporting to {backend.endpoint} again",
    ]


def test_our_spans_as_a_backend_gets_them(store: SqliteStore, backend: OtlpBackend) -> None:
    exporter = backend.exporter(store)
    add(store)
    exporter.fill(0.0)
    exporter.fill(QUIET)
    send(exporter)
    found = {int.from_bytes(span.span_id): (span, group) for group in backend.groups for span in spans_in(group)}
    for span in spans(fold(ROOM, call())):
        sent, group = found[span.span_id]
        assert (sent.name, sent.start_time_unix_nano, sent.end_time_unix_nano) == (span.name, span.start, span.end)
        assert facts_of(group.resource.attributes) == {"service.name": span.service}
        answer = {keys.WELL, keys.CAUSE, keys.ANSWER} if span.parent_id is None else set()
        attributes = {key: value for key, value in facts_of(sent.attributes).items() if key not in answer}
        assert attributes == dict(span.attributes)
        assert sent.parent_span_id == (b"" if span.parent_id is None else span.parent_id.to_bytes(8))
        assert [(e.name, e.time_unix_nano, facts_of(e.attributes)) for e in sent.events] == [
            (e.name, e.time, dict(e.attributes)) for e in span.events
        ]
    ghost = found[ids.span_id("dispatch", GHOST)][0].status
    assert (ghost.code, ghost.message) == (Status.STATUS_CODE_ERROR, "no worker took the job before the room closed")
    assert found[ids.span_id("job", JOB)][0].status.code == Status.STATUS_CODE_UNSET


def test_a_redacted_room_is_exported_without_anything_personal(store: SqliteStore, backend: OtlpBackend) -> None:
    store.add([Arrival(tuple(m.redacted() for m in call()))])
    asyncio.run(backend.exporter(store).finish())
    assert backend.got
    for span in backend.got:
        assert not [item.key for item in span.attributes if keys.is_personal(item.key)]


def test_a_failing_store_loses_no_span(
    store: SqliteStore, backend: OtlpBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter = backend.exporter(store)
    add(store)

    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "queue", full)
        exporter.fill(0.0)
        with pytest.raises(StoreError):
            exporter.fill(QUIET)
    exporter.fill(2 * QUIET)
    assert store.count_unsent() == len(spans(fold(ROOM, store.moments(ROOM))))


def test_beside_many_rooms_of_before_a_new_call_goes_first_and_they_follow_by_turns(
    store: SqliteStore, backend: OtlpBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "ROOMS_AT_ONCE", 5)
    before = [f"RM_{number}" for number in range(23)]
    store.add(Arrival(tuple(elsewhere(call(), room))) for room in before)
    exporter = backend.exporter(store)
    add(store)
    looked_at: list[str] = []
    moments = store.moments

    def noted(room: str) -> list[Moment]:
        looked_at.append(room)
        return moments(room)

    monkeypatch.setattr(store, "moments", noted)
    exporter.fill(0.0)
    assert looked_at[0] == ROOM
    assert len(set(looked_at)) == 10
    exporter.fill(QUIET)
    send(exporter)
    assert ids.trace_id(ROOM) in {int.from_bytes(span.trace_id) for span in backend.got}
    monkeypatch.setattr(export, "ENOUGH", 0)
    waiting = len(store.rooms_to_export(99))
    exporter.fill(2 * QUIET)
    assert store.has_unsent(0)
    assert len(store.rooms_to_export(99)) == waiting - 5, "while the backend does not keep up, only the newest"
    monkeypatch.setattr(export, "ENOUGH", 1_000_000)
    for _ in before:
        exporter.fill(3 * QUIET)
    send(exporter)
    assert {int.from_bytes(span.trace_id) for span in backend.got} == {ids.trace_id(room) for room in (ROOM, *before)}
    assert len(got(backend)) == len(set(got(backend)))


def test_a_pass_that_takes_long_ends_and_the_next_goes_on(
    store: SqliteStore, backend: OtlpBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "LONGEST_PASS", 0.0)
    monkeypatch.setattr(export, "ROOMS_AT_ONCE", 2)
    before = [f"RM_{number}" for number in range(7)]
    store.add(Arrival(tuple(elsewhere(call(), room))) for room in before)
    exporter = backend.exporter(store)
    assert exporter.fill(0.0), "there is more to do"
    assert len(store.rooms_to_export(9)) == len(before) - 1
    add(store)
    exporter.fill(1.0)
    exporter.fill(1.0 + QUIET)
    send(exporter)
    assert ids.trace_id(ROOM) in {int.from_bytes(span.trace_id) for span in backend.got}, "what is new goes first"
    for _ in before:
        exporter.fill(9.0)
    assert store.rooms_to_export(9) == []


def test_of_two_processes_on_one_store_one_exports(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "t.db")) as first:
        assert first.may(Task.EXPORT)
        assert first.may(Task.EXPORT)
        with closing(SqliteStore(tmp_path / "t.db")) as second:
            assert not second.may(Task.EXPORT)
            first.close()
            assert second.may(Task.EXPORT)


def test_a_lost_jobs_open_spans_end_with_it_once(store: SqliteStore, backend: OtlpBackend) -> None:
    """Killed with -9: what it had begun goes out under the same ids, as errors, when the job is known to be lost."""
    opened = [span for span in job() if span.name in ("job_entrypoint", "agent_session")]
    for span in opened:
        span.end_time_unix_nano = 0
    ended = [span for span in job() if span.name == "room_connect"]
    killed = moment(
        Kind.PROCESS_FAILED, JOB, ms(2000), witness="agent", clock="agent", told={keys.EXIT_CODE: -9, keys.JOB_ID: JOB}
    )
    others = [m for m in call() if m.subject != JOB or m.kind is Kind.JOB_OFFERED]
    exporter = backend.exporter(store)
    store.add([Arrival(tuple(others)), agent.arrival(request(*opened)), agent.arrival(request(*ended))])
    exporter.fill(0.0)
    send(exporter)
    assert "job_entrypoint" not in names(backend)
    store.add([Arrival((killed,))])
    exporter.fill(5.0)
    exporter.fill(10.0)
    send(exporter)
    late = job()[0]  # it was not killed after all: too late, a span goes out once
    store.add([agent.arrival(request(late))])
    exporter.fill(float("inf"))
    send(exporter)
    lost = ("job", "job_entrypoint", "agent_session")
    sent = [span for span in backend.got if span.name in lost]
    assert sorted(span.name for span in sent) == ["agent_session", "job", "job_entrypoint"]
    by_name = {span.name: span for span in sent}
    assert all(span.status.code == Status.STATUS_CODE_ERROR for span in sent)
    assert all("lost" in span.status.message for span in sent)
    assert all(span.end_time_unix_nano == ms(2000) for span in sent)
    root = by_name["job_entrypoint"]
    assert root.parent_span_id == ids.span_id("job", JOB).to_bytes(8)
    (connect,) = [span for span in backend.got if span.name == "room_connect"]
    assert connect.parent_span_id == root.span_id
