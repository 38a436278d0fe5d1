"""Which agents are missing in open rooms, as `/metrics` has it while the call goes on."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.moments import ADA, ROOM, START, call, moment, ms
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.service import missing as module
from tracer.service.fleet import OTHER, Names
from tracer.service.missing import MissingAgents
from tracer.store import SCRATCH, Arrival, open_reader
from tracer.store.load import timeline_in
from tracer.store.sqlite import SqliteStore
from tracer.units import NS_PER_S
from tracer.why import explain
from tracer.why.symptom import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SINCE = START - NS_PER_S


def waiting(room: str, *agents: str, name: str = "demo") -> Iterable[Moment]:
    """A caller in an open room for which these agents were requested, and did not come."""
    yield moment(Kind.ROOM_CREATED, room, ms(0), room=room, told={keys.ROOM_NAME: name})
    identity: dict[str, Any] = {keys.PARTICIPANT_IDENTITY: "ada", keys.PARTICIPANT_KIND: "STANDARD"}
    for kind, at in ((Kind.PARTICIPANT_JOINING, 1), (Kind.PARTICIPANT_JOINED, 20), (Kind.PARTICIPANT_ACTIVE, 200)):
        yield moment(kind, f"{ADA}{room}", ms(at), room=room, told=identity)
    for number, agent in enumerate(agents):
        told: dict[str, Any] = {keys.AGENT_NAME: agent}
        yield moment(Kind.DISPATCH_CREATED, f"AD_{room}{number}", ms(1), room=room, told=told)


def looked(
    path: Path, seconds: float, missing: MissingAgents | None = None, most: int = 50
) -> dict[tuple[str, str], float]:
    with closing(open_reader(str(path))) as reader:
        gauge = (missing or MissingAgents()).look(reader, ms(seconds * 1000), SINCE, "lk_agent_name", Names(most))
    return {(one.labels["lk_agent_name"], one.labels["cause"]): one.value for one in gauge.samples}


def store(path: Path, *rooms: Iterable[Moment]) -> None:
    with closing(SqliteStore(path)) as opened:
        opened.add([Arrival(tuple(moments)) for moments in rooms])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.db"


def test_an_agent_is_missing_while_the_room_is_open_as_soon_as_why_says_so(path: Path) -> None:
    store(path, waiting("RM_1", "helper"), waiting("RM_2", ""), waiting("RM_3", ""))
    assert looked(path, 0.5) == {}
    for seconds in (2.0, 5.0, 15.0, 60.0):
        with closing(open_reader(str(path))) as reader:
            found = explain(timeline_in(reader, "RM_1", now=ms(seconds * 1000))).findings
        says = [one.cause.name for one in found if one.cause.symptom is Symptom.MISSING][:1]
        assert [cause for name, cause in looked(path, seconds) if name == "helper"] == says
    assert looked(path, 60) == {("helper", "no-worker"): 1, ("", "no-worker"): 2}


def test_of_a_room_that_is_over_and_of_one_with_its_agent_none_is_missing(path: Path) -> None:
    over = moment(Kind.ROOM_FINISHED, "RM_1", ms(9000), room="RM_1")
    served = [one for one in call() if one.kind is not Kind.ROOM_FINISHED and one.subject != "AD_ghost"]
    store(path, [*waiting("RM_1", "helper"), over], served, waiting("RM_2", "helper", name=f"{SCRATCH}1"))
    assert looked(path, 60) == {}


def test_it_is_gone_when_the_agent_has_come(path: Path) -> None:
    missing = MissingAgents()
    store(path, waiting(ROOM, ""))
    assert looked(path, 60, missing) == {("", "no-worker"): 1}
    store(path, (one for one in call() if one.kind is not Kind.ROOM_FINISHED and one.subject != "AD_ghost"))
    assert ("", "no-worker") not in looked(path, 60, missing)


def test_where_there_is_no_time_for_all_what_was_known_stays_and_the_others_are_next(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_FOR", 0.0)
    store(path, *(waiting(f"RM_{n}", f"agent-{n}") for n in range(3)))
    missing = MissingAgents()
    assert [len(looked(path, 60, missing)) for _ in range(4)] == [1, 2, 3, 3]


def test_names_beyond_the_bound_share_one(path: Path) -> None:
    store(path, *(waiting(f"RM_{n}", f"agent-{n}") for n in range(4)))
    found = looked(path, 60, most=2)
    assert found[OTHER, "no-worker"] == 2
    assert len(found) == 3
