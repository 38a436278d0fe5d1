from __future__ import annotations

from dataclasses import replace

from tests.moments import ROOM, call
from tracer.export.room_spans import QUIET, RoomSpans
from tracer.export.spans import spans
from tracer.timeline.fold import fold

SPAN, OTHER = spans(fold(ROOM, call()))[:2]
LONGER = replace(SPAN, end=SPAN.end + 1)


def test_a_span_is_ready_when_it_has_stayed_as_it_is() -> None:
    state, ready = RoomSpans().updated([SPAN], 0.0)
    assert (ready, list(state.waiting)) == ([], [SPAN.span_id])
    state, ready = state.updated([LONGER, OTHER], QUIET)
    assert ready == []
    state, ready = state.updated([LONGER, OTHER], 2 * QUIET)
    assert ready == [LONGER, OTHER]
    assert not state.waiting


def test_a_queued_span_is_not_ready_again_whatever_it_becomes() -> None:
    state, ready = RoomSpans().updated([SPAN], float("inf"))
    assert ready == [SPAN]
    assert state.updated([LONGER], float("inf")) == (state, [])


def test_an_update_leaves_the_state_before_it_true() -> None:
    before, _ = RoomSpans().updated([SPAN], 0.0)
    before.updated([SPAN], QUIET)  # and could not be queued
    assert before.updated([SPAN], QUIET)[1] == [SPAN]


def test_a_span_that_is_no_longer_there_holds_up_nothing() -> None:
    state, _ = RoomSpans().updated([SPAN], 0.0)
    assert not state.updated([], 0.1)[0].waiting


def test_a_span_that_waits_for_an_agents_end_is_not_ready_and_keeps_no_room_in_work() -> None:
    pending = replace(SPAN, pending=True)
    state, ready = RoomSpans().updated([pending], 0.0)
    state, ready = state.updated([pending], 2 * QUIET)
    assert (ready, dict(state.waiting)) == ([], {})
    state, ready = state.updated([SPAN], 3 * QUIET)
    assert ready == []
    assert state.updated([SPAN], 4 * QUIET)[1] == [SPAN]
    assert RoomSpans().updated([pending], float("inf"))[1] == [pending]
