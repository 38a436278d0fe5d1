"""Calls of which a part of the record is missing: lost spans, a call in progress, a redacted store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.moments import ABOUT_JOB, ADA, AGENT, JOB, ROOM, WORKER, _webhook, ms
from tests.why.cases import (
    CASES,
    DISCONNECTED,
    MISSING,
    Case,
    found,
    healthy,
    load,
    lonely,
    moved,
    names,
    of_job,
    offered,
    registered,
    timeline,
    until,
    with_facts,
    without,
)
from tests.why.silent.calls import ask, closed, long_call, speaks
from tests.why.silent.conversation import bob_speaks, conversation, hears, kept_session
from tracer import keys
from tracer.moment import Kind, Moment
from tracer.timeline.sessions import sessions_of
from tracer.why import Symptom, explain

SPOKE = of_job(Kind.AGENT_SPEAKING, 900, occurrence="speech")


def ended_with(moments: list[Moment], code: int = -9) -> list[Moment]:
    """The same, in which the worker reports at 8 s that the process ended, and the job does not report its end."""
    known = {keys.EXIT_CODE: code, keys.KILLED: True}
    return [*without(moments, Kind.JOB_ENDED, Kind.JOB_SHUTDOWN), of_job(Kind.PROCESS_FAILED, 8000, known)]


@pytest.mark.parametrize("went_on", [SPOKE, *ask(800)])
def test_a_session_that_spoke_or_asked_has_started(went_on: Moment) -> None:
    stuck = without(long_call(), Kind.SESSION_STARTED, Kind.SESSION_CLOSED, Kind.JOB_ENTRYPOINT_RETURNED)
    assert found(stuck) == ["no-session"]
    assert "no-session" not in found([*stuck, went_on])


def test_an_open_session_is_linked_to_whom_it_waits_for_later() -> None:
    bobs = [m for m in hears(4100, "bob", wait="b") if m.kind is not Kind.SESSION_TRACK_SUBSCRIBED]
    live = [m for m in kept_session(20_000) if m.time < ms(16_000) and m.kind is not Kind.SESSION_UNLINKED]
    live = [*live, *bob_speaks(100, 40_000)]
    live = [m for m in live if m.time < ms(16_000)]
    assert found(live, now=ms(16_000)) == ["linked-to-nobody"]
    assert found([*live, *bobs], now=ms(16_000)) == []
    # Without identities it is known only that it waited for somebody again.
    assert found([m.redacted() for m in live], now=ms(16_000)) == ["linked-to-nobody"]
    assert found([m.redacted() for m in [*live, *bobs]], now=ms(16_000)) == []


@pytest.mark.parametrize(("joined", "sure"), [(100, True), (6000, False)])
def test_a_session_whose_end_is_lost_can_have_closed_before_somebody_came(joined: float, sure: bool) -> None:
    """ada left at 4.1 s; bob was there before, or came after."""
    lost = without([*kept_session(20_000), *bob_speaks(joined, 20_000)], Kind.SESSION_CLOSED)
    (finding,) = [one for one in explain(timeline(lost)).findings if one.cause.name == "linked-to-nobody"]
    assert finding.certain is sure


def test_a_closed_session_whose_own_span_is_lost_can_have_been_linked_to_more() -> None:
    (whole,) = sessions_of(timeline(conversation()).jobs[0])
    lost = with_facts(conversation(), Kind.SESSION_STARTING, JOB, {keys.JOB_ID: None})
    (partial,) = sessions_of(timeline(lost).jobs[0])
    assert (whole.complete, partial.complete) == (True, False)


def test_a_job_that_reported_after_the_last_caller_had_left_was_not_killed_in_the_call() -> None:
    ends = (Kind.JOB_ENDED, Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED)
    assert "process-killed" not in found(without(healthy(), *ends))
    stopped = [m for m in without(healthy(), *ends) if m.subject != JOB or m.time < ms(2000)]
    assert found(stopped) == ["process-killed"]


def test_a_process_that_ends_when_its_room_has_closed_was_shutting_down() -> None:
    (finding,) = explain(timeline(ended_with(healthy()))).findings
    assert finding.cause.name == "killed-in-shutdown"
    assert "ended by signal 9 1.5 s after its room had closed" in finding.sentence
    in_call = [moved(m, 5000) if m.kind in (Kind.PARTICIPANT_LEFT, Kind.ROOM_FINISHED) else m for m in healthy()]
    assert "process-killed" in found(ended_with(without(in_call, Kind.AGENT_DISCONNECTED)))


def test_a_job_that_waited_for_somebody_had_connected() -> None:
    hangs = next(case for case in MISSING if case.cause == "never-connected")
    assert "never-connected" in names(hangs.explanation)
    waited = [*hangs.moments, of_job(Kind.AGENT_WAITING_FOR_PARTICIPANT, 3000, None, "wait")]
    assert "never-connected" not in names(replace(hangs, moments=waited).explanation)


def test_an_agent_that_is_replaced_by_its_own_next_try_did_not_fail() -> None:
    aborted = next(case for case in MISSING if "the server aborted it" in case.sentence)
    again = with_facts(aborted.moments, Kind.PARTICIPANT_ABORTED, AGENT, {keys.DISCONNECT_REASON: "DUPLICATE_IDENTITY"})
    assert "connect-failed" in names(aborted.explanation)
    assert "connect-failed" not in names(replace(aborted, moments=again).explanation)


def test_without_names_nobody_knows_what_room_an_agent_made() -> None:
    ghost = next(case for case in DISCONNECTED if case.cause == "ghost-room" and case.later is None)
    redacted = [moment.redacted() for moment in ghost.moments]
    assert "ghost-room" in names(ghost.explanation)
    assert "ghost-room" not in names(replace(ghost, moments=redacted).explanation)


def lacking(moments: list[Moment], now: float = 60_000) -> str:
    """What is not known of a call without a cause; empty where it went well."""
    answer = explain(timeline(moments, now=ms(now)))
    assert (answer.findings, answer.well) in (((), None), ((), True))
    return "" if answer.well else answer.summary


def test_a_model_that_was_asked_and_not_heard_of_again_is_not_well() -> None:
    assert lacking([*healthy(), *ask(500, 300)]) == ""
    assert "a model was asked, and in 7.0 s no answer" in lacking([*healthy(), *ask(500, given_up=7000)])
    assert lacking([*healthy(), *ask(500, given_up=7000), *speaks(2000)]) == ""
    assert lacking([*healthy(), *ask(2000, given_up=2100)]) == ""


def test_in_a_redacted_store_a_lost_caller_may_have_come_back() -> None:
    lost = with_facts(healthy(), Kind.PARTICIPANT_LEFT, ADA, {keys.DISCONNECT_REASON: "CONNECTION_TIMEOUT"})
    assert lacking(lost) == ""
    assert "whether they came back is not known" in lacking([moment.redacted() for moment in lost])
    assert lacking([moment.redacted() for moment in healthy()]) == ""


def test_it_is_said_at_once_that_nothing_listens_while_the_call_goes_on() -> None:
    session = closed(long_call(), 9000, "user_initiated")
    live = [m for m in session if m.time <= ms(9000)]
    assert lacking(live, 13_000) == ""
    assert lacking(live, 15_000).startswith("Nothing wrong has been recorded so far, but for 6.0 s no session listened")


def test_an_agent_that_waits_for_a_colleague_after_its_session_keeps_nobody_waiting() -> None:
    music = _webhook(Kind.TRACK_PUBLISHED, "TR_music", 9100, {keys.PARTICIPANT_ID: AGENT, keys.TRACK_NAME: "music"})
    held = [*closed(long_call(), 9000, "user_initiated"), music]
    held.append(of_job(Kind.AGENT_WAITING_FOR_PARTICIPANT, 9050, {keys.PARTICIPANT_FILTER: True}, "colleague"))
    assert lacking([m for m in held if m.time <= ms(9100)], 30_000) == ""


def test_a_job_that_never_connected_does_not_learn_that_its_room_closed() -> None:
    hangs = until(Kind.JOB_ENTRYPOINT_STARTED)
    gone = [m for m in healthy() if m.subject == ROOM or (m.subject == ADA and m.witness == "webhook")]
    later = [moved(m, 20_000) if m.time > ms(4000) else m for m in gone]
    assert found([*hangs, *later], now=ms(120_000))[0] == "never-connected"
    assert "process-killed" not in found([*hangs, *later], now=ms(120_000))


def orphan(job: str = JOB) -> Moment:
    """That a span of a job came whose parent did not."""
    known = {keys.SPANS_ENDED: "5eec4001", keys.SPANS_BEGUN: "00000001", keys.SPANS_ABOVE: "7e550001"}
    return replace(of_job(Kind.JOB_SPANS_REPORTED, 900, known), subject=job)


@pytest.mark.parametrize("case", [case for case in CASES if case.timeline.jobs], ids=lambda case: case.label)
def test_of_a_job_whose_spans_were_lost_nothing_is_certain(case: Case) -> None:
    lost = dict.fromkeys((job.sid for job in case.timeline.jobs), 0)
    explained = explain(replace(case.timeline, spans_lost=lost))
    sure = [finding.cause for finding in explained.findings if finding.certain]
    assert all(cause.symptom is Symptom.UNRECORDED for cause in sure)
    assert names(explained)[0] == case.cause


def test_a_call_is_not_called_well_where_spans_of_its_job_were_lost() -> None:
    assert explain(timeline(long_call())).well
    explained = explain(timeline([*long_call(), orphan()]))
    assert explained.well is None
    assert f"spans of job {JOB} were lost on their way" in explained.summary


def test_how_many_spans_did_not_come_is_said_where_they_are_numbered() -> None:
    def numbered(first: int, last: int) -> Moment:
        return of_job(Kind.JOB_SPANS_REPORTED, 900, {keys.SPANS_FIRST: first, keys.SPANS_LAST: last}, "a-process")

    whole = [*long_call(), numbered(1, 20), numbered(21, 40)]
    assert explain(timeline(whole)).well
    explained = explain(timeline([*whole, numbered(48, 60)]))
    assert explained.well is None
    assert f"7 spans of job {JOB} were lost on their way" in explained.summary
    assert f"a span of job {JOB} was lost on its way" in explain(timeline([*whole, numbered(42, 60)])).summary


@pytest.mark.parametrize(
    ("received", "status", "sure"),
    [(201.4, "JS_PENDING", True), (3400, "JS_PENDING", False), (201.4, "JS_RUNNING", False)],
    ids=["in time", "received late", "given to a worker"],
)
def test_an_answer_that_is_not_known_was_slow_only_where_it_can_have_been(
    received: float, status: str, sure: bool
) -> None:
    asked = [*lonely(), *offered(status), of_job(Kind.JOB_RECEIVED, received, ABOUT_JOB, WORKER)]
    (finding,) = [
        one
        for one in explain(timeline(asked, registered(), now=ms(60_000))).findings
        if one.cause.name == "slow-request"
    ]
    assert finding.certain is False
    later = [*registered(), *load(0.1, 8000)]
    (finding,) = [
        one for one in explain(timeline(asked, later, now=ms(60_000))).findings if one.cause.name == "slow-request"
    ]
    assert finding.certain is sure
