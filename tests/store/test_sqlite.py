from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import threading
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import ABOUT_ROOM, ADA, ROOM, START, any_moments, call, moment, ms
from tests.receiving import LIMIT
from tracer import keys
from tracer.errors import ConfigurationError, StoreError, UnknownRoomError
from tracer.export.spans import spans
from tracer.moment import Kind, Moment
from tracer.store import SCRATCH, Arrival, Outgoing, StoredSummary, open_reader
from tracer.store.sqlite import SqliteReader, SqliteStore
from tracer.store.sqlite.migrations import APPLICATION_ID, MIGRATIONS
from tracer.store.sqlite.reader import COLUMNS
from tracer.store.sqlite.writer import MOST_UNKNOWN, _digest
from tracer.timeline.fold import fold
from tracer.units import NS_PER_S
from tracer.view import json as json_view

if TYPE_CHECKING:
    import random


def created(room: str, at: int, name: str | None = None, **more: int) -> Moment:
    about = {**ABOUT_ROOM, keys.ROOM_NAME: name, **more}
    return moment(Kind.ROOM_CREATED, room, at, room=room, told=about)


def span(number: int) -> Outgoing:
    return Outgoing(bytes(16), number.to_bytes(8), b"span %d" % number)


def test_what_is_added_is_read_back_in_the_order_it_came(store: SqliteStore) -> None:
    assert store.add([Arrival(tuple(call()))]) == [True]
    assert store.moments(ROOM) == call()


def test_adding_again_changes_nothing(store: SqliteStore) -> None:
    store.add([Arrival(tuple(call()))])
    before = store.rooms_to_export(9)
    assert store.add([Arrival(tuple(reversed(call()))), Arrival(tuple(call()))]) == [True, True]
    assert store.moments(ROOM) == call()
    assert store.rooms_to_export(9) == before


def test_a_webhook_is_kept_once_under_its_id_however_it_differs(store: SqliteStore) -> None:
    first, again, other = (moment(Kind.PARTICIPANT_LEFT, ADA, ms(at)) for at in (1, 2, 3))
    assert store.add([Arrival((first,), event_id="EV_1"), Arrival((again,), event_id="EV_1")]) == [True, False]
    assert store.add([Arrival((again,), event_id="EV_1"), Arrival((other,), event_id="EV_2")]) == [False, True]
    assert store.moments(ROOM) == [first, other]


def test_what_comes_without_an_id_is_always_new(store: SqliteStore) -> None:
    assert store.add([Arrival((call()[0],)), Arrival((call()[1],))]) == [True, True]
    assert len(store.moments(ROOM)) == 2


@pytest.mark.parametrize("text", ["\ud800"])
def test_all_is_kept_or_nothing(store: SqliteStore, text: str) -> None:
    bad = moment(Kind.PARTICIPANT_LEFT, text, ms(1))
    with pytest.raises(StoreError):
        store.add([Arrival((call()[0],), (span(1),), "EV_1"), Arrival((bad,), event_id="EV_2")])
    assert store.moments(ROOM) == []
    assert store.count_unsent() == 0
    with pytest.raises(UnknownRoomError):
        store.find(ROOM)
    # The webhook was not kept, so it is new when the server sends it again.
    assert store.add([Arrival((call()[0],), event_id="EV_1")]) == [True]


def test_a_time_that_is_none_is_refused_and_the_store_goes_on(store: SqliteStore) -> None:
    with pytest.raises(StoreError):
        store.add([Arrival((moment(Kind.PARTICIPANT_LEFT, ADA, 2**63),))])
    assert store.add([Arrival(tuple(call()))]) == [True]


@pytest.mark.parametrize("text", ["\ud800", "x" * 5_000_000, "'; DROP TABLE moment; --", "\0", "", "%", "🦀"])
def test_any_fact_is_kept_as_it_was_told(store: SqliteStore, text: str) -> None:
    told = moment(Kind.PARTICIPANT_JOINING, ADA, ms(1), told={keys.PARTICIPANT_IDENTITY: text, "a": 0.1, "b": True})
    store.add([Arrival((told,))])
    assert store.moments(ROOM) == [told]


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE room; --", '" OR 1=1', "%", "_", "\0", "🦀", "x" * 100_000, "", "RM_other"]
)
def test_a_room_of_any_name_is_found_by_it(store: SqliteStore, name: str) -> None:
    store.add([Arrival((created("RM_1", START, "demo"), created("RM_2", START, name)))])
    assert store.find(name) == "RM_2"
    assert store.find("demo") == "RM_1"


@pytest.mark.parametrize("name", ["%", "' OR '1'='1", "dem", "DEMO", "\udcff", "RM_", ""])
def test_a_room_that_is_not_there_is_unknown(store: SqliteStore, name: str) -> None:
    store.add([Arrival((created("RM_1", START, "demo"),))])
    with pytest.raises(UnknownRoomError):
        store.find(name)


def test_a_name_means_the_latest_room_of_that_name(store: SqliteStore) -> None:
    newest_first = [
        created("RM_3", ms(3000), "demo"),
        created("RM_1", ms(1000), "demo"),
        created("RM_2", ms(2000), "demo"),
    ]
    store.add([Arrival((m,)) for m in newest_first])
    assert store.find("demo") == "RM_3"
    assert store.find("RM_1") == "RM_1"


def test_an_sid_is_found_before_a_name(store: SqliteStore) -> None:
    store.add([Arrival((created("RM_1", START, "demo"), created("RM_2", ms(5), "RM_1")))])
    assert store.find("RM_1") == "RM_1"


def test_a_room_is_found_by_its_name_whoever_told_it_first(store: SqliteStore) -> None:
    store.add([Arrival((moment(Kind.PARTICIPANT_LEFT, ADA, ms(1)),))])
    store.add([Arrival((created(ROOM, START, "demo"),))])
    assert store.find("demo") == ROOM


def test_rooms_are_listed_newest_first_with_who_was_in_them(store: SqliteStore) -> None:
    store.add([Arrival((created("RM_old", START - NS_PER_S, "old"),)), Arrival(tuple(call()))])
    store.add([Arrival((created("RM_new", START + NS_PER_S, "new"),))])
    assert [row.sid for row in store.rooms(9)] == ["RM_new", ROOM, "RM_old"]
    assert [row.sid for row in store.rooms(2)] == ["RM_new", ROOM]
    row = store.rooms(9)[1]
    assert (row.name, row.created, row.finished) == ("demo", ms(0.5), ms(6500))
    assert (row.participants, row.agents) == (1, 1)


def test_a_caller_who_calls_himself_an_agent_is_a_caller(store: SqliteStore) -> None:
    about = {keys.PARTICIPANT_IDENTITY: "AGENT", keys.PARTICIPANT_KIND: "STANDARD"}
    store.add([Arrival((moment(Kind.PARTICIPANT_JOINING, ADA, ms(1), told=about),))])
    (row,) = store.rooms(1)
    assert (row.participants, row.agents) == (1, 0)


def test_a_caller_known_only_from_leaving_early_is_counted(store: SqliteStore) -> None:
    store.add([Arrival(tuple(m for m in call() if m.subject == ADA and m.kind is Kind.PARTICIPANT_JOINING))])
    assert store.rooms(1)[0].participants == 1


def test_what_workers_say_is_of_no_room(store: SqliteStore) -> None:
    registered = moment(Kind.WORKER_REGISTERED, "AW_1", ms(-1), room="")
    store.add([Arrival((registered,))])
    assert store.moments("") == [registered]
    assert store.rooms(9) == []
    assert store.rooms_to_export(9) == []


def test_a_span_goes_into_the_outbox_once_for_ever(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(outgoing=(span(1), span(2), span(1)))])
        store.queue([span(2), span(3)], [])
        assert [body for _, body in store.unsent(9)] == [b"span 1", b"span 2", b"span 3"]
        store.sent(number for number, _ in store.unsent(2))
        assert [body for _, body in store.unsent(9)] == [b"span 3"]
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(outgoing=(span(1), span(2), span(3)))])
        assert [body for _, body in store.unsent(9)] == [b"span 3"]
        assert store.count_unsent() == 1


def test_one_span_id_in_two_traces_is_two_spans(store: SqliteStore) -> None:
    store.queue([span(1), Outgoing(b"\1" * 16, span(1).span_id, b"other")], [])
    assert store.count_unsent() == 2


def test_the_outbox_gives_the_oldest_first_and_not_more_than_asked(store: SqliteStore) -> None:
    store.queue([span(number) for number in (3, 1, 2)], [])
    assert [body for _, body in store.unsent(2)] == [b"span 3", b"span 1"]


def test_a_room_is_to_be_exported_until_its_newest_moment_was(store: SqliteStore) -> None:
    store.add([Arrival(tuple(call()[:3]))])
    ((room, newest),) = store.rooms_to_export(9)
    store.add([Arrival(tuple(call()[3:]))])
    store.queue([], [(room, newest)])
    ((_, newer),) = store.rooms_to_export(9)
    assert newer > newest
    store.queue([], [(room, newer)])
    assert store.rooms_to_export(9) == []


def test_readers_look_on_while_one_writes(store: SqliteStore, path: Path) -> None:
    with closing(SqliteReader(path)) as reader:
        for count, m in enumerate(call(), 1):
            store.add([Arrival((m,))])
            assert len(reader.moments(ROOM)) == count
        with store._transaction():
            store._db.execute("DELETE FROM moment")
            assert reader.moments(ROOM) == call()
        assert reader.moments(ROOM) == []


def test_a_reader_cannot_write(store: SqliteStore, path: Path) -> None:
    store.add([Arrival(tuple(call()))])
    with closing(SqliteReader(path)) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._db.execute("DELETE FROM moment")


def test_what_was_added_is_there_after_the_process_was_killed(path: Path, tmp_path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(call()))])
        # What is on disk at this instant, as a power cut leaves it.
        left = tmp_path / "left"
        left.mkdir()
        for file in tmp_path.glob("tracer.db*"):
            if not file.name.endswith("-shm"):
                (left / file.name).write_bytes(file.read_bytes())
        assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    with closing(SqliteStore(left / "tracer.db")) as again:
        assert again.moments(ROOM) == call()


def test_only_its_owner_can_read_a_store(path: Path) -> None:
    path = path.parent / "state" / "deep" / "tracer.db"
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(call()))])
        assert store.may_export()  # which makes another file
        for file in path.parent.iterdir():
            assert not stat.S_IMODE(file.stat().st_mode) & 0o077, file.name
        assert not stat.S_IMODE(path.parent.stat().st_mode) & 0o077


def refused(path: Path, *, opening: type[SqliteReader] = SqliteReader) -> str:
    with pytest.raises(StoreError) as error:
        opening(path)
    text = str(error.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def test_a_store_that_is_not_there_is_not_made_by_reading(path: Path) -> None:
    assert "no store at" in refused(path)
    assert not path.exists()


@pytest.mark.parametrize("opening", [SqliteReader, SqliteStore])
def test_a_file_of_another_kind_is_refused_and_left_as_it_is(path: Path, opening: type[SqliteReader]) -> None:
    path.write_bytes(b"not a database, but somebody's notes" * 100)
    before = path.read_bytes()
    assert "is not a tracer database" in refused(path, opening=opening)
    assert path.read_bytes() == before


@pytest.mark.parametrize("opening", [SqliteReader, SqliteStore])
def test_another_programs_database_is_refused_and_left_as_it_is(path: Path, opening: type[SqliteReader]) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
        other.commit()
    before = path.read_bytes()
    assert "is not a tracer database" in refused(path, opening=opening)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("opening", [SqliteReader, SqliteStore])
def test_a_store_of_a_newer_tracer_is_refused(path: Path, opening: type[SqliteReader]) -> None:
    with closing(SqliteStore(path)) as store:
        store._db.execute("PRAGMA user_version = 99")
    assert "version 99" in refused(path, opening=opening)


@pytest.mark.parametrize("size", [1, 15, 16, 600])
@pytest.mark.parametrize("opening", [SqliteReader, SqliteStore])
def test_another_file_however_short_stays_as_it_was(path: Path, opening: type[SqliteReader], size: int) -> None:
    path.write_bytes(b"S" * size)
    assert "is not a tracer database" in refused(path, opening=opening)
    assert path.read_bytes() == b"S" * size


def test_a_store_on_a_read_only_file_system_can_be_read(tmp_path: Path) -> None:
    place = tmp_path / "mounted"
    place.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "none", str(place)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this needs the right to mount a file system")
    try:
        with closing(SqliteStore(place / "t.db")) as store:
            store.add([Arrival(tuple(call()))])
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        with closing(SqliteReader(place / "t.db")) as reader:
            assert len(reader.rooms(9)) == 1
        assert "cannot open the store" in refused(place / "t.db", opening=SqliteStore)
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("opening", [SqliteReader, SqliteStore])
def test_a_folder_is_no_store(tmp_path: Path, opening: type[SqliteReader]) -> None:
    refused(tmp_path, opening=opening)


@pytest.mark.parametrize("opening", [SqliteReader, SqliteStore])
@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_a_store_that_may_not_be_read_is_said(path: Path, opening: type[SqliteReader]) -> None:
    SqliteStore(path).close()
    path.chmod(0)
    refused(path, opening=opening)


def test_a_folder_that_cannot_be_made_is_said(path: Path) -> None:
    path.write_text("a file where a folder should be")
    refused(path / "tracer.db", opening=SqliteStore)


def test_an_empty_file_becomes_a_store_by_writing_only(path: Path) -> None:
    path.touch()
    refused(path)
    with closing(SqliteStore(path)) as store:
        assert store._db.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)


@pytest.mark.parametrize("name", ["a b.db", "100%.db", "what?.db", "#1.db", "ü.db", "a'b.db"])
def test_a_store_may_have_any_name(tmp_path: Path, name: str) -> None:
    with closing(SqliteStore(tmp_path / name)) as store:
        store.add([Arrival(tuple(call()))])
        assert (tmp_path / name).exists()
        with closing(open_reader(str(tmp_path / name))) as reader:
            assert reader.moments(ROOM) == call()


def test_only_files_are_stores_so_far() -> None:
    with pytest.raises(ConfigurationError, match="is not supported: name the path"):
        open_reader("jaeger+http://127.0.0.1:16686")


def test_a_store_broken_while_open_fails_in_its_own_words(store: SqliteStore) -> None:
    store.add([Arrival(tuple(call()))])
    store._db.execute("DROP TABLE moment")
    for use in (lambda: store.moments(ROOM), lambda: store.rooms(9), lambda: store.add([Arrival(tuple(call()))])):
        with pytest.raises(StoreError, match="failed"):
            use()


@given(any_moments(), st.randoms(use_true_random=False))
def test_two_stores_read_together_are_as_one(moments: list[Moment], chance: random.Random) -> None:
    moments = [m for m in moments if "\ud800" not in m.subject]
    one = [m for m in moments if chance.random() < 0.6]
    other = [m for m in moments if m not in one or chance.random() < 0.3]
    with TemporaryDirectory() as folder:
        read: list[Moment] = []
        for name, part in (("one", one), ("other", other)):
            with closing(SqliteStore(Path(folder) / name)) as store:
                store.add(Arrival((m,)) for m in part)
                read += store.moments(ROOM)
    assert set(read) == set(moments)
    assert json.dumps(json_view.timeline(fold(ROOM, read))) == json.dumps(json_view.timeline(fold(ROOM, moments)))
    assert repr(spans(fold(ROOM, read))) == repr(spans(fold(ROOM, moments)))


def test_what_is_unknown_is_counted_by_its_name_and_only_so_many_names_are_kept(store: SqliteStore) -> None:
    store.add([Arrival(unknown=("Room.colour", "webhook new")), Arrival(unknown=("Room.colour",))])
    store.add([Arrival(event_id="EV_1", unknown=("Room.colour",))])
    store.add([Arrival(event_id="EV_1", unknown=("Room.colour",))])
    assert [(one.name, one.times) for one in store.unknown()] == [("Room.colour", 3), ("webhook new", 1)]
    store.add([Arrival(unknown=tuple(f"Room.field{number}" for number in range(2 * MOST_UNKNOWN)))])
    assert len(store.unknown()) == MOST_UNKNOWN
    store.add([Arrival(unknown=("Room.colour",))])
    assert [one.times for one in store.unknown() if one.name == "Room.colour"] == [4]


def written_by_version(version: int, path: Path) -> None:
    """A store as the tracer of that version left it: a call, its room, and a span to be sent."""
    with closing(sqlite3.connect(path)) as db:
        for migration in MIGRATIONS[:version]:
            migration(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {version}")
        for m in call():
            places = ",".join("?" * 11)
            db.execute(f"INSERT INTO moment (digest, {COLUMNS}) VALUES ({places})", (_digest(m), *m.row()))
        db.execute(
            "INSERT INTO room (sid, name, created, finished, first_seen, changed, exported)"
            " VALUES (?, 'demo', ?, ?, ?, ?, 5)",
            (ROOM, ms(0.5), ms(6500), START, len(call())),
        )
        sent = span(7)
        db.execute(
            "INSERT INTO outbox (trace_id, span_id, body) VALUES (?, ?, ?)", (sent.trace_id, sent.span_id, sent.body)
        )
        db.commit()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_store_of_an_older_tracer_is_read_as_it_is_and_brought_up_to_date_by_whoever_writes(
    path: Path, version: int
) -> None:
    written_by_version(version, path)
    path.chmod(0o400)
    before = path.read_bytes()
    with closing(SqliteReader(path)) as reader:
        assert reader.moments(ROOM) == call()
        assert reader.summaries(9, version=1) == [StoredSummary(ROOM, True, None)]
        assert reader.summaries(9, version=1, since=ms(1)) == []
        assert reader.summaries(9, version=1, since=ms(0)) == [StoredSummary(ROOM, True, None)]
        assert reader.unknown() == []
    assert path.read_bytes() == before
    path.chmod(0o600)
    with closing(SqliteStore(path)) as store:
        assert store.moments(ROOM) == call()
        assert [row.sid for row in store.rooms(9)] == [ROOM]
        assert store.rooms_to_export(9) == [(ROOM, len(call()))]
        assert [body for _, body in store.unsent(9)] == [span(7).body]
        assert store.to_summarize(0, store.newest(), 9) == [(ROOM, len(call()))]
        store.summarized([(ROOM, len(call()), "kept")], 1)
        store.queue([Outgoing(bytes(16), b"12345678", b"open", open_job="AJ_1")], [])
        assert store.add([Arrival(tuple(call()))]) == [True]
    for opened in (SqliteReader(path), SqliteStore(path)):
        with closing(opened) as again:
            assert again.summaries(9, version=1) == [StoredSummary(ROOM, True, "kept")]


def kept(store: SqliteReader, limit: int = 99, since: int = 0) -> dict[str, str | None]:
    return {sid: body for sid, _, body in store.summaries(limit, since=since, version=1)}


def sum_up_all(store: SqliteStore, version: int = 1) -> list[str]:
    rooms = store.to_summarize(0, store.newest(), 99)
    store.summarized([(room, newest, f"of {room}") for room, newest in rooms], version)
    return [room for room, _ in rooms]


def over(room: str, at: int) -> list[Arrival]:
    """A room that was made then, and is over."""
    finished = moment(Kind.ROOM_FINISHED, room, at + NS_PER_S, room=room)
    return [Arrival((created(room, at, "demo"), finished))]


def test_a_summary_holds_until_something_new_is_learnt_of_its_room(store: SqliteStore) -> None:
    store.add([*over("RM_1", START), *over("RM_2", START + 1)])
    assert kept(store) == {"RM_2": None, "RM_1": None}
    assert sum_up_all(store) == ["RM_1", "RM_2"]
    assert kept(store) == {"RM_2": "of RM_2", "RM_1": "of RM_1"}
    assert sum_up_all(store) == []
    store.add(over("RM_1", START))  # nothing new
    assert sum_up_all(store) == []
    store.add([Arrival((moment(Kind.PARTICIPANT_LEFT, ADA, ms(1), room="RM_1"),))])
    assert kept(store) == {"RM_2": "of RM_2", "RM_1": None}
    assert sum_up_all(store) == ["RM_1"]
    assert kept(store) == {"RM_2": "of RM_2", "RM_1": "of RM_1"}


def test_a_summary_that_was_made_while_something_came_does_not_hold(store: SqliteStore) -> None:
    store.add(over("RM_1", START))
    [(room, newest)] = store.to_summarize(0, store.newest(), 9)
    store.add([Arrival((moment(Kind.PARTICIPANT_LEFT, ADA, ms(1), room="RM_1"),))])
    store.summarized([(room, newest, "too early")], 1)
    assert kept(store) == {"RM_1": None}
    assert sum_up_all(store) == ["RM_1"]


def test_only_rooms_that_are_over_are_summed_up_and_which_are_is_told(store: SqliteStore) -> None:
    store.add([Arrival((created("RM_open", START + 5),)), *over("RM_over", START)])
    assert sum_up_all(store) == ["RM_over"]
    assert store.summaries(9, version=1) == [
        StoredSummary("RM_open", False, None),
        StoredSummary("RM_over", True, "of RM_over"),
    ]


def test_rooms_to_sum_up_come_by_their_newest_moment_from_one_number_to_another(store: SqliteStore) -> None:
    for number in (3, 1, 2):
        store.add(over(f"RM_{number}", START + number))
    every = store.to_summarize(0, store.newest(), 9)
    assert [room for room, _ in every] == ["RM_3", "RM_1", "RM_2"]
    assert store.to_summarize(0, store.newest(), 2) == every[:2]
    assert store.to_summarize(every[0][1], store.newest(), 9) == every[1:]
    assert store.to_summarize(0, every[1][1], 9) == every[:2]
    assert store.to_summarize(0, every[0][1] - 1, 9) == []


def test_the_latest_summaries_come_first_and_no_more_than_asked(store: SqliteStore) -> None:
    for number in range(5):
        store.add(over(f"RM_{number}", START + number * NS_PER_S))
    sum_up_all(store)
    assert list(kept(store)) == ["RM_4", "RM_3", "RM_2", "RM_1", "RM_0"]
    assert list(kept(store, limit=2)) == ["RM_4", "RM_3"]
    assert list(kept(store, since=START + 3 * NS_PER_S)) == ["RM_4", "RM_3"]
    assert list(kept(store, limit=1, since=START + 3 * NS_PER_S)) == ["RM_4"]
    assert kept(store, since=START + 9 * NS_PER_S) == {}


def test_a_summary_of_another_version_does_not_hold_and_is_made_anew(store: SqliteStore) -> None:
    store.add([*over("RM_1", START), *over("RM_2", START + 1)])
    sum_up_all(store, version=1)
    assert [one.body for one in store.summaries(9, version=2)] == [None, None]
    store.forget_summaries(1)
    assert sum_up_all(store) == []
    store.forget_summaries(2)
    assert sum_up_all(store, version=2) == ["RM_1", "RM_2"]
    assert [one.body for one in store.summaries(9, version=2)] == ["of RM_2", "of RM_1"]


def test_summaries_are_read_by_an_index_however_many_rooms_there_are(store: SqliteStore) -> None:
    asked: list[str] = []
    store._db.set_trace_callback(asked.append)
    store.summaries(9, since=START, version=1)
    store.to_summarize(0, 9, 9)
    store._db.set_trace_callback(None)
    plans = [" ".join(str(row[3]) for row in store._db.execute(f"EXPLAIN QUERY PLAN {one}")) for one in asked]
    plan = next(plan for plan, one in zip(plans, asked, strict=True) if "body" in one)
    assert "USING INDEX room_by_time" in plan
    assert "SCAN" not in plan
    assert "room_to_summarize" in plans[-1]
    assert "TEMP B-TREE" not in plans[-1]


def test_two_rooms_kept_in_one_commit_are_both_kept_or_neither(store: SqliteStore) -> None:
    store.add([*over("RM_1", START), *over("RM_2", START + 1)])
    with pytest.raises(StoreError):
        store.summarized([("RM_1", 1, "fine"), ("RM_2", 2, "\ud800")], 1)
    assert kept(store) == {"RM_2": None, "RM_1": None}


def test_rooms_of_the_doctors_are_in_no_figures(tmp_path: Path) -> None:
    scratch = moment(Kind.ROOM_CREATED, "RM_scratch", ms(0), room="RM_scratch", told={keys.ROOM_NAME: SCRATCH + "1a2b"})
    with closing(SqliteStore(tmp_path / "t.db")) as store:
        store.add([Arrival(tuple(call())), Arrival((scratch,))])
        assert list(kept(store)) == [ROOM]
        assert {row.sid for row in store.rooms(9)} == {ROOM, "RM_scratch"}


@pytest.mark.parametrize("version", [0, 1, 2])
def test_two_that_open_a_store_at_once_bring_it_to_our_version_once(tmp_path: Path, version: int) -> None:
    """Whoever is second finds it done."""
    for number in range(5):
        path = tmp_path / f"{number}.db"
        if version:
            with closing(sqlite3.connect(path)) as old:
                for migration in MIGRATIONS[:version]:
                    migration(old)
                old.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version};")
        ready = threading.Barrier(2)
        opened: list[bool] = []

        def open_it(path: Path = path, ready: threading.Barrier = ready, opened: list[bool] = opened) -> None:
            ready.wait()
            SqliteStore(path).close()
            opened.append(True)

        both = [threading.Thread(target=open_it) for _ in range(2)]
        for one in both:
            one.start()
        for one in both:
            one.join()
        assert opened == [True, True]


def test_of_workers_only_what_was_near_is_told_and_the_last_of_each_kind_before(tmp_path: Path) -> None:
    flapping = [
        moment(kind, "AW_1", ms(at), room="", witness="agent", clock="agent", occurrence=str(at))
        for at in range(0, 1000, 10)
        for kind in (Kind.WORKER_FULL, Kind.WORKER_AVAILABLE)
    ]
    with closing(SqliteStore(tmp_path / "t.db")) as store:
        store.add([Arrival(tuple(flapping))])
        found = store.workers(ms(900), ms(950))
    assert sorted({m.time for m in found}) == [ms(at) for at in range(890, 951, 10)]
    assert len(found) == 2 * 7


def test_what_workers_told_long_ago_costs_nothing(tmp_path: Path) -> None:
    def told(numbers: range) -> tuple[Moment, ...]:
        return tuple(
            moment(Kind.WORKER_FULL, "AW_1", ms(number), room="", occurrence=str(number), told={keys.WORKER_LOAD: 0.5})
            for number in numbers
        )

    with closing(SqliteStore(tmp_path / "t.db")) as store:
        costs = []
        for numbers in (range(1000), range(1000, 5000)):
            store.add([Arrival(told(numbers))])
            steps: list[int] = []
            store._db.set_progress_handler(lambda steps=steps: steps.append(1), 1)  # type: ignore[misc]
            assert len(store.workers(ms(10_000), ms(11_000))) == 1
            store._db.set_progress_handler(None, 0)
            costs.append(len(steps))
    assert costs[1] <= costs[0] + 10


@pytest.mark.parametrize("change", ["kind = 'job.reassigned'", "facts = '{'", "facts = 'null'"])
def test_a_moment_that_cannot_be_read_says_so(store: SqliteStore, path: Path, change: str) -> None:
    store.add([Arrival(tuple(call()))])
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"UPDATE moment SET {change} WHERE seq = 1")
        db.commit()
    with pytest.raises(StoreError, match="holds a moment that this tracer cannot read"):
        store.moments(ROOM)


def test_closing_waits_for_the_thread_that_uses_the_connection(path: Path) -> None:
    """SQLite takes the whole process with it when a connection is closed under a statement."""
    store = SqliteStore(path)
    store.add([Arrival(tuple(call()))])
    with store._using() as db:
        closing_it = threading.Thread(target=store.close)
        closing_it.start()
        rows = db.execute("SELECT subject FROM moment")
        closing_it.join(0.1)
        assert closing_it.is_alive()
        assert len(rows.fetchall()) == len(call())
    closing_it.join(LIMIT)
    assert not closing_it.is_alive()
    with pytest.raises(StoreError):
        store.moments(ROOM)
