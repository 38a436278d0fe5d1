from __future__ import annotations

from dataclasses import replace

import pytest

from tests.moments import JOB, ROOM, call, moment, ms
from tests.otlp import job, node_job, node_request, request, span
from tracer import keys
from tracer.moment import Kind, Moment, facts
from tracer.timeline.fold import fold
from tracer.timeline.lost_spans import ON_THEIR_WAY
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


def numbered(first: int, last: int, at: float = 1000, process: str = "one") -> Moment:
    """That spans of the job with these numbers came."""
    known = {keys.SPANS_FIRST: first, keys.SPANS_LAST: last}
    return moment(Kind.JOB_SPANS_REPORTED, JOB, ms(at), told=known, witness="agent", occurrence=process)


def missing(*came: Moment, over: bool = True, now: int = LONG_AFTER) -> int:
    """How many spans of the job did not come, in a call that is over or goes on."""
    ends = () if over else (Kind.ROOM_FINISHED, Kind.JOB_ENDED)
    return fold(ROOM, [*[m for m in call() if m.kind not in ends], *came], now=now).spans_lost.get(JOB, 0)


def test_a_number_that_is_missing_between_others_is_a_span_that_did_not_come() -> None:
    assert missing(numbered(1, 5), numbered(6, 6), numbered(7, 20)) == 0
    assert missing(numbered(1, 5), numbered(7, 20)) == 1
    assert missing(numbered(3, 5), numbered(11, 20)) == 7


def test_spans_that_came_again_late_or_in_another_order_are_not_missing() -> None:
    assert missing(numbered(7, 20), numbered(1, 5), numbered(1, 6), numbered(7, 20, 9000)) == 0


def test_each_process_that_reports_of_a_job_counts_for_itself() -> None:
    assert missing(numbered(1, 5), numbered(1, 3, process="two")) == 0
    assert missing(numbered(1, 5), numbered(2, 3, process="two"), numbered(1, 9, process="three")) == 1


def test_while_a_call_goes_on_spans_may_be_on_their_way() -> None:
    came = numbered(1, 5, 1000), numbered(9, 12, 2000)
    assert missing(*came, over=False, now=ms(2000) + ON_THEIR_WAY - 1) == 0
    assert missing(*came, over=False, now=ms(2000) + ON_THEIR_WAY) == 3
    assert missing(*came, now=ms(7000)) == 3


@pytest.mark.parametrize(("first", "last"), [(0, 5), (9, 8), (-3, 2), ("9", 12), (9, None)])
def test_numbers_that_are_none_show_nothing(first: object, last: object) -> None:
    known = facts({keys.SPANS_FIRST: first, keys.SPANS_LAST: last})  # type: ignore[dict-item]
    assert missing(numbered(1, 5), replace(numbered(1, 1), facts=known)) == 0


def test_a_stranger_who_sends_a_large_number_takes_no_time() -> None:
    assert missing(numbered(1, 5), numbered(2**62, 2**63 - 1)) == 2**62 - 6


def test_which_spans_came_is_no_step_of_a_timeline() -> None:
    folded = fold(ROOM, [*call(), *moments(*job())])
    assert Kind.JOB_SPANS_REPORTED not in {step.kind for step in folded.steps}
