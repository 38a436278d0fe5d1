from __future__ import annotations

import pytest

from tests.moments import JOB, ROOM, call, moment, ms
from tests.otlp import job, node_job, node_request, request, span
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.timeline.fold import fold
from tracer.witness import agent

TURN, SPEECH = b"the-turn", b"speaking"
LONG_AFTER = ms(200_000)


def moments(*spans: object) -> list[Moment]:
    return list(agent.arrival(request(*spans)).moments)  # type: ignore[arg-type]


def lost(told: list[Moment], now: int = LONG_AFTER) -> set[str]:
    return set(fold(ROOM, [*call(), *told], now=now).spans_lost)


def without(name: str) -> list[Moment]:
    return moments(*(one for one in job() if one.name != name))


def test_of_a_whole_job_no_span_is_missing_in_whatever_order_they_came() -> None:
    assert lost(moments(*job())) == set()
    assert lost([one for span in reversed(job()) for one in moments(span)]) == set()


def test_a_span_beneath_one_that_did_not_come() -> None:
    assert {one.name for one in job()} >= {"session_start", "agent_session"}
    assert lost(without("agent_session")) == {JOB}


def test_a_span_of_the_users_own_may_be_above_any_that_its_code_makes() -> None:
    (root,) = [one for one in job() if one.name == "job_entrypoint"]
    for name in ("room_connect", "agent_session", "update_agent", "session_close"):
        theirs = span(name, b"anything", 300, 400, b"the-user", **{keys.CONVERSATION_ID: ROOM, keys.JOB_ID: JOB})
        assert lost(moments(root, theirs)) == set(), name


def test_a_span_that_did_not_end_in_a_job_that_did() -> None:
    begun = span("session_start", b"other-st", 400, None, lk__job_id=JOB, gen_ai__conversation__id=ROOM)
    assert lost(moments(*job(), begun)) == {JOB}
    tool = span("function_tool", b"the-tool", 400, None, lk__job_id=JOB, gen_ai__conversation__id=ROOM)
    assert lost(moments(*job(), tool)) == set(), "a crash leaves it open"


def test_an_agent_that_reports_what_begins_reports_its_root_first() -> None:
    begun = span("room_connect", b"connecti", 400, None, lk__job_id=JOB, gen_ai__conversation__id=ROOM)
    assert lost(moments(begun)) == {JOB}


def test_an_agent_that_is_not_instrumented_reports_what_is_above_later() -> None:
    told = [m for one in node_job() for m in agent.arrival(node_request(one)).moments]
    root = [one for one in node_job() if one.name == "job_entrypoint"]
    orphan = list(agent.arrival(node_request(*[one for one in node_job() if one.name == "on_enter"], *root)).moments)
    assert lost(told) == set()
    assert lost(orphan) == {JOB}
    going_on = [m for m in call() if m.kind not in (Kind.ROOM_FINISHED, Kind.JOB_ENDED)]
    assert not fold(ROOM, [*going_on, *orphan], now=LONG_AFTER).spans_lost


@pytest.mark.parametrize("kind", [Kind.JOB_ACCEPTED, Kind.JOB_REJECTED, Kind.JOB_TIMED_OUT])
def test_a_worker_that_answered_and_did_not_report_the_request(kind: Kind) -> None:
    one, other = "AW_one", "AW_other"
    asked = [
        moment(Kind.JOB_RECEIVED, "AJ_2", ms(300), witness="agent", occurrence=one),
        moment(kind, "AJ_2", ms(301), witness="agent", occurrence=other),
    ]
    assert lost(asked) == {"AJ_2"}
    assert lost([*asked, moment(Kind.JOB_RECEIVED, "AJ_2", ms(300), witness="agent", occurrence=other)]) == set()


def test_which_spans_came_is_no_step_of_a_timeline() -> None:
    folded = fold(ROOM, [*call(), *moments(*job())])
    assert Kind.JOB_SPANS_REPORTED not in {step.kind for step in folded.steps}
