from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import ABOUT_ROOM, ADA, ROOM, _polled, call, moment, ms
from tracer import keys
from tracer.moment import Kind
from tracer.timeline.fold import fold
from tracer.timeline.listened import STOPPED, stopped, unheard
from tracer.units import NS_PER_S

S = NS_PER_S


@pytest.mark.parametrize(
    ("runs", "came", "now", "known"),
    [
        ([], 50, 500, (500, None)),
        ([(0, 100)], 50, 100, (100, None)),
        # It notes that it listens every other second, and can be held up.
        ([(0, 100)], 50, 102, (102, None)),
        ([(0, 100)], 50, 109, (103, None)),
        ([(0, 100)], 50, 111, (100, 100)),
        ([(0, 100)], 50, 9_999, (100, 100)),
        # Another took over, at once or in time; or long after, and nothing came of this room since.
        ([(0, 100), (90, 400)], 50, 400, (400, None)),
        ([(0, 100), (105, 400)], 50, 400, (400, None)),
        ([(0, 100), (200, 400)], 50, 400, (100, 100)),
        ([(0, 100), (200, 400)], 250, 400, (400, None)),
        # Two receivers: the one that goes on counts.
        ([(0, 60), (0, 400)], 50, 400, (400, None)),
        # Nobody listened who noted it, as in a store of before.
        ([(200, 400)], 50, 500, (500, None)),
        # What an agent reported to the next run can be later than the last note.
        ([(0, 100)], 101, 200, (101, 100)),
    ],
)
def test_a_room_is_known_until_whoever_heard_of_it_stopped(
    runs: list[tuple[int, int]], came: int, now: int, known: tuple[int, int | None]
) -> None:
    until, at = stopped([(since * S, until * S) for since, until in runs], came * S, now * S)
    assert (until // S, at if at is None else at // S) == known


@pytest.mark.parametrize(
    ("runs", "gaps"),
    [
        ([], None),
        ([(0, 500)], ()),
        ([(100, 400)], ()),
        ([(130, 400)], ((100, 130),)),
        ([(0, 200), (205, 500)], ()),
        ([(0, 200), (240, 500)], ((200, 240),)),
        ([(130, 200), (240, 500)], ((100, 130), (200, 240))),
        ([(0, 250)], ((250, 400),)),
        ([(420, 500)], None),
    ],
)
def test_when_nobody_listened(runs: list[tuple[int, int]], gaps: tuple[tuple[int, int], ...] | None) -> None:
    found = unheard([(since * S, until * S) for since, until in runs], 100 * S, 400 * S)
    assert (None if found is None else tuple((began // S, ended // S) for began, ended in found)) == gaps


def test_who_stopped_before_a_room_began_never_listened_to_it() -> None:
    runs = [(0, 100 * S)]
    assert stopped(runs, 5_000 * S, 9_000 * S, 4_000 * S) == (9_000 * S, None)
    assert stopped(runs, 5_000 * S, 9_000 * S, 90 * S) == (5_000 * S, 100 * S)
    assert stopped(runs, 5_000 * S, 9_000 * S, 102 * S) == (5_000 * S, 100 * S), "it began after the last note"


@given(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)).map(sorted), max_size=6), st.integers(0, 999))
def test_what_is_known_never_goes_beyond_now(listed: list[list[int]], came: int) -> None:
    runs = [(since * S, until * S) for since, until in listed]
    for now in range(came, came + 2_000, 37):
        until, at = stopped(runs, came * S, now * S)
        assert came * S <= until <= now * S
        assert at is None or at <= until < now * S - STOPPED


def test_an_observer_tells_whether_it_was_there_from_the_start() -> None:
    polled = _polled(Kind.PARTICIPANT_ACTIVE, ADA, 90, 104, {})
    created = moment(Kind.ROOM_CREATED, ROOM, ms(0), told=ABOUT_ROOM)
    late = replace(created, facts=(*created.facts, (keys.ROOM_WATCHED, False)))
    assert fold(ROOM, [created, polled]).gaps == ()
    told = replace(created, witness="webhook")
    assert fold(ROOM, [told, polled]).gaps == (), "it has not listed the room yet"
    much_later = moment(Kind.TRACK_PUBLISHED, "TR_ada", ms(16_000), witness="webhook")
    assert fold(ROOM, [told, polled, much_later]).gaps, "it would have listed the room by now"
    came_later = _polled(Kind.PARTICIPANT_ACTIVE, ADA, 90, 5_000, {})
    assert fold(ROOM, [told, came_later]).gaps == ((ms(0), ms(90)),)
    assert fold(ROOM, [late, polled]).gaps == ((ms(0), ms(90)),)
    first = replace(created, facts=(*created.facts, (keys.ROOM_WATCHED, True)))
    assert fold(ROOM, [first, late, polled]).gaps == (), "it was started again"
    assert fold(ROOM, [polled]).gaps == ((fold(ROOM, [polled]).zero, ms(90)),)
    assert fold(ROOM, call()).gaps == ()


def test_who_was_soon_back_missed_nothing_that_is_sent_again() -> None:
    late = {**ABOUT_ROOM, keys.ROOM_WATCHED: False, keys.SEEN_BY: str(ms(6000))}
    listed = moment(Kind.ROOM_CREATED, ROOM, ms(0), told=late)
    polled = moment(Kind.PARTICIPANT_LEFT, ADA, ms(20_000), ms(21_000), clock="receiver")
    by_api = fold(ROOM, [listed, polled])
    assert by_api.gaps == ((ms(0), ms(6000)),), "it listed the room before it saw somebody leave"
    with_webhook = fold(ROOM, [listed, polled, moment(Kind.ROOM_CREATED, ROOM, ms(0), witness="webhook")])
    assert with_webhook.gaps == ((ms(0), ms(6000)),), "it is not known whether anybody listened before"
    assert replace(with_webhook, unheard=()).gaps == ()
    assert replace(by_api, unheard=()).gaps == ((ms(0), ms(6000)),), "no webhook would have been sent again"
    heard = ((ms(0), ms(5500)),)
    assert replace(with_webhook, unheard=heard).gaps == heard
