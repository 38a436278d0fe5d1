from __future__ import annotations

from typing import TYPE_CHECKING

from tests.moments import ADA, moment, ms
from tests.watch.test_rooms import created
from tracer.moment import Kind
from tracer.store import Arrival
from tracer.watch.listing import Listing
from tracer.watch.rooms import Rooms

if TYPE_CHECKING:
    from tracer.store.sqlite import SqliteStore

HOSTILE = "[bold]\x1b[2J\u202eevil[/]\n" + "x" * 500


def test_a_line_for_what_changed_and_none_for_the_rest(store: SqliteStore) -> None:
    store.add([Arrival((created("RM_1", ms(1), "one"),))])
    rooms = Rooms(store)
    listing = Listing(rooms, 120)
    [first] = listing.new(rooms.look(ms(2)), ms(2))
    assert " one " in first.plain
    assert "RM_1" in first.plain
    assert list(listing.new(["RM_1"], ms(9000))) == [], "only its time of being open is another"
    store.add([Arrival((moment(Kind.PARTICIPANT_ACTIVE, ADA, ms(9), room="RM_1"),))])
    [second] = listing.new(rooms.look(ms(10)), ms(10))
    assert second.plain != first.plain
    assert first.plain.split() == [*second.plain.split()[:-2], "0", "0"]
    narrow = Listing(rooms, 80)
    assert len(list(narrow.new(["RM_1"], ms(11)))) == 1
    store.add([Arrival((moment(Kind.PARTICIPANT_ACTIVE, "PA_2", ms(12), room="RM_1"),))])
    assert list(narrow.new(rooms.look(ms(13)), ms(13))) == [], "there is no column that shows it"


def test_what_is_skipped_is_said_when_it_changes(store: SqliteStore) -> None:
    store.add([Arrival((created("RM_1", ms(1), "one"),))])
    rooms = Rooms(store)
    listing = Listing(rooms, 100)
    rooms.look(ms(2))
    listing.skip(["RM_1"])
    assert list(listing.new(["RM_1"], ms(3))) == []
    store.add([Arrival((moment(Kind.ROOM_FINISHED, "RM_1", ms(9), room="RM_1"),))])
    assert len(list(listing.new(rooms.look(ms(10)), ms(10)))) == 1


def test_a_hostile_name_is_one_line_of_text(store: SqliteStore) -> None:
    store.add([Arrival((created("RM_1", ms(1), HOSTILE),))])
    rooms = Rooms(store)
    [line] = Listing(rooms, 80).new(rooms.look(ms(2)), ms(2))
    assert line.plain.isprintable()
    assert "[bold]" in line.plain
    assert line.cell_len <= 80
    assert all(str(span.style) in ("dim", "bold green", "bold red", "bold") for span in line.spans)
