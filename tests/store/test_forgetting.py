"""What is forgotten is gone: from every table, and from the file."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ROOM, START, call, moment, ms
from tests.otlp import job, request
from tracer import ids
from tracer.errors import StoreError
from tracer.moment import Kind
from tracer.store import Arrival, Writer, open_reader, open_writer
from tracer.store.postgres import forgetting as of_database
from tracer.store.sqlite import SqliteStore, forgetting, writer
from tracer.units import NS_PER_S
from tracer.witness import agent

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.moment import Moment

OTHER = "RM_other"
TABLES = ("moment", "room", "summary", "outbox", "agent_trace", "delivery")


def elsewhere(moments: list[Moment], room: str = OTHER, later: int = 0) -> list[Moment]:
    return [
        replace(
            m,
            room=room,
            subject=room if m.subject == ROOM else f"{m.subject}_{room}",
            earliest=m.earliest + later,
            latest=m.latest + later,
            time=m.time + later,
        )
        for m in moments
    ]


def rows(path: Path) -> dict[str, int]:
    with closing(sqlite3.connect(path)) as db:
        return {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}


def full(location: Path | str) -> Writer:
    store = open_writer(str(location))
    store.add([agent.arrival(request(*job())), Arrival(tuple(call()), event_id="EV_1")])
    store.summarized([(ROOM, store.newest(), "{}")], 1)
    return store


def test_of_a_room_nothing_stays_and_of_another_everything(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE", 3)
    with closing(full(path)) as store:
        assert all(rows(path).values())
        store.add([Arrival(tuple(elsewhere(call())))])
        kept = store.moments(OTHER)
        store.forget(ROOM)
        assert store.moments(ROOM) == []
        assert [row.sid for row in store.rooms(9)] == [OTHER]
        assert store.moments(OTHER) == kept
        store.forget(OTHER)
    # A webhook that is repeated is not taken again, though its room is gone.
    assert rows(path) == {**dict.fromkeys(TABLES, 0), "delivery": 1}


def test_nobody_is_found_in_the_file_after_it_is_cleaned(path: Path) -> None:
    with closing(full(path)) as store:
        store.forget(ROOM)
        store.clean()
        for file in path.parent.iterdir():
            content = file.read_bytes()
            assert b"ada" not in content, file
            assert ids.trace_id(ROOM).to_bytes(16) not in content, file


def test_a_store_of_an_older_tracer_is_cleaned_too(path: Path) -> None:
    full(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.executescript("PRAGMA journal_mode = DELETE; PRAGMA auto_vacuum = NONE; VACUUM")
    with closing(SqliteStore(path)) as store:
        store.forget(ROOM)
        assert store.give_back(100) == 0
        store.clean()
        assert store.size().free == 0
    assert b"ada" not in path.read_bytes()


def test_whoever_writes_goes_on_when_another_makes_the_file_smaller(path: Path) -> None:
    many = [elsewhere(call(), f"RM_{number}") for number in range(60)]
    with closing(SqliteStore(path)) as store, closing(SqliteStore(path)) as other:
        store.add(Arrival(tuple(moments)) for moments in many)
        store.clean()
        before = path.stat().st_size
        for number in range(60):
            other.forget(f"RM_{number}")
        other.clean()
        assert path.stat().st_size < before
        assert store.add([Arrival(tuple(call()))]) == [True]


def test_as_many_pages_are_given_back_as_were_asked_for_or_all(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.add(Arrival(tuple(elsewhere(call(), f"RM_{number}"))) for number in range(30))
        for number in range(30):
            store.forget(f"RM_{number}")
        left = store.give_back(3)
        assert left > 20
        assert store.give_back(10) == left - 10
        store.clean()
        assert store.size().free == 0


def test_nothing_is_noted_of_a_room_that_was_forgotten_while_it_was_summed_up(path: Path) -> None:
    with closing(full(path)) as store:
        newest = store.newest()
        store.forget(ROOM)
        store.summarized([(ROOM, newest, "{}")], 1)
        assert rows(path)["summary"] == 0


def test_a_file_that_is_cut_off_is_still_noticed(path: Path) -> None:
    with closing(full(path)) as store:
        store.clean()
    with closing(SqliteStore(path)) as store:
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size // 2)
        with pytest.raises(StoreError, match="was truncated"):
            store.add([Arrival(tuple(call()))])


def test_the_oldest_rooms_are_those_of_which_nothing_came_lately(store: Writer) -> None:
    day = 24 * 3600 * NS_PER_S
    store.add([Arrival(tuple(elsewhere(call(), "RM_2", 2 * day))), Arrival(tuple(elsewhere(call(), "RM_1")))])
    open_still = [*elsewhere(call(), "RM_0"), moment(Kind.TRACK_MUTED, "TR_x", ms(0) + 5 * day, room="RM_0")]
    store.add([Arrival(tuple(open_still))])

    def forgotten(before: int) -> set[str]:
        there = {row.sid for row in store.rooms(9)}
        while count := store.forget_oldest(before):
            assert count == 1
        return there - {row.sid for row in store.rooms(9)}

    assert forgotten(ms(0) - day) == set()
    assert forgotten(ms(0) + day + day // 2) == {"RM_1"}
    assert forgotten(ms(0) + 4 * day) == {"RM_2"}
    assert len(store.moments("RM_0")) == len(open_still)
    assert forgotten(ms(0) + 7 * day) == {"RM_0"}


def test_of_workers_the_last_of_each_kind_stays(location: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: ms(99))
    said = [
        moment(kind, "AW_1", ms(at), room="", witness="agent", occurrence=str(at))
        for at in (0, 10, 20)
        for kind in (Kind.WORKER_LOAD, Kind.WORKER_REGISTERED)
    ]
    with closing(open_writer(location)) as store:
        store.add([Arrival(tuple(said))])
        store.forget_old(ms(15))
        assert sorted(m.time for m in store.workers(0, ms(99))) == [ms(20)] * 2
        store.forget_old(ms(99))
        assert len(store.workers(0, ms(99))) == 2


def test_of_a_worker_that_closed_nothing_stays_when_no_room_is_of_its_time(
    location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = 24 * 3600 * NS_PER_S
    monkeypatch.setattr(time, "time_ns", lambda: ms(0) + 9 * day)

    def said(worker: str, kind: Kind, at: int) -> Moment:
        return moment(kind, worker, at, room="", witness="agent")

    with closing(open_writer(location)) as store:
        store.add([Arrival(tuple(elsewhere(call(), "RM_old"))), Arrival(tuple(elsewhere(call(), "RM_new", 5 * day)))])
        for worker, closed in (
            ("AW_before", ms(0) - 2 * day),
            ("AW_served", ms(0) + day),
            ("AW_later", ms(0) + 6 * day),
        ):
            store.add([Arrival((said(worker, Kind.WORKER_REGISTERED, ms(0) - 3 * day),))])
            store.add([Arrival((said(worker, Kind.WORKER_CLOSED, closed),))])
        store.add([Arrival((said("AW_there", Kind.WORKER_REGISTERED, ms(0) - 3 * day),))])

        def known() -> set[str]:
            store.forget_old(ms(0) + 8 * day)
            return {m.subject for m in store.workers(0, ms(0) + 9 * day)}

        assert known() == {"AW_served", "AW_later", "AW_there"}
        store.forget("RM_old")
        assert known() == {"AW_later", "AW_there"}
        store.forget("RM_new")
        assert known() == {"AW_there"}


def test_of_a_worker_that_was_killed_nothing_stays_when_it_has_been_silent_for_long(
    location: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    day, now = 24 * 3600 * NS_PER_S, time.time_ns()
    whole = [(f"AW_{number}", kind) for number in range(3) for kind in (Kind.WORKER_REGISTERED, Kind.WORKER_FULL)]
    monkeypatch.setattr(forgetting, "AT_ONCE", 2)
    monkeypatch.setattr(of_database, "AT_ONCE", 2)
    with closing(open_writer(location)) as store:
        store.add([Arrival(tuple(elsewhere(call(), "RM_old", now - 40 * day - START)))])
        for ago, workers in ((50, whole), (35, [("AW_served", Kind.WORKER_REGISTERED)])):
            store.add(
                [Arrival(tuple(moment(kind, sid, now - ago * day, room="", witness="agent") for sid, kind in workers))]
            )
        resting = [(60, Kind.WORKER_REGISTERED), (29, Kind.WORKER_LOAD)]
        store.add([Arrival(tuple(moment(kind, "AW_rests", now - ago * day, room="") for ago, kind in resting))])

        def known() -> set[str]:
            store.forget_old(now - day)
            return {m.subject for m in store.workers(now, now)}

        assert known() == {"AW_served", "AW_rests"}, "one could have served a room that is kept, one is there"
        store.forget("RM_old")
        assert known() == {"AW_rests"}


def test_keys_go_when_they_have_served_their_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(full(path)) as store:
        store.sent([number for number, _ in store.unsent(99)])
        store.forget_old(0)
        assert rows(path)["delivery"] == 1
        assert (sent := rows(path)["outbox"])
        monkeypatch.setattr(writer, "KEYS_KEPT", -NS_PER_S)
        store.forget_old(0)
        assert rows(path)["delivery"] == 0
        assert rows(path)["outbox"] < sent


@pytest.mark.parametrize(
    ("who", "found"), [(ROOM, [ROOM]), ("demo", [ROOM]), ("ada", [ROOM]), ("ad", []), ('ada"', []), ("%", []), ("", [])]
)
def test_rooms_are_found_by_sid_name_and_who_was_there(location: str, who: str, found: list[str]) -> None:
    full(location).close()
    with closing(open_reader(location)) as reader:
        assert [row.sid for row in reader.concerning(who)] == found


def test_the_size_says_what_is_there(location: str) -> None:
    with closing(full(location)) as store:
        size = store.size()
        assert (size.rooms, size.refused) == (1, 0)
        assert size.unsent == len(store.unsent(99)) + len(store.open_spans("")) > 0
        assert size.oldest == size.newest
        assert 0 < size.used < time.time_ns()
        store.refused([number for number, _ in store.unsent(2)])
        assert (store.size().unsent, store.size().refused) == (size.unsent - 2, 2)
