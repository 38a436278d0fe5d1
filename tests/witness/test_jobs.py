from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from livekit.protocol.models import Room

from tests.moments import ADA, DISPATCH, JOB, ROOM, START, WORKER, call, ms
from tests.signed import event, room
from tests.witness.test_webhook import told
from tracer import keys
from tracer.clocks.offsets import Clocks
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.timeline.precedence import must_precede
from tracer.timeline.provenance import Mode
from tracer.witness import protocol
from tracer.witness.jobs import ASSIGNED_WITHIN, dispatch_moments

DEMO = Room(sid=ROOM, name="demo", creation_time_ms=START // 1_000_000)
RUNNING = {"status": "JS_RUNNING", "workerId": WORKER, "participantIdentity": "agent-" + JOB, "startedAt": str(ms(201))}
TIMES = {"acceptedAt": str(ms(203)), "assignedAt": str(ms(203.2)), "attempts": 1, "workersAsked": 2}


def job(state: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": JOB, "dispatchId": DISPATCH, "type": "JT_ROOM", "state": state, **more}


def listed(*jobs: dict[str, Any], trigger: str = "ADT_UNSPECIFIED", agent_name: str = "") -> list[Moment]:
    """What the API's answer tells, in which these jobs are of one dispatch."""
    state = {"createdAt": str(ms(0.7)), "trigger": trigger, "jobs": list(jobs)}
    dispatch = ParseDict({"id": DISPATCH, "agentName": agent_name, "state": state}, protocol._AgentDispatch())
    return list(dispatch_moments(DEMO, dispatch))


def by_kind(moments: list[Moment]) -> dict[Kind, Moment]:
    assert len({m.kind for m in moments}) == len(moments)
    return {m.kind: m for m in moments}


def test_a_newer_server_gives_its_own_times_of_what_only_the_agent_reported() -> None:
    known = by_kind(listed(job({**RUNNING, **TIMES}, createdAt=str(ms(0.9)))))
    created, accepted, assigned = (known[kind] for kind in (Kind.JOB_CREATED, Kind.JOB_ACCEPTED, Kind.JOB_ASSIGNED))
    assert (created.earliest, created.latest, created.clock) == (ms(0.9), ms(0.9), "server")
    assert (accepted.earliest, accepted.latest, accepted.time) == (ms(201), ms(203), ms(203))
    assert accepted.occurrence == WORKER, "as the worker's own report of it has"
    assert (assigned.earliest, assigned.time) == (ms(203.2), ms(203.2))
    assert assigned.latest == ms(203.2) + ASSIGNED_WITHIN
    offered = dict(known[Kind.JOB_OFFERED].facts)
    assert (offered[keys.JOB_ATTEMPTS], offered[keys.WORKERS_ASKED]) == (1, 2)


def test_without_the_newer_fields_nothing_is_added() -> None:
    known = by_kind(listed(job(RUNNING)))
    assert set(known) == {Kind.DISPATCH_CREATED, Kind.JOB_OFFERED}
    told_of = {key for m in known.values() for key, _ in m.facts}
    assert not told_of & {keys.JOB_ATTEMPTS, keys.WORKERS_ASKED, keys.JOB_REASON, keys.DISPATCH_TRIGGER}


def test_the_servers_times_fit_those_of_the_agent_and_bound_its_clock() -> None:
    before = fold(ROOM, call())
    accepted, assigned = before.jobs[0].time(Kind.JOB_ACCEPTED), before.jobs[0].time(Kind.JOB_ASSIGNED)
    assert accepted is not None and assigned is not None  # noqa: PT018  for mypy
    times = {"acceptedAt": str(accepted + 150_000), "assignedAt": str(accepted + 200_000)}
    after = fold(ROOM, [*call(), *listed(job({**RUNNING, **times}))])
    (one,) = after.jobs
    steps = [step for step in (one.at(Kind.JOB_ACCEPTED), one.at(Kind.JOB_ASSIGNED)) if step]
    assert [step.witnesses for step in steps] == [("agent", "observer")] * 2
    assert not any(step.contradicted for step in steps)
    assert [step.time for step in steps] == [accepted, assigned], "the agent's own time is the more exact one"

    def width(timeline: Any) -> int | None:
        offset = Clocks(timeline, must_precede(timeline.steps)).of_job(timeline.jobs[0])
        return None if offset.least is None or offset.most is None else offset.most - offset.least

    narrow, wide = width(after), width(before)
    assert narrow is not None
    assert narrow < 2_000_000
    assert wide is None or narrow < wide


@pytest.mark.parametrize(
    "times",
    [
        {"acceptedAt": str(ms(200)), "assignedAt": str(ms(200))},
        {"acceptedAt": str(ms(203)), "assignedAt": str(ms(202))},
        {"acceptedAt": str(2**63 - 1), "assignedAt": str(2**63 - 1)},
        {"acceptedAt": "-5", "assignedAt": "-5"},
        {"acceptedAt": str(ms(203)), "assignedAt": str(ms(203)), "attempts": 2},
    ],
    ids=["before the offer", "assigned before accepted", "beyond all time", "negative", "of a later attempt"],
)
def test_a_time_that_cannot_be_of_the_first_attempt_is_not_taken(times: dict[str, Any]) -> None:
    known = by_kind(listed(job({**RUNNING, **times})))
    assert Kind.JOB_ASSIGNED not in known
    assert Kind.JOB_OFFERED in known


def test_a_job_that_waits_for_a_worker_is_known_before_it_is_offered_and_does_not_stand_for_one_that_was() -> None:
    waiting = job({"status": "JS_PENDING", "reason": "JSR_NO_CAPACITY"}, createdAt=str(ms(0.9)))
    (one,) = fold(ROOM, [*told(event("room_started"), ms(3)), *listed(waiting)]).jobs
    assert one.is_waiting
    assert (one.status, one.text(keys.JOB_REASON)) == ("JS_PENDING", "JSR_NO_CAPACITY")
    cancelled = job(
        {"status": "JS_CANCELLED", "reason": "JSR_ROOM_CLOSED", "endedAt": str(ms(9000))}, createdAt=str(ms(0.9))
    )
    (one,) = fold(ROOM, [*listed(waiting), *listed(cancelled)]).jobs
    assert one.is_waiting
    assert (one.status, one.text(keys.JOB_REASON)) == ("JS_CANCELLED", "JSR_ROOM_CLOSED")
    (one,) = fold(ROOM, [*listed(waiting), *listed(job({**RUNNING, **TIMES}, createdAt=str(ms(0.9))))]).jobs
    assert not one.is_waiting
    assert one.status == "JS_RUNNING"


def test_a_webhook_about_a_job_tells_what_the_api_tells() -> None:
    state = {**RUNNING, **TIMES, "endedAt": str(ms(6500)), "status": "JS_SUCCESS"}
    whole = job(state, createdAt=str(ms(0.9)), participant={"sid": ADA})
    of_api = {(m.kind, m.earliest, m.latest, m.time, m.occurrence) for m in listed(whole)}
    for place in ({"room": room()}, {"room": {}, "job": {**whole, "room": room()}}):
        moments = told(event("agent_job_ended", 7, **{"job": whole, **place}), ms(7100))
        assert {m.witness for m in moments} == {"webhook"}
        assert {m.room for m in moments} == {ROOM}
        of_webhook = {(m.kind, m.earliest, m.latest, m.time, m.occurrence) for m in moments}
        assert of_api - of_webhook == {(Kind.DISPATCH_CREATED, ms(0.7), ms(0.7), ms(0.7), "")}
        assert {kind for kind, *_ in of_webhook - of_api} == {Kind.ROOM_CREATED}
        assert dict(moments[0].facts)[keys.DISPATCH_ID] == DISPATCH


def test_a_webhook_about_a_job_of_no_room_or_of_no_id_tells_nothing() -> None:
    assert told(event("agent_job_pending", room={}, job=job(RUNNING)), ms(7100)) == []
    nameless = told(event("agent_job_pending", job={**job(RUNNING), "id": ""}), ms(7100))
    assert {m.kind for m in nameless} <= {Kind.ROOM_CREATED}


@pytest.mark.parametrize(
    ("trigger", "mode"),
    [
        ("ADT_UNSPECIFIED", None),
        ("ADT_JOIN", Mode.TOKEN),
        ("ADT_ROOM_API", Mode.ROOM),
        ("ADT_DISPATCH_API", Mode.EXPLICIT),
    ],
)
def test_what_created_a_dispatch_is_taken_from_a_server_that_reports_it(trigger: str, mode: Mode | None) -> None:
    created = [m for m in told(event("room_started"), ms(3)) if m.kind is Kind.ROOM_CREATED]
    (dispatch,) = fold(ROOM, [*created, *listed(trigger=trigger, agent_name="helper")]).dispatches
    assert dispatch.mode is mode
