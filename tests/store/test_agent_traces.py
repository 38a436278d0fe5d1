"""What came of an agent's trace without naming its room is in the room, in whatever order it all came."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.moments import JOB, ROOM, call
from tests.otlp import TRACE, node_job, node_request
from tracer.moment import Kind
from tracer.store import Arrival, Writer
from tracer.store.sqlite import SqliteStore
from tracer.timeline.trace_jobs import room_of_trace
from tracer.witness import agent
from tracer.witness.outgoing import in_room as in_room_of

if TYPE_CHECKING:
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    from tracer.moment import Moment

ALONE = [agent.arrival(node_request(one)) for one in node_job()]
"""Each span of the job in a request of its own."""
OTHER_TRACE = TRACE[::-1]
OFFERED = next(m for m in call() if m.kind is Kind.JOB_OFFERED)


def in_room(moments: tuple[Moment, ...]) -> set[tuple[Kind, int]]:
    return {(m.kind, m.time) for m in moments}


WHOLE = in_room(tuple(m for one in ALONE for m in one.moments))


def seen(store: Writer, room: str = ROOM) -> set[tuple[Kind, int]]:
    return in_room(tuple(store.moments(room)))


@given(order=st.permutations(ALONE), cuts=st.sets(st.integers(1, len(ALONE) - 1)), twice=st.booleans())
def test_the_order_of_requests_and_a_restart_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, order: list[Arrival], cuts: set[int], twice: bool
) -> None:
    path = tmp_path_factory.mktemp("store") / "t.db"
    edges = [0, *sorted(cuts), len(order)]
    for start, end in pairwise(edges):
        with closing(SqliteStore(path)) as store:
            store.add(order[start:end] * (2 if twice else 1))
    with closing(SqliteStore(path)) as store:
        assert seen(store) == WHOLE
        assert len(store.moments(ROOM)) == len({m for one in ALONE for m in one.moments})
        assert {m.room for m in store.moments(ROOM)} == {ROOM}
        assert store.rooms_to_export(9) == [(ROOM, store.newest())]


def test_until_a_span_names_the_room_it_is_in_none(store: Writer) -> None:
    nameless = [one for one in ALONE if not one.traces]
    store.add(nameless)
    assert store.rooms(10) == []
    assert store.rooms_to_export(9) == []
    before = store.newest()
    store.add([Arrival(traces=((room_of_trace(TRACE), ROOM),))])
    assert len(seen(store)) == sum(len(one.moments) for one in nameless)
    assert store.changed(ROOM) >= before, "whoever follows the room sees it"


@pytest.mark.parametrize("first", [True, False])
def test_the_servers_offer_of_its_job_names_it_too(store: Writer, first: bool) -> None:
    entrypoint = next(one for one in ALONE if any(m.subject == JOB for m in one.moments))
    both = [Arrival((OFFERED,)), entrypoint]
    for one in both if first else reversed(both):
        store.add([one])
    assert seen(store) == in_room((OFFERED, *entrypoint.moments))


def test_a_trace_of_two_rooms_names_neither(store: Writer) -> None:
    store.add([ALONE[0], *ALONE[3:5]])  # without those that name the room themselves
    trace = room_of_trace(TRACE)
    store.add([Arrival(traces=((trace, ROOM),))])
    assert seen(store)
    store.add([Arrival(traces=((trace, "RM_other"),))])
    assert seen(store) == seen(store, "RM_other") == set()
    store.add([ALONE[3]])
    assert seen(store) == set()


def test_each_trace_is_of_its_own_room(store: Writer) -> None:
    def elsewhere(one: Span) -> Arrival:
        for item in one.attributes:
            if other := {ROOM: "RM_other", JOB: "AJ_other"}.get(item.value.string_value):
                item.value.string_value = other
        return agent.arrival(node_request(one))

    others = [elsewhere(one) for one in node_job(OTHER_TRACE)]
    store.add([part for both in zip(others, ALONE, strict=True) for part in both])
    assert seen(store) == seen(store, "RM_other") == WHOLE
    assert {m.subject for m in store.moments("RM_other")}.isdisjoint({m.subject for m in store.moments(ROOM)})


def outgoing(store: Writer) -> list[int]:
    return [number for number, _ in store.unsent(100)]


def test_spans_wait_until_their_room_is_known(store: Writer) -> None:
    store.add(ALONE[2:5])
    assert outgoing(store) == []
    assert store.placed(100) == []
    store.add([ALONE[1]])
    placed = store.placed(100)
    assert [one.room for one in placed] == [ROOM] * 3
    moved = [in_room_of(one.body, one.room) for one in placed]
    store.queue(moved, (), [one.number for one in placed])
    assert len(outgoing(store)) == 4
    assert store.placed(100) == []
    store.add(ALONE[2:5])  # the agent did not hear that they had arrived
    assert len(outgoing(store)) == 4


def test_spans_whose_room_nobody_names_go_as_they_came(store: Writer) -> None:
    store.add(ALONE[2:5])
    assert store.release(0, 10) == 0
    assert store.release(0, 2) == 1
    assert store.release(2**62, 2) == 2
    sent = [body for _, body in store.unsent(10)]
    assert sent == [one.outgoing[0].body for one in ALONE[2:5]]
