"""A job that ended without a shutdown, while its agent stayed in the room."""

from __future__ import annotations

import pytest

from tests.moments import AGENT, JOB, ms
from tests.why.cases import Case, check, found, of_job, timeline, with_facts, without
from tests.why.silent.calls import long_call
from tracer import keys
from tracer.moment import Fact, Kind, Moment
from tracer.why import explain


def exits(at: float) -> list[Moment]:
    """The long call, whose entrypoint calls sys.exit() at this time, ms."""
    own = {Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED, Kind.SESSION_CLOSED}
    kept = [m for m in long_call() if m.kind not in own]
    return [*kept, of_job(Kind.JOB_ENDED, at, {keys.JOB_STATUS: "JS_SUCCESS"})]


JOB_ENDED = (
    Case(
        "sys.exit() in the entrypoint",
        "job-ended-in-call",
        exits(10_000),
        f"Job {JOB} ended without a shutdown, and agent-{JOB} stayed in the room: for 24.1 s ada was with an agent",
        ((Kind.JOB_ENDED, JOB), (Kind.PARTICIPANT_LEFT, AGENT)),
    ),
)


@pytest.mark.parametrize("case", JOB_ENDED, ids=lambda case: case.label)
def test_it_is_found_first_with_its_evidence(case: Case) -> None:
    check(case)


def test_as_the_caller_leaves_it_is_nothing() -> None:
    assert "job-ended-in-call" not in found(exits(32_000))


@pytest.mark.parametrize("kind", [Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED])
def test_a_job_that_shut_down_has_left(kind: Kind) -> None:
    assert "job-ended-in-call" not in found([*exits(10_000), of_job(kind, 9_990)])


def test_of_an_older_agent_the_end_of_its_entrypoint_is_no_end() -> None:
    older = with_facts(exits(10_000), Kind.JOB_ENDED, JOB, {keys.ENTRYPOINT_ONLY: True})
    assert "job-ended-in-call" not in found(older)
    assert without(older, Kind.JOB_ENDED)


DROPPED: dict[str, Fact] = {keys.DISCONNECT_REASON: "CONNECTION_TIMEOUT"}


def test_a_job_that_ended_with_its_worker_is_lost_by_the_server() -> None:
    """Its process is gone: livekit-rtc does not keep the connection."""
    (finding,) = explain(timeline(with_facts(exits(10_000), Kind.PARTICIPANT_LEFT, AGENT, DROPPED))).findings
    assert (finding.cause.name, finding.certain) == ("process-killed", False)
    assert finding.sentence == (
        f"Job {JOB} ended without a shutdown while ada was there, and the server lost its agent (CONNECTION_TIMEOUT):"
        " its process was gone, as when its worker is killed."
    )
    assert "what killed the worker" in finding.advice
    over = with_facts(exits(33_000), Kind.PARTICIPANT_LEFT, AGENT, DROPPED)
    assert "process-killed" not in found(over)


def test_until_the_server_would_have_noticed_it_may_be_its_worker_that_was_killed() -> None:
    there = [m for m in exits(10_000) if m.time < ms(20_000)]
    (finding,) = explain(timeline(there, now=ms(20_000))).findings
    assert (finding.cause.name, finding.certain) == ("job-ended-in-call", False)
    assert not explain(timeline(there, now=ms(31_000))).findings[0].certain  # who knows whether it is there still
    assert explain(timeline(exits(10_000))).findings[0].certain
    failed = of_job(Kind.PROCESS_FAILED, 19_000, {keys.EXIT_CODE: -10, keys.KILLED: True})
    assert explain(timeline([*there, failed], now=ms(20_000))).findings[0].certain
