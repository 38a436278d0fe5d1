from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, ROOM, START, call, moment
from tracer.errors import StoreError
from tracer.moment import Kind
from tracer.store import Arrival, Evidence, Form, Writer, open_writer
from tracer.store.sqlite import SqliteReader, SqliteStore
from tracer.store.sqlite.migrations import APPLICATION_ID, MIGRATIONS
from tracer.timeline.trace_jobs import room_of_trace

if TYPE_CHECKING:
    from pathlib import Path

TRACE = room_of_trace(bytes(range(16)))
PIECE = Evidence(Form.WEBHOOK, b"{}", START, ROOM)
ONE, TWO = moment(Kind.ROOM_CREATED, ROOM, 0), moment(Kind.ROOM_FINISHED, ROOM, 9)


def logged(store: Writer, *pieces: Evidence) -> list[Evidence]:
    """Pieces that are in the store, and not read."""
    assert store.add(pieces) == [True] * len(pieces)
    return store.to_read(100)


def test_evidence_is_kept_first_and_read_later(store: Writer) -> None:
    (piece,) = logged(store, PIECE)
    assert piece._replace(number=0) == PIECE
    assert (store.unread(), store.moments(ROOM)) == (1, [])
    assert store.add([Arrival((ONE,), evidence=piece)]) == [True]
    assert (store.unread(), store.moments(ROOM), store.evidence(ROOM)) == (0, [ONE], [piece])


def test_evidence_that_is_read_at_once_is_kept_too(store: Writer) -> None:
    store.add([Arrival((ONE,), evidence=PIECE)])
    assert (store.unread(), store.moments(ROOM)) == (0, [ONE])
    assert [piece._replace(number=0) for piece in store.evidence(ROOM)] == [PIECE]


def test_of_two_who_read_the_same_the_second_changes_nothing(store: Writer) -> None:
    (piece,) = logged(store, PIECE)
    arrival = Arrival((ONE,), unknown=("Room.new",), evidence=piece)
    assert store.add([arrival, arrival]) == [True, False]
    assert store.add([arrival]) == [False]
    assert [one.times for one in store.unknown()] == [1]


def test_a_webhook_is_logged_once(store: Writer) -> None:
    piece = PIECE._replace(event_id="EV_1")
    assert store.add([piece, piece, Arrival((ONE,), evidence=piece)]) == [True, False, False]
    assert (store.unread(), len(store.evidence(ROOM)), store.moments(ROOM)) == (1, 1, [])


def test_many_are_logged_in_the_order_they_came(store: Writer) -> None:
    pieces = [PIECE._replace(body=b"%d" % n, room=f"RM_{n % 7}", event_id=f"EV_{n - n % 3}") for n in range(300)]
    middle = Arrival((ONE,))
    fresh = store.add([*pieces[:100], middle, *pieces[100:]])
    assert fresh == [n % 3 == 0 for n in range(100)] + [True] + [n % 3 == 0 for n in range(100, 300)]
    assert store.unread() == 100
    kept = store.to_read(1000)
    assert [piece.body for piece in kept] == [b"%d" % n for n in range(0, 300, 3)]
    assert [piece.body for piece in store.evidence("RM_3")] == [b"%d" % n for n in range(0, 300, 3) if n % 7 == 3]
    assert store.add([Arrival(evidence=piece) for piece in kept]) == [True] * 100
    assert store.unread() == 0


def test_another_version_reads_all_again_and_what_it_takes_it_for_replaces_what_was(location: str) -> None:
    observed = replace(TWO, witness="agent")
    with closing(open_writer(location)) as store:
        store.read_again(1)
        store.add([Arrival((ONE, TWO), evidence=PIECE), Arrival((observed,))])
        store.read_again(1)
        assert store.unread() == 0
    with closing(open_writer(location)) as store:
        store.read_again(2)
        assert store.unread() == 0  # nothing is missing
        (piece,) = store.to_read(10)
        assert len(store.moments(ROOM)) == 3  # until then, what is known is known
        learnt = moment(Kind.PARTICIPANT_LEFT, ADA, 5)
        store.add([Arrival((ONE, learnt), evidence=piece)])
        assert set(store.moments(ROOM)) == {observed, ONE, learnt}


def test_what_two_pieces_reported_stays_while_one_does(store: Writer) -> None:
    first, second = logged(store, PIECE, PIECE._replace(body=b"[]"))
    store.add([Arrival((ONE,), evidence=first), Arrival((ONE,), evidence=second)])
    store.read_again(2)
    store.add([Arrival((), evidence=first), Arrival((ONE,), evidence=second)])
    assert store.moments(ROOM) == [ONE]


def test_what_of_a_trace_moves_to_its_room_is_still_of_its_evidence(store: Writer) -> None:
    (piece,) = logged(store, PIECE._replace(room=TRACE))
    store.add([Arrival((replace(ONE, room=TRACE),), evidence=piece)])
    store.add([Arrival(traces=((TRACE, ROOM),))])
    assert (store.moments(ROOM), store.evidence(ROOM)) == ([ONE], [piece])
    store.read_again(2)
    store.add([Arrival((replace(TWO, room=TRACE),), evidence=store.to_read(1)[0])])
    assert store.moments(ROOM) == [TWO]


def test_a_room_is_forgotten_with_its_evidence_read_or_not(store: Writer) -> None:
    of_trace, of_other = PIECE._replace(room=TRACE), PIECE._replace(room="RM_other")
    store.add([Arrival(tuple(call()), traces=((TRACE, ROOM),), evidence=PIECE), PIECE, of_trace, of_other])
    store.forget(ROOM)
    assert (store.evidence(ROOM), store.evidence(TRACE), store.moments(ROOM)) == ([], [], [])
    assert [piece._replace(number=0) for piece in store.to_read(10)] == [of_other]


def test_old_evidence_of_no_room_is_forgotten(store: Writer) -> None:
    old, late = START - 2, START + 2
    store.add([PIECE._replace(room=room, at=at) for room in ("", TRACE, ROOM) for at in (old, late)])
    store.forget_old(START)
    assert {(piece.room, piece.at) for piece in store.to_read(10)} == {
        ("", late),
        (TRACE, late),
        (ROOM, old),
        (ROOM, late),
    }


def test_a_store_of_an_older_tracer_has_no_evidence_and_can_be_read(path: Path) -> None:
    with closing(SqliteStore(path)) as store, store._using() as db:
        db.executescript("DROP TABLE evidence; DROP TABLE unread; PRAGMA user_version = 7")
    with closing(SqliteReader(path)) as reader:
        assert (reader.unread(), reader.evidence(ROOM)) == (0, [])


def test_what_nobody_has_read_comes_before_what_another_version_has(store: Writer) -> None:
    store.read_again(1)
    store.add([Arrival((ONE,), evidence=PIECE)])
    store.read_again(2)
    fresh = PIECE._replace(body=b"fresh")
    store.add([fresh])
    (first,) = store.to_read(10)
    assert first.body == b"fresh"
    store.add([Arrival(evidence=first)])
    assert [piece.body for piece in store.to_read(10)] == [PIECE.body]


def test_no_more_is_taken_at_once_than_memory_has_room_for(store: Writer) -> None:
    store.add([PIECE._replace(body=bytes(700_000))] * 5)
    assert len(store.to_read(10)) == 2


def by_room(store: SqliteStore) -> list[int]:
    return [seq for (seq,) in store._db.execute("SELECT seq FROM evidence_of_room ORDER BY seq")]


def test_a_request_is_found_by_its_room_before_it_is_read_and_noted_there_when_it_is(path: Path) -> None:
    others = [PIECE._replace(room=f"RM_{n}") for n in range(3)]
    with closing(SqliteStore(path)) as store:
        (piece, *_) = logged(store, PIECE, *others)
        assert by_room(store) == []  # of each room a page of its own would be changed before the answer
        assert store.evidence(ROOM) == [piece]
        assert store.size().evidence == 4
        store.add([Arrival((ONE,), evidence=piece)])
        assert by_room(store) == [piece.number]
        store.read_again(1)
        store.read_again(2)  # all that was read, again; and what was not, for the first time
        assert (store.unread(), store.size().evidence) == (3, 4)
        assert store.evidence(ROOM) == [piece]


def test_nothing_is_left_of_a_forgotten_room_whether_it_was_read_or_not(path: Path) -> None:
    with closing(SqliteStore(path)) as store:
        pieces = [PIECE._replace(at=START + n, form=Form.OTLP) for n in range(120)]
        first, *_ = logged(store, *pieces, PIECE._replace(room="RM_other"))
        store.add([Arrival((ONE,), evidence=first)])
        store.forget(ROOM)
        tables = ("evidence", "evidence_of_room", "unread", "unsent")
        counts = [store._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
        assert counts == [1, 0, 1, 0]
        assert store.evidence(ROOM) == []


def test_evidence_of_an_older_file_is_found_by_its_room(path: Path) -> None:
    with closing(SqliteStore(path)):
        pass
    path.unlink()
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        for migration in MIGRATIONS[:10]:
            migration(db)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("PRAGMA user_version = 10")
        for seq, room, again in ((1, ROOM, None), (2, ROOM, 0), (3, "RM_other", 0), (4, ROOM, 1)):
            db.execute("INSERT INTO evidence VALUES (?, ?, 'webhook', ?, '{}')", (seq, room, START + seq))
            if again is not None:
                db.execute("INSERT INTO unread VALUES (?, ?)", (seq, again))
    with closing(SqliteReader(path)) as reader:
        assert ([one.number for one in reader.evidence(ROOM)], reader.size().evidence) == ([1, 2, 4], 4)
    with closing(SqliteStore(path)) as store:
        assert by_room(store) == [1, 4]
        assert ([one.number for one in store.evidence(ROOM)], store.size().evidence) == ([1, 2, 4], 4)
        store.forget(ROOM)
        assert (store.evidence(ROOM), store.unread(), store.size().evidence) == ([], 1, 1)


def test_who_starts_on_evidence_that_this_version_has_read_waits_for_nobody(path: Path) -> None:
    with closing(SqliteStore(path, wait=0)) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        store.read_again(1)
        other.execute("BEGIN IMMEDIATE")
        store.read_again(1)
        with pytest.raises(StoreError, match="locked"):
            store.read_again(2)
