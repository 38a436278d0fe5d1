"""Agents by LiveKit's names of now and by those to come: whichever of them, or both, one Timeline."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.moments import ROOM, call
from tests.otlp import attributes, job, next_job, request
from tracer.store import Arrival
from tracer.store.sqlite import SqliteStore
from tracer.timeline.fold import fold
from tracer.view import json as json_view
from tracer.witness import agent

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

SERVER = Arrival(tuple(moment for moment in call() if moment.witness != "agent"))
NOW = [agent.arrival(request(one)) for one in job()]
NEXT = [agent.arrival(request(one)) for one in next_job()]
"""Each span in a request of its own."""


def timeline(factory: pytest.TempPathFactory, arrivals: Iterable[Arrival]) -> str:
    """What `tracer timeline --format json` has of a store that these came to, in this order."""
    with closing(SqliteStore(factory.mktemp("store") / "t.db")) as store:
        store.add([SERVER, *arrivals])
        (room,) = store.rooms(9)
        assert room.sid == ROOM
        return json.dumps(json_view.timeline(fold(ROOM, store.moments(ROOM))))


def test_of_the_names_to_come_only_two_spans_name_the_room() -> None:
    assert sum(bool(one.traces) for one in NEXT) == 2
    assert all(one.traces for one in NOW)


def test_each_generation_is_the_same_timeline(tmp_path_factory: pytest.TempPathFactory) -> None:
    now = timeline(tmp_path_factory, NOW)
    assert '"agent.connected"' in now
    assert timeline(tmp_path_factory, NEXT) == now


@settings(deadline=None, max_examples=8)
@given(order=st.permutations(range(len(NOW) + len(NEXT))))
def test_both_generations_in_one_store_are_one_timeline(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    both = [*NOW, *NEXT]
    assert timeline(tmp_path_factory, [both[place] for place in order]) == timeline(tmp_path_factory, NOW)


def test_every_span_of_the_names_to_come_is_exported_in_its_room(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "t.db")) as store:
        store.add(NEXT)
        assert len(store.placed(99)) + store.count_unsent() == len(NEXT)


def test_a_room_that_the_resource_names_is_that_of_all_spans_of_the_agents_trace() -> None:
    made = request(*next_job()[:-1])
    attributes(made.resource_spans[0].resource, {"lk.room_id": ROOM})
    told = agent.arrival(made)
    assert {moment.room for moment in told.moments} == {ROOM}
    assert not any(one.unplaced for one in told.outgoing)


def test_a_span_of_the_users_own_is_not_moved_by_its_resource() -> None:
    made = request(*job()[:1], scope="my-app")
    del made.resource_spans[0].scope_spans[0].spans[0].attributes[:]
    attributes(made.resource_spans[0].resource, {"lk.room_id": ROOM})
    (sent,) = agent.arrival(made).outgoing
    assert sent.trace_id == made.resource_spans[0].scope_spans[0].spans[0].trace_id
