"""What is told of SQLite alone: the file, its versions, who may read it. The rest is in ``test_contract``."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import ROOM, START, any_moments, call, moment, ms
from tests.receiving import LIMIT
from tests.store.test_contract import span
from tracer import keys
from tracer.errors import ConfigurationError, StoreError
from tracer.export.spans import spans
from tracer.moment import Kind, Moment
from tracer.store import Arrival, Outgoing, StoredSummary, Task, open_reader
from tracer.store.alike import digest_of
from tracer.store.sqlite import SqliteReader, SqliteStore
from tracer.store.sqlite.migrations import APPLICATION_ID, MIGRATIONS
from tracer.store.sqlite.opening import is_whole
from tracer.store.sqlite.reader import COLUMNS
from tracer.timeline.fold import fold
from tracer.view import json as json_view

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(path)) as opened:
        yield opened


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


ELSEWHERE = """
import sys
from pathlib import Path
from tracer.store.sqlite import SqliteStore

SqliteStore(Path(sys.argv[1])).close()
"""


@pytest.mark.parametrize("looks", [lambda path: SqliteReader(path).close(), is_whole], ids=["reads", "is whole"])
def test_who_closes_the_store_elsewhere_takes_nothing_from_who_has_it_open(
    path: Path, looks: Callable[[Path], object]
) -> None:
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(call()[:1]))])
        looks(path)  # what opened and closed the file here would have lost the locks that keep the WAL
        subprocess.run([sys.executable, "-c", ELSEWHERE, str(path)], check=True, timeout=LIMIT)
        store.add([Arrival(tuple(call()))])
        with closing(SqliteReader(path)) as reader:
            assert reader.moments(ROOM) == call()


def test_only_its_owner_can_read_a_store(path: Path) -> None:
    path = path.parent / "state" / "deep" / "tracer.db"
    with closing(SqliteStore(path)) as store:
        store.add([Arrival(tuple(call()))])
        assert store.may(Task.EXPORT)  # which makes another file
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


def test_other_addresses_are_no_stores() -> None:
    with pytest.raises(ConfigurationError, match="is not supported: name a SQLite file, or a database"):
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


def written_by_version(version: int, path: Path) -> None:
    """A store as the tracer of that version left it: a call, its room, and a span to be sent."""
    with closing(sqlite3.connect(path)) as db:
        for migration in MIGRATIONS[:version]:
            migration(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {version}")
        for m in call():
            places = ",".join("?" * 11)
            db.execute(f"INSERT INTO moment (digest, {COLUMNS}) VALUES ({places})", (digest_of(m.row()), *m.row()))
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
    path: Path, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "tracer")
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
    assert caplog.messages == []
    with closing(SqliteStore(path)) as store:
        assert caplog.messages == [f"{path} is of an older tracer: it is brought up to date, once"]
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
    assert len(caplog.messages) == 1


def test_who_is_killed_while_a_store_is_brought_up_to_date_leaves_it_as_it_was(path: Path) -> None:
    written_by_version(10, path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("INSERT INTO evidence (room, form, at, body) VALUES (?, 'webhook', 1, x'7b7d')", (ROOM,))
        db.commit()
    killed = f"""
import os, signal, sqlite3
from tracer.store.sqlite import migrations
*before, last = migrations.MIGRATIONS
def killing(db):
    last(db)
    os.kill(os.getpid(), signal.SIGKILL)
migrations.MIGRATIONS = (*before, killing)
from tracer.store.sqlite import SqliteStore
from pathlib import Path
SqliteStore(Path({str(path)!r}))
"""
    assert subprocess.run([sys.executable, "-c", killed], check=False).returncode < 0
    with closing(SqliteReader(path)) as reader:
        assert len(reader.evidence(ROOM)) == 1
    with closing(SqliteStore(path)) as store:
        assert len(store.evidence(ROOM)) == 1
        assert store.moments(ROOM) == call()


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
