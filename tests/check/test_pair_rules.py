from __future__ import annotations

from dataclasses import replace

import pytest

from tests.check.judging import judged, sentences, swapped, violated
from tests.clocks.test_offsets import exact, offered
from tests.moments import (
    ABOUT_AGENT,
    ABOUT_JOB,
    ADA,
    AGENT,
    DISPATCH,
    JOB,
    ROOM,
    SESSION,
    WORKER,
    _agent,
    _webhook,
    call,
    moment,
    ms,
)
from tests.otlp import job, request
from tracer import keys
from tracer.check import Outcome
from tracer.moment import Kind
from tracer.witness import agent

SAME_CLOCK = [
    (1, (Kind.DISPATCH_CREATED, DISPATCH), (Kind.JOB_OFFERED, JOB)),
    (1, (Kind.ROOM_CREATED, ROOM), (Kind.PARTICIPANT_JOINING, ADA)),
    (2, (Kind.PARTICIPANT_JOINING, ADA), (Kind.PARTICIPANT_LEFT, ADA)),
    (2, (Kind.PARTICIPANT_ACTIVE, ADA), (Kind.PARTICIPANT_LEFT, ADA)),
    (3, (Kind.JOB_RECEIVED, JOB), (Kind.JOB_ACCEPTED, JOB)),
    (3, (Kind.JOB_ACCEPTED, JOB), (Kind.JOB_ASSIGNED, JOB)),
    (3, (Kind.JOB_PROCESS_ASSIGNED, JOB), (Kind.JOB_ENTRYPOINT_STARTED, JOB)),
    (4, (Kind.JOB_ENTRYPOINT_STARTED, JOB), (Kind.AGENT_CONNECTING, JOB)),
    (4, (Kind.AGENT_CONNECTING, JOB), (Kind.AGENT_CONNECTED, JOB)),
    (5, (Kind.AGENT_WAITING_FOR_PARTICIPANT, JOB), (Kind.AGENT_PARTICIPANT_READY, JOB)),
    (5, (Kind.SESSION_STARTING, JOB), (Kind.SESSION_STARTED, JOB)),
    (5, (Kind.SESSION_STARTED, JOB), (Kind.SESSION_CLOSED, JOB)),
    (5, (Kind.JOB_SHUTDOWN, JOB), (Kind.AGENT_DISCONNECTED, JOB)),
    (5, (Kind.AGENT_DISCONNECTED, JOB), (Kind.JOB_ENDED, JOB)),
    (9, (Kind.PARTICIPANT_LEFT, ADA), (Kind.ROOM_FINISHED, ROOM)),
    (10, (Kind.AGENT_CONNECTING, JOB), (Kind.PARTICIPANT_JOINING, AGENT)),
]


@pytest.mark.parametrize(("number", "one", "other"), SAME_CLOCK)
def test_what_is_swapped_is_found(number: int, one: tuple[Kind, str], other: tuple[Kind, str]) -> None:
    checked = judged(*swapped(call(), one, other))
    assert number in violated(checked)
    steps = {(s.kind, s.subject) for v in checked.judgements[number - 1].having(Outcome.VIOLATED) for s in v.steps}
    assert {one, other} & steps


def test_a_job_that_a_second_worker_took_is_in_order() -> None:
    first, second = "AW_first", WORKER
    moments = [m for m in call() if m.kind is not Kind.JOB_RECEIVED]
    moments += [
        offered(190, worker=first),
        exact(Kind.JOB_RECEIVED, 190.3, worker=first),
        replace(exact(Kind.JOB_REJECTED, 190.4, worker=first), occurrence=first),
        exact(Kind.JOB_RECEIVED, 201.4, worker=second),
    ]
    checked = judged(*moments)
    assert not checked.violated
    assert checked.judgements[6].summary == "1 passes"


def test_an_agent_that_left_the_room_by_itself_is_in_order() -> None:
    ends = (Kind.JOB_SHUTDOWN, Kind.AGENT_DISCONNECTED, Kind.JOB_ENDED, Kind.SESSION_CLOSED)
    moments = [m for m in call() if m.kind not in ends and (m.kind, m.subject) != (Kind.PARTICIPANT_LEFT, AGENT)]
    moments += [
        _webhook(Kind.PARTICIPANT_LEFT, AGENT, 4995, {**ABOUT_AGENT, keys.DISCONNECT_REASON: "CLIENT_INITIATED"}),
        _agent(Kind.JOB_SHUTDOWN, 5007, {keys.SHUTDOWN_REASON: "room disconnected"}),
        _agent(Kind.SESSION_CLOSED, 5008, occurrence=SESSION),
        _agent(Kind.AGENT_DISCONNECTED, 5009),
        _agent(Kind.JOB_ENDED, 5010),
    ]
    assert violated(judged(*moments)) == []


def test_an_agent_that_connects_at_the_second_try_is_in_order() -> None:
    (connect,) = (span for span in job() if span.name == "room_connect")
    first = type(connect)()
    first.CopyFrom(connect)
    first.span_id = b"12345678"
    first.start_time_unix_nano -= 3_000_000
    first.end_time_unix_nano = connect.start_time_unix_nano - 1_000_000
    first.status.code = first.status.STATUS_CODE_ERROR
    of_participant = (keys.PARTICIPANT_ID, keys.PARTICIPANT_IDENTITY)
    for attribute in [a for a in first.attributes if a.key in of_participant]:
        first.attributes.remove(attribute)
    server = [m for m in call() if m.subject != JOB or m.kind is Kind.JOB_OFFERED]
    checked = judged(*server, *agent.arrival(request(first, *job())).moments)
    assert violated(checked) == []
    [theirs] = checked.timeline.jobs
    assert [step.kind for step in theirs.steps].count(Kind.AGENT_CONNECTING) == 2


@pytest.mark.parametrize(
    ("ends", "answer"), [(4160, Outcome.HOLDS), (391, Outcome.VIOLATED), (300, Outcome.VIOLATED)], ids=str
)
def test_a_session_starts_within_itself(ends: float, answer: Outcome) -> None:
    began = min(362, ends - 100)
    whole = moment(
        Kind.SESSION_STARTING, JOB, ms(began), ms(ends), ms(began), witness="agent", clock="agent", occurrence=SESSION
    )
    checked = judged(*call(), whole)
    assert checked.judgements[4].answer is answer
    within = [text for text in sentences(checked, 5) if "within its agent_session" in text]
    assert within == [
        f"session_start of job {JOB} {'lies' if answer is Outcome.HOLDS else 'does not lie'} within its agent_session"
    ]


@pytest.mark.parametrize("missing", [[], [Kind.JOB_ASSIGNED], [Kind.JOB_ASSIGNED, Kind.JOB_PROCESS_ASSIGNED]])
def test_an_answer_comes_before_whatever_came_of_it(missing: list[Kind]) -> None:
    moments = [m for m in call() if m.kind not in missing]
    assert judged(*moments).judgements[2].answer is Outcome.HOLDS
    late = _agent(Kind.JOB_ACCEPTED, 900, ABOUT_JOB, WORKER)
    moments = [late if m.kind is Kind.JOB_ACCEPTED else m for m in moments]
    assert judged(*moments).judgements[2].answer is Outcome.VIOLATED
