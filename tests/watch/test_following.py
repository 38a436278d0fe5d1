from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import ADA, ROOM, call, moment, ms
from tests.watch.test_rooms import waiting
from tracer.errors import UnknownRoomError
from tracer.moment import Kind
from tracer.store import Arrival
from tracer.watch.following import SETTLED, Following

if TYPE_CHECKING:
    from tracer.store.sqlite import SqliteStore


def test_it_is_read_anew_when_something_came_and_is_as_of_now_otherwise(store: SqliteStore) -> None:
    store.add([Arrival(tuple(waiting()))])
    room = Following(store, ROOM, ms(100))
    before = room.timeline.steps
    assert not room.look(ms(2000))
    assert room.timeline.steps is before
    assert room.timeline.now == ms(2000)
    store.add([Arrival((moment(Kind.PARTICIPANT_LEFT, ADA, ms(2100)),))])
    assert room.look(ms(2200))
    assert len(room.timeline.steps) == len(before) + 1


def test_what_comes_of_other_rooms_is_no_news(store: SqliteStore) -> None:
    store.add([Arrival(tuple(waiting()))])
    room = Following(store, ROOM, ms(100))
    store.add([Arrival((moment(Kind.ROOM_CREATED, "RM_other", ms(101), room="RM_other"),))])
    assert not room.look(ms(200))


def test_a_worker_that_comes_later_is_seen_though_nothing_comes_of_the_room(store: SqliteStore) -> None:
    store.add([Arrival(tuple(waiting()))])
    room = Following(store, ROOM, ms(100))
    registered = moment(Kind.WORKER_REGISTERED, "AW_late", ms(2_600), room="", witness="agent")
    store.add([Arrival((registered,))])
    assert room.look(ms(2_700))
    assert Kind.WORKER_REGISTERED in {step.kind for step in room.timeline.steps}
    assert not room.look(ms(2_700 + 3_000)), "it is read again, and is no news"


def test_it_is_over_when_nothing_more_comes(store: SqliteStore) -> None:
    store.add([Arrival(tuple(waiting()))])
    room = Following(store, ROOM, ms(100))
    room.look(ms(3_600_000))
    assert not room.is_over, "however long ago the last thing happened"
    store.add([Arrival((moment(Kind.ROOM_FINISHED, ROOM, ms(3_600_000)),))])
    room.look(ms(3_600_001))
    assert not room.is_over
    room.look(ms(3_600_001) + SETTLED)
    assert room.is_over


def test_a_call_of_long_ago_is_over_at_once(store: SqliteStore) -> None:
    store.add([Arrival(tuple(call()))])
    assert Following(store, ROOM, ms(3_600_000)).is_over


def test_an_open_job_is_waited_for(store: SqliteStore) -> None:
    ends = (Kind.JOB_ENDED, Kind.JOB_SHUTDOWN)
    store.add([Arrival(tuple(one for one in call() if one.kind not in ends))])
    finished = max(one.latest for one in call() if one.kind is Kind.ROOM_FINISHED)
    room = Following(store, ROOM, finished + 2 * SETTLED)
    assert not room.is_over
    room.look(finished + 20 * SETTLED)
    assert room.is_over, "it is lost by now"


def test_a_room_that_was_forgotten_is_unknown(store: SqliteStore) -> None:
    store.add([Arrival(tuple(waiting()))])
    room = Following(store, ROOM, ms(100))
    store.forget(ROOM)
    with pytest.raises(UnknownRoomError):
        room.look(ms(200))
