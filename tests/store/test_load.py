from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.moments import ROOM, START, WORKER, call
from tests.why.cases import registered
from tracer.errors import StoreError, UnknownRoomError
from tracer.moment import Kind
from tracer.store import Arrival
from tracer.store.load import as_of, read_timeline, timeline_in
from tracer.store.sqlite import SqliteReader, SqliteStore
from tracer.units import NS_PER_S

if TYPE_CHECKING:
    from tracer.moment import Moment

END = max(moment.time for moment in call())


def at(room: str, start: int) -> list[Moment]:
    """The call in another room, of the same name, so long after the first, ns."""
    return [
        replace(
            told,
            room=room,
            subject=room if told.subject == ROOM else told.subject,
            earliest=told.earliest + start,
            latest=told.latest + start,
            time=told.time + start,
        )
        for told in call()
    ]


@pytest.fixture
def store(tmp_path: Path) -> str:
    path = tmp_path / "tracer.db"
    late = [replace(m, earliest=m.earliest + after, latest=m.latest + after, time=m.time + after, subject=sid)
            for m in registered(0) for sid, after in (("AW_soon", END - START + 59 * NS_PER_S),
                                                      ("AW_late", END - START + 61 * NS_PER_S))]  # fmt: skip
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival((*call(), *registered(), *late))])
        for number in (-2, -1, 1, 2):
            opened.add([Arrival(tuple(at(f"RM_{number}", number * 3600 * NS_PER_S)))])
    return str(path)


def test_a_room_is_read_as_of_now(store: str) -> None:
    before = time.time_ns()
    timeline = read_timeline(store, ROOM)
    assert before <= timeline.now <= time.time_ns()
    assert timeline.room.sid == ROOM


def test_a_name_is_its_latest_room(store: str) -> None:
    assert read_timeline(store, "demo").room.sid == "RM_2"


def test_the_rooms_of_its_name_before_and_after_stand_beside_it(store: str) -> None:
    timeline = read_timeline(store, ROOM)
    assert timeline.earlier
    assert timeline.later
    assert (timeline.earlier.room.sid, timeline.later.room.sid) == ("RM_-1", "RM_1")
    assert timeline.earlier.room.finished
    assert timeline.later.now == timeline.now
    # Further away nobody looks.
    assert (timeline.earlier.earlier, timeline.later.later) == (None, None)


@pytest.mark.parametrize(("room", "neighbours"), [("RM_-2", (None, "RM_-1")), ("RM_2", ("RM_1", None))])
def test_the_first_room_has_none_before_it_and_the_last_none_after(
    store: str, room: str, neighbours: tuple[str | None, str | None]
) -> None:
    timeline = read_timeline(store, room)
    assert tuple(other and other.room.sid for other in (timeline.earlier, timeline.later)) == neighbours


def test_workers_are_read_until_a_minute_after_the_room(store: str) -> None:
    assert {worker.sid for worker in read_timeline(store, ROOM).workers} == {WORKER, "AW_soon"}
    assert {worker.sid for worker in read_timeline(store, "RM_-1").workers} == set()
    assert {worker.sid for worker in read_timeline(store, "RM_1").workers} == {WORKER, "AW_soon", "AW_late"}


def test_a_room_without_moments_is_empty(store: str) -> None:
    with closing(SqliteReader(Path(store))) as reader:
        timeline = timeline_in(reader, "RM_unseen")
    assert (timeline.steps, timeline.workers, timeline.earlier, timeline.later) == ((), (), None, None)


def test_a_room_whose_making_nobody_saw_has_no_neighbours(tmp_path: Path) -> None:
    path = tmp_path / "bare.db"
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival(tuple(m for m in call() if m.kind is not Kind.ROOM_CREATED))])
        opened.add([Arrival(tuple(at("RM_1", 3600 * NS_PER_S)))])
    timeline = read_timeline(str(path), ROOM)
    assert (timeline.earlier, timeline.later) == (None, None)


def test_what_is_not_there_is_an_error(store: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownRoomError):
        read_timeline(store, "nobody")
    with pytest.raises(StoreError):
        read_timeline(str(tmp_path / "none.db"), "demo")


def test_a_room_whose_tracer_stopped_is_as_of_then(store: str) -> None:
    stop = END + 2 * NS_PER_S
    with closing(SqliteStore(Path(store))) as opened:
        opened.note_listened("one", START - NS_PER_S, stop)
        timeline = timeline_in(opened, ROOM)
        assert (timeline.now, timeline.stopped, timeline.unheard) == (stop, stop, ())
        again = as_of(opened, timeline, time.time_ns())
        assert (again.now, again.stopped) == (stop, stop)
        # It listens again, and nothing comes of this room.
        opened.note_listened("two", time.time_ns() - NS_PER_S, time.time_ns())
        assert timeline_in(opened, ROOM).stopped == stop


def test_when_nobody_listened_in_a_room_is_known(store: str) -> None:
    with closing(SqliteStore(Path(store))) as opened:
        opened.note_listened("one", START + 3 * NS_PER_S, END)
        late = timeline_in(opened, ROOM)
    assert [since for since, _ in late.unheard or ()] == [late.zero]
    assert late.heard_from == START + 3 * NS_PER_S
    assert (late.is_heard(START, END), late.is_heard(START + 4 * NS_PER_S, END)) == (False, True)


def test_of_what_workers_reported_long_before_a_room_the_last_of_each_kind_is_read(store: str) -> None:
    """A fleet whose loads move says much, and each room is read with it."""
    (one, *_) = registered(0)
    loads = [
        replace(one, kind=Kind.WORKER_LOAD, earliest=at, latest=at, time=at, occurrence=str(ago))
        for ago in range(30, 3600, 30)
        for at in [START - ago * NS_PER_S]
    ]
    with closing(SqliteStore(Path(store))) as opened:
        opened.add([Arrival(tuple(loads))])
        (worker,) = (one for one in timeline_in(opened, ROOM).workers if one.sid == WORKER)
    (before, *near) = [step.time for step in worker.steps if step.kind is Kind.WORKER_LOAD]
    assert before >= START - 180 * NS_PER_S, "the one that held until then"
    assert len(near) <= 4
    assert worker.at(Kind.WORKER_REGISTERED)
