from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.moments import AGENT, JOB, ROOM, WORKER, _webhook, ms
from tests.why.cases import (
    DUPLICATED,
    NAMED,
    OTHER,
    SECOND,
    SECOND_AGENT,
    Case,
    agent_goes,
    check,
    found,
    healthy,
    moved,
    of_job,
    registered,
    second_agent,
    timeline,
    with_facts,
    without,
    worker,
)
from tracer import keys
from tracer.moment import Kind
from tracer.why import explain

if TYPE_CHECKING:
    from tracer.moment import Moment

TWICE = ["dispatched-twice"]
FOREIGN = next(case for case in DUPLICATED if case.cause == "foreign-worker").moments


@pytest.mark.parametrize("case", DUPLICATED, ids=lambda case: f"{case.cause}: {case.label}")
def test_each_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


@pytest.mark.parametrize(
    "recorded",
    [
        # A job for one participant each is what such a dispatch is for.
        [
            *with_facts(healthy(), Kind.JOB_OFFERED, JOB, {keys.JOB_TYPE: "JT_PARTICIPANT"}),
            *with_facts(second_agent(NAMED, ""), Kind.JOB_OFFERED, SECOND, {keys.JOB_TYPE: "JT_PARTICIPANT"}),
        ],
        # The second did not come into the room.
        [*healthy(), *without(second_agent(NAMED, ""), SECOND_AGENT)],
        # Nobody knows what was asked for.
        [*healthy(), *without(second_agent(NAMED, ""), Kind.DISPATCH_CREATED)],
    ],
    ids=["for participants", "only one came", "unknown dispatch"],
)
def test_not_every_second_job_is_one_too_many(recorded: list[Moment]) -> None:
    assert not {"dispatched-twice", "default-and-named"} & set(found(recorded))


@pytest.mark.parametrize("name", ["", "helper"])
def test_one_agent_after_the_other_is_not_two(name: str) -> None:
    after = [m for m in second_agent(NAMED, name) if m.kind is not Kind.PARTICIPANT_LEFT]
    recorded = [m for m in healthy() if m.subject != ROOM or m.kind is not Kind.ROOM_FINISHED]
    assert found([*recorded, *(moved(m, 3745) for m in after)]) == []
    assert found([*recorded, *(moved(m, 3740) for m in after)]) != []


@pytest.mark.parametrize(("at", "left", "names"), [(5400, 15_500, []), (5400, 15_900, TWICE), (5200, 15_000, TWICE)])
def test_one_that_is_dispatched_in_mid_call_may_take_over(at: float, left: float, names: list[str]) -> None:
    kept = [moved(m, 30_000) if m.time > ms(2000) else m for m in healthy()]
    late = [moved(m, 30_000) if m.time > ms(6000) else m for m in second_agent(NAMED, "", at + 200)]
    gone = [m for m in kept if m.subject != AGENT or m.kind is not Kind.PARTICIPANT_LEFT]
    left_at = _webhook(Kind.PARTICIPANT_LEFT, AGENT, left, {keys.DISCONNECT_REASON: "CLIENT_INITIATED"})
    assert [one for one in found([*gone, *late, left_at]) if one in TWICE] == names


def test_whose_leave_was_lost_had_left_when_its_job_was_over() -> None:
    kept = [moved(m, 30_000) if m.time > ms(2000) else m for m in healthy()]
    late = [moved(m, 30_000) if m.time > ms(6000) else m for m in second_agent(NAMED, "", 5600)]
    gone = [m for m in kept if m.subject != AGENT or m.kind is not Kind.PARTICIPANT_LEFT]
    gone = without(gone, Kind.JOB_SHUTDOWN, Kind.JOB_ENDED, Kind.AGENT_DISCONNECTED)
    shuts_down = of_job(Kind.JOB_SHUTDOWN, 7000, {keys.SHUTDOWN_REASON: "passed on", keys.SHUTDOWN_BY_USER: True})
    assert TWICE[0] not in found([*gone, *late, shuts_down])
    assert TWICE[0] in found([*gone, *late])


@pytest.mark.parametrize(("reason", "certain"), [("CLIENT_INITIATED", False), ("ROOM_CLOSED", True)])
def test_an_agent_that_leaves_the_caller_to_another_may_have_handed_over_late(reason: str, certain: bool) -> None:
    both = [*agent_goes(3500, reason), *second_agent(NAMED, "")]
    finding = next(found for found in explain(timeline(both)).findings if found.cause.name == "dispatched-twice")
    assert finding.certain is certain


def test_two_jobs_of_one_dispatch_are_not_two_dispatches() -> None:
    recorded = with_facts(second_agent(NAMED, ""), Kind.JOB_OFFERED, SECOND, {keys.DISPATCH_ID: "AD_automatic"})
    assert found([*healthy(), *without(recorded, Kind.DISPATCH_CREATED)]) == []


def test_of_many_agents_each_is_told_of_once() -> None:
    many = []
    for number in range(20):
        for recorded in second_agent(f"AD_{number}", ""):
            text = repr(recorded.row()).replace(SECOND, f"AJ_{number}").replace(SECOND_AGENT, f"PA_{number}")
            many.append(type(recorded).from_row(eval(text)))  # noqa: S307  what repr made of plain values
    assert found([*healthy(), *many]) == ["dispatched-twice"] * 20


@pytest.mark.parametrize(
    "workers",
    [
        [],
        registered(name="helper"),
        registered(500),
        [*registered(), worker(Kind.WORKER_CLOSED, 100)],
        [*registered(), *registered(sid=OTHER)],
    ],
    ids=["none known", "another name", "registered later", "had closed", "it is known"],
)
def test_a_worker_is_foreign_only_beside_one_that_could_have_had_the_job(workers: list[Moment]) -> None:
    assert found(FOREIGN, workers) == []


def test_a_worker_that_may_be_gone_could_perhaps_not_have_had_it() -> None:
    (finding,) = explain(timeline(FOREIGN, registered(-61_000))).findings
    assert (finding.cause.name, finding.certain) == ("foreign-worker", False)


def test_a_job_that_reports_itself_is_not_foreign() -> None:
    recorded = [m for m in healthy() if m.witness == "agent" or m.subject != JOB]
    assert found([*recorded, *(m for m in FOREIGN if m.subject == JOB)], registered()) == []
    assert found(healthy(), registered()) == []


def test_an_agent_that_never_came_is_nobodys() -> None:
    names = found(without(FOREIGN, AGENT), registered())
    assert "foreign-worker" not in names
    assert WORKER not in names
