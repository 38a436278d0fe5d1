"""What every store promises to whoever writes to it and reads from it: tried on SQLite and on PostgreSQL."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.moments import ABOUT_ROOM, ADA, ROOM, START, call, moment, ms
from tracer import keys
from tracer.errors import StoreError, UnknownRoomError
from tracer.latency.summary import VERSION, Counted, Summary
from tracer.moment import Kind, Moment
from tracer.store import SCRATCH, Arrival, Outgoing, Reader, StoredSummary, Writer, open_writer
from tracer.store.alike import MOST_UNKNOWN, SEARCHED, WITH_IDENTITIES
from tracer.units import NS_PER_S


def created(room: str, at: int, name: str | None = None, **more: int) -> Moment:
    about = {**ABOUT_ROOM, keys.ROOM_NAME: name, **more}
    return moment(Kind.ROOM_CREATED, room, at, room=room, told=about)


def span(number: int) -> Outgoing:
    return Outgoing(bytes(16), number.to_bytes(8), b"span %d" % number)


def test_what_is_added_is_read_back_in_the_order_it_came(store: Writer) -> None:
    assert store.add([Arrival(tuple(call()))]) == [True]
    assert store.moments(ROOM) == call()


def test_adding_again_changes_nothing(store: Writer) -> None:
    store.add([Arrival(tuple(call()))])
    before = store.rooms_to_export(9)
    assert store.add([Arrival(tuple(reversed(call()))), Arrival(tuple(call()))]) == [True, True]
    assert store.moments(ROOM) == call()
    assert store.rooms_to_export(9) == before


def test_a_webhook_is_kept_once_under_its_id_however_it_differs(store: Writer) -> None:
    first, again, other = (moment(Kind.PARTICIPANT_LEFT, ADA, ms(at)) for at in (1, 2, 3))
    assert store.add([Arrival((first,), event_id="EV_1"), Arrival((again,), event_id="EV_1")]) == [True, False]
    assert store.add([Arrival((again,), event_id="EV_1"), Arrival((other,), event_id="EV_2")]) == [False, True]
    assert store.moments(ROOM) == [first, other]


def test_what_comes_without_an_id_is_always_new(store: Writer) -> None:
    assert store.add([Arrival((call()[0],)), Arrival((call()[1],))]) == [True, True]
    assert len(store.moments(ROOM)) == 2


@pytest.mark.parametrize("text", ["\ud800"])
def test_all_is_kept_or_nothing(store: Writer, text: str) -> None:
    bad = moment(Kind.PARTICIPANT_LEFT, text, ms(1))
    with pytest.raises(StoreError):
        store.add([Arrival((call()[0],), (span(1),), "EV_1"), Arrival((bad,), event_id="EV_2")])
    assert store.moments(ROOM) == []
    assert store.count_unsent() == 0
    with pytest.raises(UnknownRoomError):
        store.find(ROOM)
    # The webhook was not kept, so it is new when the server sends it again.
    assert store.add([Arrival((call()[0],), event_id="EV_1")]) == [True]


def test_a_time_that_is_none_is_refused_and_the_store_goes_on(store: Writer) -> None:
    with pytest.raises(StoreError):
        store.add([Arrival((moment(Kind.PARTICIPANT_LEFT, ADA, 2**63),))])
    assert store.add([Arrival(tuple(call()))]) == [True]


@pytest.mark.parametrize("text", ["\ud800", "x" * 5_000_000, "'; DROP TABLE moment; --", "\0", "", "%", "🦀"])
def test_any_fact_is_kept_as_it_was_told(store: Writer, text: str) -> None:
    told = moment(Kind.PARTICIPANT_JOINING, ADA, ms(1), told={keys.PARTICIPANT_IDENTITY: text, "a": 0.1, "b": True})
    store.add([Arrival((told,))])
    assert store.moments(ROOM) == [told]


@pytest.mark.parametrize(
    "name", ["'; DROP TABLE room; --", '" OR 1=1', "%", "_", "\0", "🦀", "x" * 100_000, "", "RM_other"]
)
def test_a_room_of_any_name_is_found_by_it(store: Writer, name: str) -> None:
    store.add([Arrival((created("RM_1", START, "demo"), created("RM_2", START, name)))])
    assert store.find(name) == "RM_2"
    assert store.find("demo") == "RM_1"


@pytest.mark.parametrize("name", ["%", "' OR '1'='1", "dem", "DEMO", "\udcff", "RM_", ""])
def test_a_room_that_is_not_there_is_unknown(store: Writer, name: str) -> None:
    store.add([Arrival((created("RM_1", START, "demo"),))])
    with pytest.raises(UnknownRoomError):
        store.find(name)


def test_a_name_means_the_latest_room_of_that_name(store: Writer) -> None:
    newest_first = [
        created("RM_3", ms(3000), "demo"),
        created("RM_1", ms(1000), "demo"),
        created("RM_2", ms(2000), "demo"),
    ]
    store.add([Arrival((m,)) for m in newest_first])
    assert store.find("demo") == "RM_3"
    assert store.find("RM_1") == "RM_1"


def test_an_sid_is_found_before_a_name(store: Writer) -> None:
    store.add([Arrival((created("RM_1", START, "demo"), created("RM_2", ms(5), "RM_1")))])
    assert store.find("RM_1") == "RM_1"


def test_a_room_is_found_by_its_name_whoever_told_it_first(store: Writer) -> None:
    store.add([Arrival((moment(Kind.PARTICIPANT_LEFT, ADA, ms(1)),))])
    store.add([Arrival((created(ROOM, START, "demo"),))])
    assert store.find("demo") == ROOM


def test_rooms_are_listed_newest_first_with_who_was_in_them(store: Writer) -> None:
    store.add([Arrival((created("RM_old", START - NS_PER_S, "old"),)), Arrival(tuple(call()))])
    store.add([Arrival((created("RM_new", START + NS_PER_S, "new"),))])
    assert [row.sid for row in store.rooms(9)] == ["RM_new", ROOM, "RM_old"]
    assert [row.sid for row in store.rooms(2)] == ["RM_new", ROOM]
    row = store.rooms(9)[1]
    assert (row.name, row.created, row.finished) == ("demo", ms(0.5), ms(6500))
    assert (row.participants, row.agents) == (1, 1)


def test_a_caller_who_calls_himself_an_agent_is_a_caller(store: Writer) -> None:
    about = {keys.PARTICIPANT_IDENTITY: "AGENT", keys.PARTICIPANT_KIND: "STANDARD"}
    store.add([Arrival((moment(Kind.PARTICIPANT_JOINING, ADA, ms(1), told=about),))])
    (row,) = store.rooms(1)
    assert (row.participants, row.agents) == (1, 0)


def test_a_caller_known_only_from_leaving_early_is_counted(store: Writer) -> None:
    store.add([Arrival(tuple(m for m in call() if m.subject == ADA and m.kind is Kind.PARTICIPANT_JOINING))])
    assert store.rooms(1)[0].participants == 1


def test_what_workers_say_is_of_no_room(store: Writer) -> None:
    registered = moment(Kind.WORKER_REGISTERED, "AW_1", ms(-1), room="")
    store.add([Arrival((registered,))])
    assert store.moments("") == [registered]
    assert store.rooms(9) == []
    assert store.rooms_to_export(9) == []


def test_a_span_goes_into_the_outbox_once_for_ever(location: str) -> None:
    with closing(open_writer(location)) as store:
        store.add([Arrival(outgoing=(span(1), span(2), span(1)))])
        store.queue([span(2), span(3)], [])
        assert [body for _, body in store.unsent(9)] == [b"span 1", b"span 2", b"span 3"]
        store.sent(number for number, _ in store.unsent(2))
        assert [body for _, body in store.unsent(9)] == [b"span 3"]
    with closing(open_writer(location)) as store:
        store.add([Arrival(outgoing=(span(1), span(2), span(3)))])
        assert [body for _, body in store.unsent(9)] == [b"span 3"]
        assert store.count_unsent() == 1


def test_one_span_id_in_two_traces_is_two_spans(store: Writer) -> None:
    store.queue([span(1), Outgoing(b"\1" * 16, span(1).span_id, b"other")], [])
    assert store.count_unsent() == 2


def test_the_outbox_gives_the_oldest_first_and_not_more_than_asked(store: Writer) -> None:
    store.queue([span(number) for number in (3, 1, 2)], [])
    assert [body for _, body in store.unsent(2)] == [b"span 3", b"span 1"]


def test_a_room_is_to_be_exported_until_its_newest_moment_was(store: Writer) -> None:
    store.add([Arrival(tuple(call()[:3]))])
    ((room, newest),) = store.rooms_to_export(9)
    store.add([Arrival(tuple(call()[3:]))])
    store.queue([], [(room, newest)])
    ((_, newer),) = store.rooms_to_export(9)
    assert newer > newest
    store.queue([], [(room, newer)])
    assert store.rooms_to_export(9) == []


def test_what_is_unknown_is_counted_by_its_name_and_only_so_many_names_are_kept(store: Writer) -> None:
    store.add([Arrival(unknown=("Room.colour", "webhook new")), Arrival(unknown=("Room.colour",))])
    store.add([Arrival(event_id="EV_1", unknown=("Room.colour",))])
    store.add([Arrival(event_id="EV_1", unknown=("Room.colour",))])
    assert [(one.name, one.times) for one in store.unknown()] == [("Room.colour", 3), ("webhook new", 1)]
    store.add([Arrival(unknown=tuple(f"Room.field{number}" for number in range(2 * MOST_UNKNOWN)))])
    assert len(store.unknown()) == MOST_UNKNOWN
    store.add([Arrival(unknown=("Room.colour",))])
    assert [one.times for one in store.unknown() if one.name == "Room.colour"] == [4]


def kept(store: Reader, limit: int = 99, since: int = 0) -> dict[str, str | None]:
    return {sid: body for sid, _, body in store.summaries(limit, since=since, version=1)}


def sum_up_all(store: Writer, version: int = 1) -> list[str]:
    rooms = store.to_summarize(0, store.newest(), 99)
    store.summarized([(room, newest, f"of {room}") for room, newest in rooms], version)
    return [room for room, _ in rooms]


def over(room: str, at: int) -> list[Arrival]:
    """A room that was made then, and is over."""
    finished = moment(Kind.ROOM_FINISHED, room, at + NS_PER_S, room=room)
    return [Arrival((created(room, at, "demo"), finished))]


def test_a_summary_holds_until_something_new_is_learnt_of_its_room(store: Writer) -> None:
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


def test_a_summary_that_was_made_while_something_came_does_not_hold(store: Writer) -> None:
    store.add(over("RM_1", START))
    [(room, newest)] = store.to_summarize(0, store.newest(), 9)
    store.add([Arrival((moment(Kind.PARTICIPANT_LEFT, ADA, ms(1), room="RM_1"),))])
    store.summarized([(room, newest, "too early")], 1)
    assert kept(store) == {"RM_1": None}
    assert sum_up_all(store) == ["RM_1"]


def test_only_rooms_that_are_over_are_summed_up_and_which_are_is_told(store: Writer) -> None:
    store.add([Arrival((created("RM_open", START + 5),)), *over("RM_over", START)])
    assert sum_up_all(store) == ["RM_over"]
    assert store.summaries(9, version=1) == [
        StoredSummary("RM_open", False, None),
        StoredSummary("RM_over", True, "of RM_over"),
    ]


def test_rooms_to_sum_up_come_by_their_newest_moment_from_one_number_to_another(store: Writer) -> None:
    for number in (3, 1, 2):
        store.add(over(f"RM_{number}", START + number))
    every = store.to_summarize(0, store.newest(), 9)
    assert [room for room, _ in every] == ["RM_3", "RM_1", "RM_2"]
    assert store.to_summarize(0, store.newest(), 2) == every[:2]
    assert store.to_summarize(every[0][1], store.newest(), 9) == every[1:]
    assert store.to_summarize(0, every[1][1], 9) == every[:2]
    assert store.to_summarize(0, every[0][1] - 1, 9) == []


def test_the_latest_summaries_come_first_and_no_more_than_asked(store: Writer) -> None:
    for number in range(5):
        store.add(over(f"RM_{number}", START + number * NS_PER_S))
    sum_up_all(store)
    assert list(kept(store)) == ["RM_4", "RM_3", "RM_2", "RM_1", "RM_0"]
    assert list(kept(store, limit=2)) == ["RM_4", "RM_3"]
    assert list(kept(store, since=START + 3 * NS_PER_S)) == ["RM_4", "RM_3"]
    assert list(kept(store, limit=1, since=START + 3 * NS_PER_S)) == ["RM_4"]
    assert kept(store, since=START + 9 * NS_PER_S) == {}


def test_a_summary_of_another_version_does_not_hold_and_is_made_anew(store: Writer) -> None:
    store.add([*over("RM_1", START), *over("RM_2", START + 1)])
    sum_up_all(store, version=1)
    assert [one.body for one in store.summaries(9, version=2)] == [None, None]
    store.forget_summaries(1)
    assert sum_up_all(store) == []
    store.forget_summaries(2)
    assert sum_up_all(store, version=2) == ["RM_1", "RM_2"]
    assert [one.body for one in store.summaries(9, version=2)] == ["of RM_2", "of RM_1"]


def test_two_rooms_kept_in_one_commit_are_both_kept_or_neither(store: Writer) -> None:
    store.add([*over("RM_1", START), *over("RM_2", START + 1)])
    with pytest.raises(StoreError):
        store.summarized([("RM_1", 1, "fine"), ("RM_2", 2, "\ud800")], 1)
    assert kept(store) == {"RM_2": None, "RM_1": None}


def test_rooms_of_the_doctors_are_in_no_figures(location: str) -> None:
    scratch = moment(Kind.ROOM_CREATED, "RM_scratch", ms(0), room="RM_scratch", told={keys.ROOM_NAME: SCRATCH + "1a2b"})
    with closing(open_writer(location)) as store:
        store.add([Arrival(tuple(call())), Arrival((scratch,))])
        assert list(kept(store)) == [ROOM]
        assert {row.sid for row in store.rooms(9)} == {ROOM, "RM_scratch"}


def test_of_workers_only_what_was_near_is_told_and_the_last_of_each_kind_before(location: str) -> None:
    flapping = [
        moment(kind, "AW_1", ms(at), room="", witness="agent", clock="agent", occurrence=str(at))
        for at in range(0, 1000, 10)
        for kind in (Kind.WORKER_FULL, Kind.WORKER_AVAILABLE)
    ]
    with closing(open_writer(location)) as store:
        store.add([Arrival(tuple(flapping))])
        found = store.workers(ms(900), ms(950))
    assert sorted({m.time for m in found}) == [ms(at) for at in range(890, 951, 10)]
    assert len(found) == 2 * 7


def test_rooms_are_searched_by_name_identity_agent_and_cause_the_newest_first(store: Writer) -> None:
    for number, name in enumerate(("Alpha", "beta", "alphabet", f"{SCRATCH}alpha")):
        store.add([Arrival((created(f"RM_{number}", ms(number * 1000), name),))])
    identity = {keys.PARTICIPANT_IDENTITY: 'Carl "C"', keys.PARTICIPANT_KIND: "STANDARD"}
    store.add([Arrival((moment(Kind.PARTICIPANT_JOINING, "PA_1", ms(1001), room="RM_1", told=identity),))])
    body = '["measured",[],["session-closed"],["Greeter"],false]'
    store.summarized([("RM_0", store.changed("RM_0"), body)], 1)

    def found(text: str, limit: int = 9, after: int = 0) -> list[str]:
        return [row.sid for row in store.search(text, limit, after=after)]

    assert found("") == ["RM_2", "RM_1", "RM_0"], "without what doctors made"
    assert found("ALPHA") == ["RM_2", "RM_0"]
    assert found('carl "') == ["RM_1"]
    assert found("standard") == [], "which is in the facts, and no identity"
    assert found("closed") == found("greet") == found("RM_0") == ["RM_0"]
    assert found("measured") == []
    assert found("", 2) == ["RM_2", "RM_1"]
    assert found("", 2, 2) == ["RM_0"]
    assert found("%") == []


def test_who_was_in_a_room_that_is_over_is_looked_for_in_its_summary(store: Writer) -> None:
    summary = Summary(Counted.NO_AGENT, (), ("removed",), ('the "agent"',), False, ("ada", 'Zoë "Z"'))
    for number in range(3):
        store.add([Arrival((created(f"RM_{number}", ms(number * 1000), f"room {number}"),))])
    joined = moment(Kind.PARTICIPANT_JOINING, "PA_1", ms(1001), room="RM_1", told={keys.PARTICIPANT_IDENTITY: "bob"})
    store.add([Arrival((joined,))])
    store.summarized([(f"RM_{number}", store.changed(f"RM_{number}"), summary.to_json()) for number in (0, 1)], VERSION)

    def found(text: str) -> list[str]:
        return [row.sid for row in store.search(text, 9)]

    assert found("Ada") == found('zoë "') == found('E "A') == found("moved") == ["RM_1", "RM_0"]
    assert found("bob") == [], "the summary says who was there"
    assert found('ada","zo') == found("no_agent") == [], "which is in no name"
    later = moment(Kind.PARTICIPANT_ACTIVE, "PA_1", ms(1002), room="RM_1", told={keys.PARTICIPANT_IDENTITY: "bob"})
    store.add([Arrival((later,))])
    assert found("bob") == ["RM_1"], "until it is made anew"


def test_the_places_that_are_searched_are_those_of_a_summary() -> None:
    assert [Summary._fields[place] for place in SEARCHED] == ["causes", "agent_names", "identities"]
    assert WITH_IDENTITIES <= VERSION


def test_summaries_are_told_of_the_rooms_that_are_asked_for(store: Writer) -> None:
    store.add([Arrival((created("RM_1", ms(1), "one"), created("RM_2", ms(2), "two")))])
    store.summarized([("RM_1", store.changed("RM_1"), "[1]"), ("RM_2", store.changed("RM_2"), "[2]")], 1)
    assert store.summaries_of(["RM_2", "RM_3"], version=1) == [StoredSummary("RM_2", False, "[2]")]
    assert store.summaries_of(["RM_2"], version=2) == [StoredSummary("RM_2", False, None)]
    assert store.summaries_of([], version=1) == []


def test_open_rooms_are_those_without_a_known_end(store: Writer) -> None:
    for room, at in (("RM_early", ms(0)), ("RM_late", ms(5000)), ("RM_over", ms(6000))):
        store.add([Arrival((created(room, at),))])
    store.add([Arrival((moment(Kind.ROOM_FINISHED, "RM_over", ms(7000), room="RM_over"),))])
    assert [store.open_rooms(since) for since in (ms(0), ms(5000), ms(5001))] == [2, 1, 0]


def test_rooms_of_which_something_came_are_told_and_no_others(store: Writer) -> None:
    store.add(
        [Arrival((created("RM_1", ms(1), "one"), created("RM_2", ms(2), "two"), created("RM_3", ms(3), "three")))]
    )
    before = store.newest()
    assert store.changed_since(before, 9) == []
    store.add([Arrival((moment(Kind.PARTICIPANT_ACTIVE, "PA_1", ms(9), room="RM_1"),))])
    store.add([Arrival((created("RM_4", ms(4), "four"),))])
    assert [(row.sid, row.participants) for row in store.changed_since(before, 9)] == [("RM_4", 0), ("RM_1", 1)]
    assert [row.sid for row in store.changed_since(before, 2)] == ["RM_4"], "of the two latest"
    assert [row.sid for row in store.changed_since(0, 9)] == ["RM_4", "RM_3", "RM_2", "RM_1"]
    assert store.changed_since(store.newest(), 9) == []


def test_when_somebody_listened_is_noted_for_each_run(store: Writer) -> None:
    assert store.listened() == []
    store.note_listened("one", 10, 20)
    store.note_listened("other", 15, 30)
    store.note_listened("one", 10, 40)
    assert sorted(store.listened()) == [(10, 40), (15, 30)]


def test_an_open_room_is_told_as_far_as_somebody_listened(store: Writer) -> None:
    open_now = [one for one in call() if one.kind is not Kind.ROOM_FINISHED]
    store.add([Arrival(tuple(open_now))])
    assert store.rooms(9)[0].stopped is None
    store.note_listened("one", START - NS_PER_S, ms(7000))
    assert store.rooms(9)[0].stopped == ms(7000)
    assert (store.open_rooms(0), store.open_rooms(0, ms(1_000_000))) == (1, 0)
    store.add([Arrival(tuple(call()))])
    assert store.rooms(9)[0].stopped is None


def test_when_long_ago_somebody_listened_is_forgotten_with_the_rooms_of_then(store: Writer) -> None:
    store.note_listened("long ago", 10, 20)
    store.note_listened("now", START, ms(7000))
    store.add([Arrival(tuple(call()))])
    store.forget_old(ms(0))
    assert store.listened() == [(START, ms(7000))]
