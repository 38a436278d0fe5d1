"""What is told of PostgreSQL alone: several processes at once, days, what its text cannot hold, its address."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.moments import ADA, ROOM, START, call, moment, ms
from tests.postgresql import Postgres, emptied
from tests.receiving import LIMIT
from tests.store.test_evidence import ONE, PIECE, TRACE
from tests.store.test_forgetting import OTHER, elsewhere
from tracer import ids, keys
from tracer.errors import ConfigurationError, StoreError
from tracer.moment import Kind
from tracer.store import Arrival, Outgoing, Task, Writer, open_reader, open_writer, shown
from tracer.store.postgres import days, locks, migrations, writer
from tracer.store.postgres.days import DAY, TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = time.time_ns() // DAY * DAY + DAY // 2
"""Noon: of what comes just after midnight some can belong to the day before, and keeps its table a little longer."""
SECRET = "s3cret"  # noqa: S105
OLD = days.BACK * DAY
"""Older than days have tables of their own."""


@pytest.fixture
def location(database: str) -> str:
    return emptied(database)


@pytest.fixture
def store(location: str) -> Iterator[Writer]:
    with closing(open_writer(location)) as opened:
        yield opened


@pytest.fixture
def other(location: str) -> Iterator[Writer]:
    """Another process's."""
    with closing(open_writer(location)) as opened:
        yield opened


def tables(location: str, like: str) -> list[str]:
    with psycopg.connect(location) as db:
        rows = db.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE %s ORDER BY 1", (like,))
        return [name for (name,) in rows]


def side_by_side(*work: Callable[[], object]) -> None:
    """Each in a thread of its own; what fails in one fails here."""
    failed: list[Exception] = []

    def guarded(one: Callable[[], object]) -> None:
        try:
            one()
        except Exception as error:  # noqa: BLE001
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()
    assert not failed, failed


def test_two_that_open_an_empty_database_at_once_make_the_tables_once(location: str) -> None:
    side_by_side(*(lambda: open_writer(location).close() for _ in range(4)))
    with closing(open_reader(location)) as reader:
        assert reader.rooms(9) == []


def test_what_many_write_at_once_is_all_there_once(store: Writer, other: Writer) -> None:
    rooms = [elsewhere(call(), f"RM_{number}") for number in range(20)]
    arrivals = [Arrival((one,)) for moments in rooms for one in moments]

    def write(into: Writer, mine: list[Arrival]) -> None:
        for start in range(0, len(mine), 7):
            into.add(mine[start : start + 7])

    side_by_side(
        lambda: write(store, arrivals[::2]),
        lambda: write(other, arrivals[1::2]),
        lambda: write(other, arrivals),
        lambda: write(store, arrivals[::-1]),
    )
    for moments in rooms:
        found = store.moments(moments[0].room)
        assert len(found) == len(moments)
        assert set(found) == set(moments)
    newest = dict(store.rooms_to_export(99))
    assert max(newest.values()) == store.newest()


def test_a_webhook_that_comes_to_two_is_stored_once(store: Writer, other: Writer) -> None:
    fresh: list[bool] = []
    pieces = [PIECE._replace(event_id=f"EV_{number}") for number in range(30)]
    side_by_side(*(lambda s=s: fresh.extend(s.add(pieces)) for s in (store, other, store)))
    assert sum(fresh) == len(pieces)
    assert store.unread() == len(pieces)


def test_two_read_different_evidence_and_what_one_leaves_the_other_takes(
    store: Writer, other: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add([PIECE._replace(body=b"%d" % number) for number in range(6)])
    mine, others = store.to_read(3), other.to_read(9)
    assert {piece.body for piece in mine} | {piece.body for piece in others} == {b"%d" % n for n in range(6)}
    assert len(mine) == len(others) == 3
    assert store.to_read(9) == mine, "it is this process's own"
    store.add([Arrival((ONE,), evidence=piece) for piece in mine])
    assert store.to_read(9) == []
    later = time.time_ns() + 2 * writer.LEASE
    monkeypatch.setattr("tracer.store.postgres.writer.time.time_ns", lambda: later)
    assert store.to_read(9) == others, "the other has ended"


def test_a_task_is_one_processs_until_it_ends(location: str, store: Writer) -> None:
    other = open_writer(location)
    assert other.may(Task.EXPORT)
    assert other.may(Task.EXPORT)
    assert not store.may(Task.EXPORT)
    assert store.may(Task.OBSERVE, "wss://one")
    assert other.may(Task.OBSERVE, "wss://two")
    assert not other.may(Task.OBSERVE, "wss://one")
    other.close()
    end = time.monotonic() + LIMIT
    while not store.may(Task.EXPORT):  # the database notices the end of a connection in its own time
        assert time.monotonic() < end


def test_who_is_frozen_loses_its_task(store: Writer, other: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracer.store.postgres.writer.FROZEN", 0.2)
    assert other.may(Task.EXPORT)
    end = time.monotonic() + LIMIT
    while not store.may(Task.EXPORT):  # the other asks for nothing meanwhile
        assert time.monotonic() < end
    assert not other.may(Task.EXPORT), "it goes on, and others do its task"
    assert other.newest() == 0


def test_who_loses_its_connection_loses_its_task(location: str, store: Writer, other: Writer) -> None:
    assert store.may(Task.EXPORT)
    with psycopg.connect(location, autocommit=True) as db:
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    assert other.may(Task.EXPORT)
    assert not store.may(Task.EXPORT)
    assert store.add([Arrival(tuple(call()))]) == [True], "a pool connects anew"


def test_others_hear_of_a_webhook_and_the_one_that_has_it_does_not(store: Writer, other: Writer) -> None:
    assert store.heard(0) == other.heard(0) == []
    store.add([PIECE._replace(event_id="EV_1"), PIECE._replace(body=b"[]", event_id="EV_2")])
    store.add([PIECE._replace(event_id="EV_1")])
    assert other.heard(LIMIT) == [b"{}", b"[]"]
    assert other.heard(0) == store.heard(0) == []


@pytest.mark.parametrize("text", ["a\0b", "x" * 5000])
def test_an_id_that_an_index_cannot_hold_stands_in_no_ones_way(store: Writer, text: str) -> None:
    odd = moment(Kind.PARTICIPANT_JOINING, text, ms(1), room=f"RM_{text}", told={keys.PARTICIPANT_IDENTITY: text})
    piece = PIECE._replace(room=f"RM_{text}", event_id=text)
    span = Outgoing(bytes(16), bytes(8), b"span", open_job=text, unplaced=text)
    arrival = Arrival((odd,), (span,), traces=((f"{TRACE}{text}", text),), unknown=(text,), evidence=piece)
    assert store.add([arrival, Arrival(tuple(call()))]) == [True, True]
    assert store.moments(ROOM) == call()
    (found,) = store.moments(f"RM_{text}")
    assert found.facts == odd.facts
    assert len(store.evidence(f"RM_{text}")) == len(store.open_spans(text)) == 1
    store.forget(f"RM_{text}")
    assert not (store.moments(f"RM_{text}"))
    assert not (store.evidence(f"RM_{text}"))


def of_day(ago: int, room: str = "") -> list[Arrival]:
    later = NOW - START - ago * DAY
    room = room or f"RM_{ago}"
    return [Arrival(tuple(elsewhere(call(), room, later)), evidence=PIECE._replace(room=room, at=START + later))]


def test_what_is_old_goes_with_its_day(location: str, store: Writer) -> None:
    for ago in (0, 3, 4, 5):
        store.add(of_day(ago))
    before = len(tables(location, "moment_2%"))
    assert len(tables(location, "evidence_2%")) == before
    with closing(open_reader(location)) as reader:
        assert store.forget_oldest(NOW - 4 * DAY) == 1  # the day of RM_5, and the other has not ended by then
        assert {row.sid for row in reader.rooms(9)} == {"RM_0", "RM_3", "RM_4"}
        assert store.forget_oldest(NOW - 4 * DAY) == 0
        assert store.forget_oldest(NOW - 2 * DAY) == 1
        assert store.forget_oldest(NOW - 2 * DAY) == 1
        assert {row.sid for row in reader.rooms(9)} == {"RM_0"}
    assert len(tables(location, "moment_2%")) == before - 3
    assert not (store.evidence("RM_5"))
    assert not (store.moments("RM_5"))
    assert store.add(of_day(5)) == [True], "what comes late of a day that is gone"
    assert len(store.moments("RM_5")) == len(call())
    store.forget_old(NOW - 2 * DAY)


def test_a_room_that_went_on_keeps_what_it_has_of_a_day_that_goes(store: Writer) -> None:
    store.add(of_day(5, "RM_going"))
    store.add(of_day(0, "RM_going"))
    store.add(of_day(5))
    whole = store.moments("RM_going")
    assert store.forget_oldest(NOW - 2 * DAY) == 1
    assert store.forget_oldest(NOW - 2 * DAY) == 0
    assert store.moments("RM_going") == whole
    assert len(store.evidence("RM_going")) == 2
    assert not (store.moments("RM_5"))
    assert not (store.evidence("RM_5"))


def meanwhile(monkeypatch: pytest.MonkeyPatch, doing: Callable[[], object]) -> None:
    """Let something be done once between the copy of what stays of a day and its exchange."""
    exchange, left = days._exchange, [doing]

    def exchanging(*given: Any) -> None:
        if left:
            left.pop()()
        exchange(*given)

    monkeypatch.setattr(days, "_exchange", exchanging)


def test_what_comes_while_a_day_goes_is_kept(store: Writer, other: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add(of_day(5, "RM_going"))
    store.add(of_day(0, "RM_going"))
    late = Arrival(
        (replace(store.moments("RM_going")[0], occurrence="late"),),
        evidence=PIECE._replace(room="RM_going", at=store.evidence("RM_going")[0].at + 1),
    )
    meanwhile(monkeypatch, lambda: other.add([late]))
    assert store.forget_oldest(NOW - 2 * DAY) == 0
    assert len(store.moments("RM_going")) == 2 * len(call()) + 1
    assert len(store.evidence("RM_going")) == 3
    assert other.add([late]) == [True], "what comes still later of a day that is gone"


def test_what_is_forgotten_while_a_day_goes_stays_forgotten(
    location: str, store: Writer, other: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("RM_going", "RM_gone"):
        store.add(of_day(5, room))
        store.add(of_day(0, room))
    meanwhile(monkeypatch, lambda: other.forget("RM_gone"))
    assert store.forget_oldest(NOW - 2 * DAY) == 0
    assert not store.moments("RM_gone")
    assert not store.evidence("RM_gone")
    assert len(store.moments("RM_going")) == 2 * len(call())
    assert tables(location, "detached_%") == []


def test_what_stays_of_several_days_is_together(location: str, store: Writer) -> None:
    """And what is of one of those days finds its place again, where it comes late."""
    for ago in (6, 5, 4, 0):
        store.add(of_day(ago, "RM_going"))
    whole = store.moments("RM_going")
    for ago in (5, 4, 3):
        assert store.forget_oldest(NOW - ago * DAY + DAY // 2) == 0
        assert store.moments("RM_going") == whole
    with closing(open_writer(location)) as later, psycopg.connect(location, autocommit=True) as db:
        counted = "SELECT count(*) FROM livekit_tracer.moment_other"
        assert db.execute(counted).fetchone() == (3 * len(call()),)
        later.add(of_day(5, "RM_late"))
        assert db.execute(counted).fetchone() == (2 * len(call()),), "that day has a table again"
    assert store.moments("RM_going") == whole


def test_what_stays_of_a_day_is_found_as_all_else_is(location: str, store: Writer) -> None:
    """Its indexes are those of the whole, and no samples of what people said are taken of it."""

    def shape() -> list[tuple[object, ...]]:
        with psycopg.connect(location) as db:
            return db.execute(
                "SELECT 'index', inhparent::regclass::text, count(*) FROM pg_inherits JOIN pg_index"
                " ON indexrelid = inhrelid WHERE indrelid = 'livekit_tracer.moment_other'::regclass GROUP BY inhparent"
                " UNION ALL SELECT 'column', attname, coalesce(attstattarget, -1) FROM pg_attribute"
                " WHERE attrelid = 'livekit_tracer.moment_other'::regclass AND attnum > 0"
                " UNION ALL SELECT 'rule', conname, 1 FROM pg_constraint"
                " WHERE conrelid = 'livekit_tracer.moment_other'::regclass AND contype = 'c' ORDER BY 1, 2"
            ).fetchall()

    before = shape()
    store.add(of_day(5, "RM_going"))
    store.add(of_day(0, "RM_going"))
    assert store.forget_oldest(NOW - 2 * DAY) == 0
    assert shape() == before


def test_what_is_of_no_day_that_has_a_table_is_kept_and_forgotten_too(store: Writer) -> None:
    ancient = elsewhere(call(), "RM_ancient", -OLD - START // DAY)
    store.add([Arrival(tuple(ancient), evidence=PIECE._replace(room="RM_ancient", at=START - OLD))])
    assert store.moments("RM_ancient") == ancient
    assert store.forget_oldest(NOW - DAY) == 1
    assert not (store.moments("RM_ancient"))
    assert not (store.evidence("RM_ancient"))


def test_a_day_that_got_its_table_late_has_what_came_before(store: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "AHEAD", -1)
    store.add(of_day(0))
    monkeypatch.undo()
    with store._using() as db:  # type: ignore[attr-defined]
        days.make(db, "moment", [NOW // DAY])
        assert db.execute("SELECT count(*) FROM moment_other").fetchone() == (0,)
    assert len(store.moments("RM_0")) == len(call())


def test_a_day_is_dropped_though_others_began_soon_after_it(location: str, store: Writer) -> None:
    store.add(of_day(5))
    store.add(of_day(5, "RM_going"))
    store.add(of_day(0, "RM_going"))
    soon = (NOW // DAY - 4) * DAY + DAY // 48 - START
    store.add(
        [Arrival(tuple(elsewhere(call(), "RM_soon", soon)), evidence=PIECE._replace(room="RM_soon", at=START + soon))]
    )
    day = days.name_of("moment", NOW // DAY - 5)
    assert day in tables(location, "moment_2%")
    assert store.forget_oldest(NOW - 4 * DAY) == 1
    assert day not in tables(location, "moment_2%"), "it is gone, and not only emptied"
    assert len(store.moments("RM_soon")) == len(call())
    assert len(store.moments("RM_going")) == 2 * len(call())
    assert store.forget_oldest(NOW - 3 * DAY) == 1
    with psycopg.connect(location) as db:
        of_soon = "SELECT count(*) FROM livekit_tracer.{} WHERE room = 'RM_soon'"
        assert [db.execute(of_soon.format(table)).fetchone() for table in TABLES] == [(0,), (0,)]


def test_what_outlived_its_day_is_forgotten_with_its_room(location: str, store: Writer) -> None:
    store.add(of_day(5, "RM_going"))
    store.add(of_day(3, "RM_going"))
    assert store.forget_oldest(NOW - 4 * DAY) == 0
    assert len(store.evidence("RM_going")) == 2
    assert store.forget_oldest(NOW - 2 * DAY) == 1
    with psycopg.connect(location) as db:
        for table in TABLES:
            assert db.execute(f"SELECT count(*) FROM livekit_tracer.{table}").fetchone() == (0,)


def test_a_day_waits_only_briefly_for_those_who_read(
    location: str, store: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "TRIES", 2)
    monkeypatch.setattr(days, "BETWEEN", 0)
    store.add(of_day(5))
    with psycopg.connect(location) as db:
        db.execute("SELECT count(*) FROM livekit_tracer.moment")
        with pytest.raises(StoreError, match="lock timeout"):
            store.forget_oldest(NOW - 2 * DAY)
    assert store.forget_oldest(NOW - 2 * DAY) == 0, "its rooms are gone, and now it is, too"
    assert days.name_of("moment", NOW // DAY - 5) not in tables(location, "moment_2%")


def test_a_store_that_cannot_be_reached_says_why(location: str, store: Writer) -> None:
    aside = location.removesuffix("postgres") + "template1"
    with psycopg.connect(aside, autocommit=True) as db:
        db.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS false")
        try:
            db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'livekit-tracer'"
            )
            with pytest.raises(StoreError, match=r"is not currently accepting connections$") as told:
                store.add(of_day(0))
            assert '"postgres"' not in str(told.value), "which is the user, too"
        finally:
            db.execute("ALTER DATABASE postgres ALLOW_CONNECTIONS true")
    end = time.monotonic() + LIMIT
    while True:
        try:
            assert store.add(of_day(0)) == [True]
        except StoreError:  # the pool tries at intervals that grow
            assert time.monotonic() < end
        else:
            break


def test_a_store_whose_connections_are_all_in_use_is_not_said_to_be_away(location: str) -> None:
    with closing(open_writer(location, wait=0.1)) as store, ExitStack() as stack:
        for _ in range(writer.CONNECTIONS):
            stack.enter_context(store._using())  # type: ignore[attr-defined]
        with pytest.raises(StoreError, match=r"is busy; retry later$"):
            store.add(of_day(0))


def test_what_fails_is_told_without_the_statement(location: str) -> None:
    with closing(open_writer(location, wait=0.2)) as store, psycopg.connect(location) as db:
        db.execute("LOCK TABLE livekit_tracer.evidence")
        with pytest.raises(StoreError, match=r"due to lock timeout$"):
            store.add([PIECE])


def test_who_starts_on_evidence_that_this_version_has_read_waits_for_nobody(location: str) -> None:
    with closing(open_writer(location, wait=0.2)) as store, psycopg.connect(location) as db:
        store.read_again(1)
        locks.WRITE.take(db)
        store.read_again(1)
        with pytest.raises(StoreError, match="lock timeout"):
            store.read_again(2)


def test_while_the_files_of_a_day_are_deleted_others_write(
    location: str, store: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(of_day(5))
    delete, written = days.drop_detached, []

    def deleting(db: psycopg.Connection[tuple[object, ...]]) -> None:
        with db.transaction():
            delete(db)
            written.extend(hasty.add(of_day(3)))

    monkeypatch.setattr(days, "drop_detached", deleting)
    with closing(open_writer(location, wait=0.3)) as hasty:
        assert store.forget_oldest(NOW - 4 * DAY) == 1
    assert written == [True]


def test_who_ends_before_the_files_of_a_day_are_deleted_leaves_that_to_the_next(
    location: str, store: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(of_day(5))

    def ends(_: object) -> None:
        raise psycopg.OperationalError("killed")

    monkeypatch.setattr(days, "drop_detached", ends)
    with pytest.raises(StoreError, match="killed"):
        store.forget_oldest(NOW - 4 * DAY)
    assert len(tables(location, "detached_%")) == len(TABLES)
    assert store.moments("RM_5") == []
    monkeypatch.undo()
    assert store.add(of_day(5)) == [True], "what comes late of that day"
    assert store.forget_oldest(NOW - 4 * DAY) == 1
    assert tables(location, "detached_%") == []


def test_nothing_is_noted_of_a_room_that_was_forgotten_while_it_was_summed_up(location: str, store: Writer) -> None:
    store.add(of_day(0))
    newest = store.newest()
    store.summarized([("RM_0", newest, "{}")], 1)
    store.forget("RM_0")
    store.summarized([("RM_0", newest, "{}")], 1)
    with psycopg.connect(location) as db:
        assert db.execute("SELECT count(*) FROM livekit_tracer.summary").fetchone() == (0,)


def held(server: Postgres, *words: bytes) -> set[bytes]:
    """Those of these words that are in the database's files, its log of changes apart."""
    with psycopg.connect(server.location, autocommit=True) as db:
        db.execute("CHECKPOINT")
    files = [path.read_bytes() for path in server.data.joinpath("base").rglob("*") if path.is_file()]
    return {word for word in words if any(word in content for content in files)}


def test_nobody_is_found_in_the_tables_after_they_are_cleaned() -> None:
    gone = (b"cleaned-away-ada", b"cleaned-away-room")
    stays = b"still-here-bob"
    with Postgres() as server, closing(open_writer(server.location)) as store:
        for room, who, times in ((ROOM, gone[0].decode(), 40), (OTHER, stays.decode(), 1)):
            for number in range(times):
                name = gone[1].decode() if room == ROOM else "other"
                told = {keys.PARTICIPANT_IDENTITY: who, keys.ROOM_NAME: name}
                sid = f"{room}_{number}"
                joined = moment(Kind.PARTICIPANT_JOINING, f"PA_{sid}", NOW, room=sid, told=told)
                body = f"{who} in {name}".encode()
                piece = PIECE._replace(room=sid, body=body, at=NOW)
                span = Outgoing(ids.trace_id(sid).to_bytes(16), bytes(8), body)
                store.add([Arrival((joined,), (span,), evidence=piece)])
                store.summarized([(sid, store.newest(), body.decode())], 1)
        with psycopg.connect(server.location, autocommit=True) as db:
            db.execute("ANALYZE")
        assert held(server, *gone, stays) == {*gone, stays}
        for number in range(40):
            store.forget(f"{ROOM}_{number}")
        store.clean()
        assert held(server, *gone, stays) == {stays}


def test_no_samples_of_names_stay_of_an_older_tracer(location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sampled = "SELECT most_common_vals::text FROM pg_stats WHERE tablename = 'room' AND attname = 'name'"
    monkeypatch.setattr(migrations, "MIGRATIONS", migrations.MIGRATIONS[:3])
    with psycopg.connect(location, autocommit=True) as db, closing(open_writer(location)) as store:
        store.add([Arrival(tuple(elsewhere(call(), f"RM_{number}"))) for number in range(30)])
        db.execute("ANALYZE")
        assert db.execute(sampled).fetchone() == ("{demo}",)
        db.execute("UPDATE livekit_tracer.version SET number = 3")
        monkeypatch.undo()
        open_writer(location).close()
        db.execute("ANALYZE")
        assert db.execute(sampled).fetchone() is None
        assert len([row for row in store.rooms(99) if row.name == "demo"]) == 30


def test_who_cannot_clear_what_was_deleted_says_so(location: str) -> None:
    with closing(open_writer(location, wait=0.2)) as store, psycopg.connect(location) as db:
        store.add(of_day(0))
        db.execute("SELECT count(*) FROM livekit_tracer.summary")
        store.forget("RM_0")
        with pytest.raises(StoreError, match=r"run VACUUM FULL livekit_tracer.summary in postgresql://"):
            store.clean()


@pytest.mark.parametrize(
    "wrong", ["postgresql://u:{secret}@127.0.0.1:1/d", "postgresql://u:{secret}@nowhere.invalid/d"]
)
def test_a_database_that_cannot_be_reached_is_said_without_the_password(wrong: str) -> None:
    with pytest.raises(StoreError, match="cannot open the store postgresql://") as error:
        open_reader(wrong.format(secret=SECRET))
    assert SECRET not in str(error.value)
    assert "\n" not in str(error.value)


def test_an_address_that_is_none_is_said_without_the_password() -> None:
    with pytest.raises(ConfigurationError, match="no address of a database") as error:
        open_reader(f"postgresql://u:{SECRET}@h:port/d?nonsense=1")
    assert SECRET not in str(error.value)
    assert SECRET not in shown(f"postgresql://u:{SECRET}@h/d")


def test_reading_makes_no_tables(location: str) -> None:
    with pytest.raises(StoreError, match="no store in postgresql://"):
        open_reader(location)


@pytest.mark.usefixtures("store")
def test_a_store_of_a_newer_tracer_is_refused(location: str) -> None:
    with psycopg.connect(location, autocommit=True) as db:
        db.execute("UPDATE livekit_tracer.version SET number = 99")
    for opening in (open_reader, open_writer):
        with pytest.raises(StoreError, match="has version 99"):
            opening(location)


def test_what_else_is_in_the_database_stays_as_it_is(location: str) -> None:
    with psycopg.connect(location, autocommit=True) as db:
        db.execute("CREATE TABLE IF NOT EXISTS public.room (recipe text)")
        with closing(open_writer(location)) as store:
            store.add([Arrival((moment(Kind.PARTICIPANT_LEFT, ADA, ms(1)),))])
        assert db.execute("SELECT count(*) FROM public.room").fetchone() == (0,)
        db.execute("DROP TABLE public.room")


def test_a_database_that_is_locked_is_said_in_time(location: str) -> None:
    with closing(open_writer(location, wait=0.3)) as store, psycopg.connect(location) as db:
        db.execute("LOCK TABLE livekit_tracer.version, livekit_tracer.delivery IN ACCESS EXCLUSIVE MODE")
        for use in (store.check, lambda: store.add([PIECE._replace(event_id="EV_1")])):
            before = time.monotonic()
            with pytest.raises(StoreError, match="failed"):
                use()
            assert time.monotonic() - before < LIMIT
