from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tests.moments import ADA, DISPATCH, ROOM, call, moment, ms
from tests.why.cases import in_room
from tracer import keys
from tracer.moment import Kind
from tracer.store import Arrival
from tracer.units import NS_PER_S
from tracer.watch import rooms as module
from tracer.watch.rooms import Rooms

if TYPE_CHECKING:
    import pytest

    from tracer.moment import Moment
    from tracer.store.sqlite import SqliteStore


def created(sid: str, at: int, name: str) -> Moment:
    return moment(Kind.ROOM_CREATED, sid, at, room=sid, told={keys.ROOM_NAME: name})


def waiting() -> list[Moment]:
    """A caller is there, and the dispatch has no job."""
    told = {keys.ROOM_NAME: "demo", keys.AGENT_NAME: ""}
    return [
        created(ROOM, ms(0), "demo"),
        moment(Kind.DISPATCH_CREATED, DISPATCH, ms(1), told=told),
        moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(90), told={keys.PARTICIPANT_IDENTITY: "ada"}),
    ]


def test_only_what_is_new_is_told(store: SqliteStore) -> None:
    store.add([Arrival((created("RM_1", ms(1), "one"), created("RM_2", ms(2), "two")))])
    rooms = Rooms(store)
    assert rooms.look(ms(3)) == {"RM_1", "RM_2"}
    assert rooms.look(ms(4)) == set()
    store.add([Arrival((created("RM_3", ms(5), "three"),))])
    assert rooms.look(ms(6)) == {"RM_3"}
    assert list(rooms.rows) == ["RM_3", "RM_2", "RM_1"]


def test_rooms_of_the_doctor_are_left_out_unless_they_are_wanted(store: SqliteStore) -> None:
    store.add([Arrival((created("RM_1", ms(1), "tracer-doctor-1"), created("RM_2", ms(2), "tracer-demo-2")))])
    assert Rooms(store).look(ms(3)) == set()
    assert Rooms(store, everything=True).look(ms(3)) == {"RM_1", "RM_2"}


def test_no_more_are_kept_than_are_watched(store: SqliteStore) -> None:
    store.add([Arrival(tuple(created(f"RM_{n}", ms(n), "x") for n in range(5)))])
    rooms = Rooms(store, most=3)
    rooms.look(ms(9))
    store.add([Arrival((created("RM_9", ms(9), "x"),))])
    rooms.look(ms(10))
    assert list(rooms.rows) == ["RM_9", "RM_4", "RM_3"]


def test_what_an_open_room_waits_for_shows_by_time_alone(store: SqliteStore) -> None:
    store.add([Arrival(tuple(waiting()))])
    rooms = Rooms(store)
    rooms.look(ms(100))
    rooms.find_out(ms(100))
    assert not rooms.has_problem(ROOM)
    rooms.find_out(ms(900))
    assert not rooms.has_problem(ROOM), "it is looked at again when that is due, not before"
    assert rooms.find_out(ms(1200)) == {ROOM}
    assert rooms.has_problem(ROOM)
    assert rooms.cells(ROOM, ms(1200))[4] == "1.2 s"
    assert rooms.cells(ROOM, ms(61_200))[8] == "dispatched, no job 61.2 s"


def test_a_cause_shows_while_the_room_is_open(store: SqliteStore) -> None:
    store.add([Arrival(tuple(waiting()))])
    rooms = Rooms(store)
    later = ms(0) + 600 * NS_PER_S
    rooms.look(later)
    rooms.find_out(later)
    cells = rooms.cells(ROOM, later)
    assert cells[0] == "✗"
    assert cells[8] == "no-worker"


def test_a_room_that_is_over_has_no_ticking(store: SqliteStore) -> None:
    store.add([Arrival(tuple(call()))])
    rooms = Rooms(store)
    rooms.look(ms(60_000))
    rooms.find_out(ms(60_000))
    assert rooms.cells(ROOM, ms(60_000)) == rooms.cells(ROOM, ms(90_000))
    assert rooms.cells(ROOM, ms(60_000))[0] in "✓?"
    [finished] = {one.time for one in call() if one.kind is Kind.ROOM_FINISHED and one.witness == "webhook"}
    assert abs(float(rooms.cells(ROOM, ms(60_000))[4].removesuffix(" s")) - (finished - ms(0)) / NS_PER_S) < 0.1


def test_finding_out_takes_no_more_time_than_it_may(store: SqliteStore) -> None:
    for number in range(40):
        store.add([Arrival(tuple(in_room(f"RM_{number}", call())))])
    seconds = itertools.count(0, 0.2)
    rooms = Rooms(store, spent=lambda: next(seconds))
    rooms.look(ms(60_000))
    found = 0
    while more := rooms.find_out(ms(60_000), ["RM_7"]):
        assert "RM_7" in rooms.stands, "what is seen comes first"
        found += len(more)
    assert 0 < found <= module.FIRST / 0.2 + 1


def test_a_room_that_was_forgotten_goes(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add([Arrival((created("RM_1", ms(1), "one"), created("RM_2", ms(2), "two")))])
    rooms = Rooms(store)
    rooms.look(ms(3))
    store.forget("RM_1")
    monkeypatch.setattr(module, "LISTED_ANEW", 0.0)
    assert rooms.look(ms(4)) == {"RM_1"}
    assert list(rooms.rows) == ["RM_2"]
